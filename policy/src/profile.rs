//! Profiles: what a function may be given as a whole, and what the operator lets projects ask for.
//!
//! A profile is groups of rows of the table of system calls, and ceilings for limits. A project asks;
//! the operator's [`Grants`] decide. Nothing is granted by being asked for.

use crate::limit;
use crate::part::Part;
use crate::syscall::Groups;

/// The texts of the built-in profiles, by name; the front parses them as it does an operator's file.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("compute", include_str!("../profiles/compute.toml")),
    ("numeric", include_str!("../profiles/numeric.toml")),
    ("python", include_str!("../profiles/python.toml")),
    ("network", include_str!("../profiles/network.toml")),
];

/// The profile of functions that name none, where neither project nor operator says another.
pub const DEFAULT: &str = "python";

/// The most that each limit of a function may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceilings {
    /// Bytes of address space of one instance.
    pub memory: u64,
    /// Processes and threads of all instances.
    pub processes: u64,
    /// Open descriptors of one instance.
    pub descriptors: u64,
    /// Hundredths of a processor of all instances.
    pub cpu: u64,
    /// Bytes of one request or response.
    pub payload: u64,
    /// Milliseconds of one call.
    pub timeout_ms: u64,
    /// Bytes of the private /tmp.
    pub tmp: u64,
}

impl Default for Ceilings {
    /// Those of this version, which no project and no operator may exceed.
    fn default() -> Ceilings {
        Ceilings {
            memory: limit::MEMORY_BYTES_CEILING,
            processes: limit::PROCESSES_CEILING,
            descriptors: limit::DESCRIPTORS_CEILING,
            cpu: limit::CPU_CEILING,
            payload: limit::PAYLOAD_BYTES_CEILING,
            timeout_ms: limit::CALL_MILLISECONDS_CEILING,
            tmp: limit::TMP_BYTES_CEILING,
        }
    }
}

impl Ceilings {
    /// The lower of each two.
    #[must_use]
    pub fn lower(self, other: Ceilings) -> Ceilings {
        Ceilings {
            memory: self.memory.min(other.memory),
            processes: self.processes.min(other.processes),
            descriptors: self.descriptors.min(other.descriptors),
            cpu: self.cpu.min(other.cpu),
            payload: self.payload.min(other.payload),
            timeout_ms: self.timeout_ms.min(other.timeout_ms),
            tmp: self.tmp.min(other.tmp),
        }
    }
}

/// A profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// What it is for, in a sentence.
    pub summary: String,
    /// The groups of system calls that it grants.
    pub groups: Groups,
    /// The most that the limits of a function with it may be.
    pub ceilings: Ceilings,
}

/// What functions with the group `network` may reach, in the operator's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// The ports of TCP that they may connect to, on any address: nothing keeps a function from those
    /// of the host itself. Never empty.
    pub ports: Vec<u16>,
    /// Whether the operator accepts every port where the kernel cannot tell them apart (Landlock below
    /// [`NETWORK_ABI`]).
    pub unfiltered: bool,
}

/// The Landlock ABI from which on a ruleset decides about ports (Linux 6.7).
pub const NETWORK_ABI: u32 = 4;

/// What the operator lets projects have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grants {
    /// Where that is written, for messages.
    pub source: String,
    /// The profiles that a project may ask for. Never empty.
    pub profiles: Vec<Profile>,
    /// The one of them that a function has which asks for none.
    pub default: String,
    /// The most that the limits of any function may be.
    pub ceilings: Ceilings,
    /// Parts of the jail that a host may lack, without which nothing of a project runs.
    pub required: Vec<Part>,
    /// What a network may be, where one of the profiles has it.
    pub network: Option<Network>,
}

impl Grants {
    /// The profile that a function gets which asks for `wanted`, with the ceilings that hold for it;
    /// none if the operator does not grant that one.
    pub fn grant(&self, wanted: Option<&str>) -> Option<Profile> {
        let name = wanted.unwrap_or(&self.default);
        let found = self.profiles.iter().find(|profile| profile.name == name)?;
        Some(Profile {
            ceilings: found.ceilings.lower(self.ceilings),
            ..found.clone()
        })
    }

    /// The granted profiles from the smallest to the largest: by how many groups they have.
    pub fn by_size(&self) -> Vec<&Profile> {
        let mut all: Vec<&Profile> = self.profiles.iter().collect();
        all.sort_by_key(|profile| (profile.groups.iter().count(), profile.name.clone()));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syscall::Group;

    fn profile(name: &str, groups: &[Group], memory: u64) -> Profile {
        Profile {
            name: name.to_owned(),
            summary: String::new(),
            groups: Groups::of(groups.iter().copied()),
            ceilings: Ceilings {
                memory,
                ..Ceilings::default()
            },
        }
    }

    #[test]
    fn a_profile_is_had_only_if_granted_and_under_the_lower_ceiling() {
        let grants = Grants {
            source: "x".to_owned(),
            profiles: vec![
                profile("all", &[Group::Files, Group::Threads], 100),
                profile("small", &[], 10),
            ],
            default: "small".to_owned(),
            ceilings: Ceilings {
                memory: 50,
                ..Ceilings::default()
            },
            required: Vec::new(),
            network: None,
        };
        assert_eq!(grants.grant(None).unwrap().ceilings.memory, 10);
        assert_eq!(grants.grant(Some("all")).unwrap().ceilings.memory, 50);
        assert_eq!(grants.grant(Some("python")), None);
        let names: Vec<&str> = grants.by_size().iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["small", "all"]);
    }
}
