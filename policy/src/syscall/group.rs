//! Groups of an instance's rows: what a profile grants or leaves out as a whole.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// A group of rows of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// Own memory, own descriptors, clocks, signals to itself, its end, and what the launcher needs
    /// to be told of calls. Every profile has it.
    Core,
    /// Names and contents of files, as far as Landlock allows.
    Files,
    /// Threads. Without it `clone` makes forks alone, which a zygote needs for its workers.
    Threads,
    /// Waiting on many descriptors, and pipes: what `selectors` and `asyncio` are made of.
    Events,
    /// Pairs of sockets of its own.
    Pairs,
    /// Timers and waiting for signals.
    Timers,
    /// What it has used, and facts of the host: its name, memory and load.
    Facts,
    /// Connections of TCP that it opens, to ports that Landlock allows.
    Network,
}

/// All groups with their names and what each is for, as documents list them.
pub const GROUPS: &[(Group, &str, &str)] = &[
    (
        Group::Core,
        "core",
        "own memory, own descriptors, clocks, own signals, forks, its end",
    ),
    (
        Group::Files,
        "files",
        "names and contents of files that Landlock allows",
    ),
    (Group::Threads, "threads", "threads"),
    (
        Group::Events,
        "events",
        "waiting on many descriptors; pipes, event counters",
    ),
    (Group::Pairs, "pairs", "pairs of sockets of its own"),
    (Group::Timers, "timers", "timers and waiting for signals"),
    (
        Group::Facts,
        "facts",
        "its usage; the host's name, memory and load",
    ),
    (
        Group::Network,
        "network",
        "connections of TCP that it opens, to named ports",
    ),
];

impl Group {
    /// The group of this name.
    pub fn named(name: &str) -> Option<Group> {
        let found = GROUPS.iter().find(|(_, known, _)| *known == name);
        found.map(|(group, _, _)| *group)
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = GROUPS.iter().find(|(group, _, _)| group == self);
        f.write_str(found.map_or("unknown", |(_, name, _)| name))
    }
}

/// The groups of a profile. [`Group::Core`] is always among them: without it no program ends, and a
/// filter without it would be a way to say "nothing" that nobody tests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Groups(BTreeSet<Group>);

impl Groups {
    /// These and the core.
    pub fn of(groups: impl IntoIterator<Item = Group>) -> Groups {
        Groups(groups.into_iter().chain([Group::Core]).collect())
    }

    /// Every group there is.
    pub fn all() -> Groups {
        Groups::of(GROUPS.iter().map(|(group, _, _)| *group))
    }

    /// Whether `group` is granted.
    pub fn has(&self, group: Group) -> bool {
        group == Group::Core || self.0.contains(&group)
    }

    /// The groups, sorted.
    pub fn iter(&self) -> impl Iterator<Item = Group> {
        self.0.iter().copied()
    }

    /// Whether everything that `self` grants `other` grants too.
    pub fn within(&self, other: &Groups) -> bool {
        self.iter().all(|group| other.has(group))
    }
}

impl fmt::Display for Groups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.iter().map(|group| group.to_string()).collect();
        f.write_str(&names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syscall::table::TABLE;

    #[test]
    fn every_group_has_a_name_and_a_row_and_the_core_cannot_be_left_out() {
        for (group, name, what) in GROUPS {
            assert_eq!(Group::named(name), Some(*group));
            assert!(what.len() > 5);
            assert!(
                TABLE
                    .iter()
                    .any(|row| row.group == *group && row.instance.is_some()),
                "{name} is empty"
            );
        }
        assert!(Groups::of([]).has(Group::Core));
        assert_eq!(Groups::all().iter().count(), GROUPS.len());
    }
}
