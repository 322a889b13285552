//! Denied calls of instances: what the spawner saw, and what it means.
//!
//! A [`Notice`] is what the kernel told of a call, with the memory that one of its arguments pointed
//! to, copied once. A [`Denial`] is that in words. Number, arguments and memory are the function's
//! choice: they are decoded to be shown and decide nothing.

mod argument;
mod family;
mod signature;

pub use argument::Argument;
pub use signature::{Pointer, pointer};

use crate::blame::Blame;
use crate::limit;
use crate::syscall::{Arguments, Decision, Group, Groups, Scene, decide, names};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What an argument of a denied call pointed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pointed {
    /// No argument of this call is worth following.
    Nowhere,
    /// The memory could not be read: the address is wrong, or the host does not let the spawner read
    /// a function's memory.
    Unreadable,
    /// The bytes, at most [`limit::DENIED_BYTES`].
    Bytes(#[serde(with = "serde_bytes")] Vec<u8>),
}

/// A denied call as it was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The call's number.
    pub number: u32,
    /// Its arguments.
    pub arguments: Arguments,
    /// What the argument that [`pointer`] names pointed to.
    pub pointed: Pointed,
}

/// A denied call in words: what a report, a message and `keylane explain` show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// The function that made the call.
    pub function: String,
    /// The call's name, or `number N`.
    pub call: String,
    /// Its number on x86_64.
    pub number: u32,
    /// Its arguments, decoded as far as the call is known.
    pub arguments: Vec<Argument>,
    /// The path that it named, if it names one and its memory could be read.
    pub path: Option<String>,
    /// Which rule denied it.
    pub rule: String,
    /// Why that rule is there.
    pub reason: String,
    /// Who can mend it.
    pub blame: Blame,
    /// What the function may do instead.
    pub permitted_instead: String,
    /// The group whose lack denied it, where a profile with that group permits it.
    pub missing_group: Option<Group>,
    /// How often it was made, as far as it was told.
    pub times: u64,
}

impl Denial {
    /// The denial that a notice tells of, for `function`, whose profile grants `groups`.
    pub fn of(function: &str, groups: &Groups, scene: Scene, notice: &Notice) -> Denial {
        let number = notice.number;
        let call = names::name(number).map_or_else(|| format!("number {number}"), str::to_owned);
        let decision = decide(groups, number, &notice.arguments, scene);
        let family = family::of(&call);
        let (rule, blame, reason) = match decision {
            Decision::NoGroup(row) => (
                format!(
                    "its profile lacks the group `{}`, to which `{call}` belongs",
                    row.group
                ),
                Blame::Workflow,
                row.reason,
            ),
            Decision::Unmet(row) => (
                format!("`{call}` is open with certain arguments only, and not with these"),
                Blame::Function,
                row.reason,
            ),
            Decision::Truncating(row) => (
                format!("`{call}` may not empty a file (O_TRUNC)"),
                Blame::Function,
                row.reason,
            ),
            // The last two: told by a kernel whose filter was another; then the row is gone.
            Decision::NoRow | Decision::Passed | Decision::Answered(_) => (
                format!("no row of the table opens `{call}` to functions"),
                Blame::Function,
                family.reason,
            ),
        };
        let missing_group = match decision {
            Decision::NoGroup(row) => Some(row.group),
            _ => None,
        };
        let (arguments, path) = signature::decode(&call, notice);
        Denial {
            function: function.to_owned(),
            call,
            number,
            arguments,
            path,
            rule,
            reason: reason.to_owned(),
            blame,
            permitted_instead: family.instead.to_owned(),
            missing_group,
            times: 1,
        }
    }

    /// Whether it is the same call with the same arguments.
    pub fn same(&self, other: &Denial) -> bool {
        (&self.function, self.number, &self.arguments, &self.path)
            == (&other.function, other.number, &other.arguments, &other.path)
    }

    /// The call as source code would show it: `socket(family: AF_INET, type: SOCK_STREAM, ...)`.
    pub fn shown(&self) -> String {
        let arguments: Vec<String> = self.arguments.iter().map(Argument::to_string).collect();
        format!("{}({})", self.call, arguments.join(", "))
    }
}

