//! Keylane's command line; everything is in the library beside it.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    keylane_front::cli::start().into()
}
