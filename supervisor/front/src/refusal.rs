//! Why the command does not do what it was asked: one failure, or the problems of a project.

use crate::exit::Exit;
use crate::problem::Problem;
use keylane_policy::blame::{Blame, Failure};

/// Why nothing ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// One thing went wrong.
    Failure(Failure),
    /// A project or a definition has problems, of which one at least is an error.
    Problems {
        /// What was being done, as a sentence goes on: "reading the project".
        doing: &'static str,
        /// Its problems, warnings included.
        problems: Vec<Problem>,
    },
    /// A signal ended it, the one of this number.
    Signal(i32),
}

impl Refusal {
    /// The exit code that fits.
    pub fn exit(&self) -> Exit {
        match self {
            Refusal::Failure(failure) => Exit::before(failure.blame),
            Refusal::Problems { .. } => Exit::Refused,
            Refusal::Signal(number) => Exit::signal(*number).unwrap_or(Exit::Bug),
        }
    }

    /// The problems of a project.
    pub fn of_project(problems: Vec<Problem>) -> Refusal {
        let doing = "reading the project";
        Refusal::Problems { doing, problems }
    }

    /// The problems of a definition without a project.
    pub fn of_definition(problems: Vec<Problem>) -> Refusal {
        let doing = "reading the definition";
        Refusal::Problems { doing, problems }
    }

    /// The refusal as one failure; the problems are told apart from it.
    pub fn summary(&self) -> Failure {
        match self {
            Refusal::Failure(failure) => failure.clone(),
            Refusal::Problems { doing, problems } => {
                let errors = problems.iter().filter(|problem| problem.is_error()).count();
                let count = if errors == 1 {
                    "1 error".into()
                } else {
                    format!("{errors} errors")
                };
                Failure::new(Blame::Workflow, *doing, count)
            }
            Refusal::Signal(number) => {
                let cause = format!("signal {number} ended it");
                Failure::new(Blame::Operator, "building", cause)
            }
        }
    }

    /// The problems, if that is what it is.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Refusal::Failure(_) | Refusal::Signal(_) => &[],
            Refusal::Problems { problems, .. } => problems,
        }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Refusal {
        Refusal::Failure(failure)
    }
}
