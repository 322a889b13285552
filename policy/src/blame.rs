//! Whose fault a failure is, and the three parts of every error a person sees.
//!
//! An error names what was being done, what went wrong, and who can mend it. It is built where
//! the cause is known and printed once, by the command line.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Who can mend a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Blame {
    /// The code of a function.
    Function,
    /// The workflow's definition, the project's files or the input given to it.
    Workflow,
    /// Whoever invoked Keylane: an option, an environment, a limit that they chose.
    Operator,
    /// The machine: its kernel, its packages, its memory.
    Host,
    /// Keylane itself.
    Bug,
}

impl fmt::Display for Blame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Blame::Function => "the function",
            Blame::Workflow => "the workflow",
            Blame::Operator => "the operator",
            Blame::Host => "the host",
            Blame::Bug => "a bug of Keylane",
        })
    }
}

/// A failure: what was being done, what went wrong, who can mend it and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Who can mend it.
    pub blame: Blame,
    /// What was being done, as a phrase that follows "while": `starting function "lastpx"`.
    pub doing: String,
    /// What went wrong, with the paths and numbers that matter.
    pub cause: String,
    /// What to do about it, when there is something to do.
    pub advice: Option<String>,
}

impl Failure {
    /// A failure without advice.
    pub fn new(blame: Blame, doing: impl Into<String>, cause: impl Into<String>) -> Self {
        Failure {
            blame,
            doing: doing.into(),
            cause: cause.into(),
            advice: None,
        }
    }

    /// The same failure with a sentence that says what to do.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} (fault of {})",
            self.doing, self.cause, self.blame
        )?;
        match &self.advice {
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}
