//! The launcher of native functions.

use std::process::ExitCode;

fn main() -> ExitCode {
    keylane_launcher::native()
}
