//! The exit codes: one enum, one table. `docs/CLI.md` repeats the table and a test compares them.

use keylane_policy::blame::Blame;
use std::process::ExitCode;

/// How the command ended, as its caller sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// What was asked was done.
    Done,
    /// The workflow ran and failed.
    Failed,
    /// The project, the definition, the input or an option was refused before anything ran.
    Refused,
    /// The host cannot do it.
    Host,
    /// A limit or a choice of the operator ended it while it ran.
    Operator,
    /// A scan found something.
    Found,
    /// A bug of Keylane.
    Bug,
    /// The result, or a file that was asked for, could not be written.
    Unwritten,
    /// SIGHUP ended it.
    HungUp,
    /// SIGINT ended it.
    Interrupted,
    /// SIGTERM ended it.
    Terminated,
}

impl Exit {
    /// Every exit and what it means, in the order of the codes.
    pub const TABLE: [(Exit, &'static str); 11] = [
        (
            Exit::Done,
            "done: the execution succeeded, the project is valid, the host is fit, the scan found nothing",
        ),
        (
            Exit::Failed,
            "the workflow ran and failed: a function's error, or a state that ends in failure",
        ),
        (
            Exit::Refused,
            "refused before anything ran: the project, the definition, the input or an option",
        ),
        (
            Exit::Host,
            "the host cannot: its kernel, its packages, its memory",
        ),
        (
            Exit::Operator,
            "a limit or a choice of the operator ended a running execution",
        ),
        (
            Exit::Found,
            "the scan found a forbidden instruction, or a file that it could not examine",
        ),
        (Exit::Bug, "a bug of Keylane; please report it"),
        (
            Exit::Unwritten,
            "the result, or a file that was asked for, could not be written",
        ),
        (Exit::HungUp, "ended by SIGHUP"),
        (Exit::Interrupted, "ended by SIGINT (Ctrl-C)"),
        (Exit::Terminated, "ended by SIGTERM"),
    ];

    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Refused => 2,
            Exit::Host => 3,
            Exit::Operator => 4,
            Exit::Found => 5,
            Exit::Bug => 70,
            Exit::Unwritten => 74,
            Exit::HungUp => 129,
            Exit::Interrupted => 130,
            Exit::Terminated => 143,
        }
    }

    /// The exit for a failure before the first execution: also of a function that cannot be loaded.
    pub fn before(blame: Blame) -> Exit {
        match blame {
            Blame::Function | Blame::Workflow | Blame::Operator => Exit::Refused,
            Blame::Host => Exit::Host,
            Blame::Bug => Exit::Bug,
        }
    }

    /// The exit for a failure of an execution.
    pub fn during(blame: Blame) -> Exit {
        match blame {
            Blame::Function | Blame::Workflow => Exit::Failed,
            Blame::Operator => Exit::Operator,
            Blame::Host => Exit::Host,
            Blame::Bug => Exit::Bug,
        }
    }

    /// The exit for a signal that ended the command, where it is one of those it obeys.
    pub fn signal(number: i32) -> Option<Exit> {
        match number {
            1 => Some(Exit::HungUp),
            2 => Some(Exit::Interrupted),
            15 => Some(Exit::Terminated),
            _ => None,
        }
    }

    /// The exit of two executions one after the other: of the first that was not done.
    #[must_use]
    pub fn then(self, later: Exit) -> Exit {
        if self == Exit::Done { later } else { self }
    }

    /// The table as plain text, for `--help`.
    pub fn help() -> String {
        let mut text = String::from("Exit codes:\n");
        for (exit, meaning) in Exit::TABLE {
            text.push_str(&format!("  {:>3}  {meaning}\n", exit.code()));
        }
        text
    }

    /// The table as Markdown, for `docs/CLI.md`.
    pub fn markdown() -> String {
        let mut text = String::from("| code | meaning |\n|---|---|\n");
        for (exit, meaning) in Exit::TABLE {
            text.push_str(&format!("| {} | {meaning} |\n", exit.code()));
        }
        text
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_lists_each_code_once_in_order() {
        let codes: Vec<u8> = Exit::TABLE.iter().map(|(exit, _)| exit.code()).collect();
        let mut sorted = codes.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(codes, sorted);
    }

    #[test]
    fn the_manual_holds_the_table_as_it_is_in_the_code() {
        let manual = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/CLI.md"));
        assert!(
            manual.contains(&Exit::markdown()),
            "docs/CLI.md must hold this table:\n{}",
            Exit::markdown()
        );
    }

    #[test]
    fn a_stream_ends_with_the_exit_of_its_first_failure() {
        let exits = [Exit::Done, Exit::Refused, Exit::Failed, Exit::Done];
        assert_eq!(
            exits.into_iter().fold(Exit::Done, Exit::then),
            Exit::Refused
        );
    }

    #[test]
    fn a_signal_ends_with_128_and_its_number() {
        for number in [1, 2, 15] {
            let exit = Exit::signal(number).unwrap();
            assert_eq!(i32::from(exit.code()), 128 + number);
        }
        assert_eq!(Exit::signal(9), None);
    }
}
