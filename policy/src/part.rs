//! Parts of the jail that a host may lack (rule P6): what stands in is told, and an operator can require
//! any of them by name. All other parts can never be done without.

use serde::{Deserialize, Serialize};

/// Such a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Namespaces of users, processes, network, IPC and host name.
    Namespaces,
    /// A mount namespace with a root of its own.
    Mounts,
    /// A control group for each function, which counts memory and processes.
    Groups,
    /// The controller of those groups that divides the processors.
    Processors,
    /// A listener that tells which calls are denied.
    Denials,
}

impl Part {
    /// All of them with the words that an operator's file has for them.
    pub const ALL: [(Part, &str); 5] = [
        (Part::Namespaces, "namespaces"),
        (Part::Mounts, "mounts"),
        (Part::Groups, "groups"),
        (Part::Processors, "processors"),
        (Part::Denials, "denials"),
    ];

    /// The part of this word.
    pub fn named(word: &str) -> Option<Part> {
        let found = Part::ALL.iter().find(|(_, name)| *name == word);
        found.map(|(part, _)| *part)
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        let found = Part::ALL.iter().find(|(part, _)| *part == self);
        found.map_or("", |(_, word)| word)
    }
}
