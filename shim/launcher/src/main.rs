//! The launcher of Python functions.

use std::process::ExitCode;

fn main() -> ExitCode {
    keylane_launcher::python()
}