impl fmt::Display for Denial {
    /// In one line, without the function's name. Texts of the function's choosing are in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is denied: {}", self.shown(), self.rule)?;
        if self.times > 1 {
            write!(f, " ({} times)", self.times)?;
        }
        Ok(())
    }
}

/// The denials of one execution, few however many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denials {
    /// Different calls, in the order in which they were first made; at most
    /// [`limit::DENIALS`].
    pub records: Vec<Denial>,
    /// Denied calls that no record counts.
    pub more: u64,
}

impl Denials {
    /// Adds one.
    pub fn add(&mut self, denial: Denial) {
        if let Some(known) = self.records.iter_mut().find(|known| known.same(&denial)) {
            known.times = known.times.saturating_add(denial.times);
        } else if self.records.len() < limit::DENIALS {
            self.records.push(denial);
        } else {
            self.more = self.more.saturating_add(denial.times);
        }
    }

    /// Adds some of which nothing but their number is known.
    pub fn count(&mut self, more: u64) {
        self.more = self.more.saturating_add(more);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.more == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCENE: Scene = Scene {
        landlock_abi: 6,
        provisions: crate::syscall::Provisions {
            writes: false,
            counted: false,
        },
    };

    fn notice(number: u32, arguments: Arguments, pointed: Pointed) -> Notice {
        Notice {
            number,
            arguments,
            pointed,
        }
    }

    fn denial(number: u32, arguments: Arguments, pointed: Pointed) -> Denial {
        let notice = notice(number, arguments, pointed);
        Denial::of("f", &Groups::of([]), SCENE, &notice)
    }

    #[test]
    fn a_denied_socket_says_what_it_was_and_what_to_do_instead() {
        let denial = denial(41, [2, 0x80001, 6, 0, 0, 0], Pointed::Nowhere);
        assert_eq!(
            denial.shown(),
            "socket(family: AF_INET, type: SOCK_STREAM|SOCK_CLOEXEC, protocol: 6)"
        );
        assert!(denial.rule.contains("`network`"));
        assert!(denial.permitted_instead.contains("response"));
        assert_eq!(denial.blame, Blame::Workflow);
    }

    #[test]
    fn a_path_is_shown_up_to_its_end_whatever_its_bytes_are() {
        let bytes = Pointed::Bytes(b"/tmp/\xFF\x1b[2J\0secret".to_vec());
        let denial = denial(90, [0x7000, 0o755, 0, 0, 0, 0], bytes);
        assert_eq!(denial.path.as_deref(), Some("/tmp/\\xff\\x1b[2J"));
        assert!(denial.shown().contains("mode: 0755"));
        let unread = super::Denial::of(
            "f",
            &Groups::all(),
            SCENE,
            &notice(90, [0x7000, 0, 0, 0, 0, 0], Pointed::Unreadable),
        );
        assert_eq!(unread.path, None);
        assert!(unread.shown().contains("path: 0x7000"));
    }

    #[test]
    fn a_thread_without_its_group_is_the_projects_to_mend() {
        let denial = denial(56, [0x3D_0F00, 0, 0, 0, 0, 0], Pointed::Nowhere);
        assert!(denial.rule.contains("`threads`"));
        assert_eq!(denial.blame, Blame::Workflow);
    }

    #[test]
    fn any_number_and_any_arguments_make_a_denial() {
        for number in (0..600).chain([u32::MAX, 0x4000_0000]) {
            for value in [0, 1, u64::MAX, 1 << 31, 1 << 63] {
                for pointed in [
                    Pointed::Nowhere,
                    Pointed::Unreadable,
                    Pointed::Bytes(vec![0xFF; 600]),
                    Pointed::Bytes(Vec::new()),
                ] {
                    let denial = denial(number, [value; 6], pointed);
                    assert!(denial.to_string().len() < 8 * limit::DENIED_BYTES);
                    assert!(!denial.to_string().contains(char::is_control));
                }
            }
        }
    }

    #[test]
    fn a_flood_stays_small_and_is_counted() {
        let mut all = Denials::default();
        for number in 0..1000 {
            all.add(denial(number % 200, [0; 6], Pointed::Nowhere));
        }
        assert_eq!(all.records.len(), limit::DENIALS);
        let told: u64 = all.records.iter().map(|one| one.times).sum();
        assert_eq!(told + all.more, 1000);
    }
}
