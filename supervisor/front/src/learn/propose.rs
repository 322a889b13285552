//! What a function was denied, what of it can be given, and which profile that makes. Pure.

use crate::operator;
use crate::project::manifest::Function;
use crate::project::name::Name;
use crate::source::{Position, Source};
use keylane_policy::denial::{Denial, Denials};
use keylane_policy::limit::NAME_BYTES;
use keylane_policy::profile::Grants;
use keylane_policy::syscall::{Group, Groups};
use serde::Serialize;
use std::collections::BTreeMap;

/// What each function was found to need so far.
pub(super) struct Learned<'g> {
    grants: &'g Grants,
    needs: BTreeMap<String, Groups>,
}

/// A function that something is proposed for.
pub(super) struct Subject<'p> {
    /// As the project describes it.
    pub(super) function: &'p Function,
    /// The project's file.
    pub(super) manifest: &'p Source,
    /// Whether the last round called it.
    pub(super) called: bool,
}

/// What one function needs.
#[derive(Debug, Serialize)]
pub(super) struct Proposal {
    /// Its name.
    pub(super) function: String,
    /// Whether the last round called it; if not, it only showed what its import needs.
    pub(super) called: bool,
    /// The profile that it has now.
    pub(super) now: String,
    /// The groups that it needs, beside the core that every profile has.
    pub(super) needs: Vec<String>,
    /// The smallest granted profile that has them; null if there is none.
    pub(super) profile: Option<String>,
    /// Whether that profile has no group that is not needed.
    pub(super) exact: bool,
    /// What is denied all the same.
    pub(super) denied: Vec<StillDenied>,
}

/// A call that was denied in the last round.
#[derive(Debug, Serialize)]
pub(super) struct StillDenied {
    /// The call with its arguments.
    pub(super) call: String,
    /// How often it was made.
    pub(super) times: u64,
    /// Which rule denied it.
    pub(super) rule: String,
    /// Why that rule is there.
    pub(super) reason: String,
    /// What the function may do instead.
    pub(super) permitted_instead: String,
    /// Who could allow it: `nobody`, or `operator` where a profile could have its group and no granted
    /// one does.
    pub(super) allowed_by: &'static str,
}

impl<'g> Learned<'g> {
    /// Nothing yet: the core alone, and the network where a function has it. Its ports stand in the
    /// project's file beside the profile, so that it is asked for on purpose.
    pub(super) fn nothing(functions: &[Function], grants: &'g Grants) -> Learned<'g> {
        let start = |function: &Function| {
            let network = function.rights.groups.has(Group::Network);
            Groups::of(network.then_some(Group::Network))
        };
        let needs = functions
            .iter()
            .map(|function| (function.name.to_string(), start(function)))
            .collect();
        Learned { grants, needs }
    }

    /// What the function of this name gets in the next round.
    pub(super) fn groups(&self, function: &str) -> Groups {
        let known = self.needs.get(function);
        known.cloned().unwrap_or_else(|| Groups::of([]))
    }

    /// Gives what was denied and can be had; says whether there was something new.
    pub(super) fn take(&mut self, denials: &Denials) -> bool {
        let mut grown = false;
        for denial in &denials.records {
            let (Some(group), Some(has)) = (denial.missing_group, self.needs.get(&denial.function))
            else {
                continue;
            };
            let wider = with(has, group);
            // Without ports of the project's a network is none.
            if group != Group::Network && !has.has(group) && self.grantable(&wider) {
                self.needs.insert(denial.function.clone(), wider);
                grown = true;
            }
        }
        grown
    }

    /// Whether one granted profile has all of these: a function has one profile, not several.
    fn grantable(&self, groups: &Groups) -> bool {
        let mut granted = self.grants.profiles.iter();
        granted.any(|profile| groups.within(&profile.groups))
    }

    /// What to write for a function.
    pub(super) fn propose(&self, subject: &Subject<'_>, denials: &Denials) -> Proposal {
        let function = subject.function;
        let needs = self.groups(function.name.as_str());
        let fits = |name: &str| accepted(function, subject.manifest, self.grants, name);
        let smallest = self
            .grants
            .by_size()
            .into_iter()
            .find(|profile| needs.within(&profile.groups) && fits(&profile.name));
        let own = denials.records.iter();
        let own = own.filter(|denial| denial.function == function.name.as_str());
        Proposal {
            function: function.name.to_string(),
            called: subject.called,
            now: function.rights.profile.clone(),
            needs: needs
                .iter()
                .filter(|group| *group != Group::Core)
                .map(|group| group.to_string())
                .collect(),
            profile: smallest.map(|profile| profile.name.clone()),
            exact: smallest.is_some_and(|profile| profile.groups == needs),
            denied: own.map(still_denied).collect(),
        }
    }
}

fn with(groups: &Groups, group: Group) -> Groups {
    Groups::of(groups.iter().chain([group]))
}

fn still_denied(denial: &Denial) -> StillDenied {
    StillDenied {
        call: denial.shown(),
        times: denial.times,
        rule: denial.rule.clone(),
        reason: denial.reason.clone(),
        permitted_instead: denial.permitted_instead.clone(),
        allowed_by: match denial.missing_group {
            Some(_) => "operator",
            None => "nobody",
        },
    }
}

/// Whether the project's limits are within the ceilings of this profile.
fn accepted(function: &Function, manifest: &Source, grants: &Grants, profile: &str) -> bool {
    let Ok(name) = Name::try_from(profile) else {
        return false;
    };
    let asking = Function {
        profile: Some((name, Position { line: 1, column: 1 })),
        ..function.clone()
    };
    operator::resolve(grants, &mut [asking], manifest).is_empty()
}

/// Lines for `keylane.toml`: the functions whose profile is another than the one that they have.
pub(super) fn project_fragment(functions: &[Proposal]) -> String {
    let changed = functions.iter().filter_map(|proposal| {
        let profile = proposal.profile.as_ref()?;
        (*profile != proposal.now).then(|| {
            format!(
                "[functions.{}]\nprofile = \"{profile}\"\n",
                proposal.function
            )
        })
    });
    changed.collect::<Vec<_>>().join("\n")
}

/// Lines for a policy: a profile of exactly what is needed, for each set of groups that no granted
/// profile has exactly.
pub(super) fn policy_fragment(functions: &[Proposal]) -> String {
    let mut sets: BTreeMap<&[String], Vec<&str>> = BTreeMap::new();
    for proposal in functions {
        if !proposal.exact && !proposal.needs.is_empty() {
            sets.entry(&proposal.needs)
                .or_default()
                .push(&proposal.function);
        }
    }
    let fragments = (1..).zip(&sets).map(|(number, (groups, functions))| {
        let quoted: Vec<String> = groups.iter().map(|group| format!("\"{group}\"")).collect();
        format!(
            "[profile.{}]\nsummary = \"what learning found for {}\"\ngroups = [{}]\n",
            Some(groups.join("-"))
                .filter(|name| name.len() <= NAME_BYTES)
                .unwrap_or_else(|| format!("learned-{number}")),
            match functions.as_slice() {
                [one] => (*one).to_owned(),
                many => format!("{} functions", many.len()),
            },
            quoted.join(", ")
        )
    });
    fragments.collect::<Vec<_>>().join("\n")
}
