//! How long a worker lives: what a later call may find of an earlier one.

use serde::{Deserialize, Serialize};

/// What a call's worker has seen before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reuse {
    /// A worker answers call after call and keeps what the function keeps in memory.
    #[default]
    Warm,
    /// Each call gets a worker that was forked after the function's import and has answered none.
    /// Hygiene among honest functions: an import can prepare memory that all forks share
    /// (threats.md P2).
    Fresh,
    /// Each call gets a worker forked from an interpreter that has seen no code of the function,
    /// which is imported in the worker.
    FreshImport,
}

impl Reuse {
    /// Every way with the word for it in a project's file.
    pub const ALL: [(&'static str, Reuse); 3] = [
        ("warm", Reuse::Warm),
        ("fresh", Reuse::Fresh),
        ("fresh-import", Reuse::FreshImport),
    ];

    /// The way that a word means.
    pub fn named(word: &str) -> Option<Reuse> {
        Reuse::ALL
            .into_iter()
            .find(|(name, _)| *name == word)
            .map(|(_, reuse)| reuse)
    }

    /// Whether a worker may answer more than one call.
    pub fn keeps_workers(self) -> bool {
        self == Reuse::Warm
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_means_one_way_and_others_mean_none() {
        for (word, reuse) in Reuse::ALL {
            assert_eq!(Reuse::named(word), Some(reuse));
        }
        for word in ["", "Warm", "fresh import", "cold"] {
            assert_eq!(Reuse::named(word), None, "{word}");
        }
        assert!(Reuse::default().keeps_workers());
    }
}
