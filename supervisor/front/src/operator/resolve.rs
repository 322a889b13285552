//! What a project asks for against what the operator grants.

use super::network;
use crate::problem::Problem;
use crate::project::manifest::{Function, Rights};
use crate::project::quantity;
use crate::source::{Position, Source};
use crate::suggest;
use keylane_policy::profile::{Grants, Profile};

/// Gives each function the profile that it asks for, within the ceilings. A limit that nobody wrote is
/// lowered to its ceiling; one that the project wrote and that is higher is a problem.
pub fn resolve(grants: &Grants, functions: &mut [Function], manifest: &Source) -> Vec<Problem> {
    let mut problems = Vec::new();
    for function in functions {
        let asked = function.profile.as_ref();
        let name = asked.map(|(name, _)| name.as_str());
        match grants.grant(name) {
            Some(profile) => {
                problems.extend(limit(function, &profile, grants, manifest));
                problems.extend(network::ports(function, &profile, grants, manifest));
                let network = grants.network.as_ref();
                function.rights = Rights {
                    profile: profile.name,
                    groups: profile.groups,
                    unfiltered: network.is_some_and(|network| network.unfiltered),
                };
            }
            None => {
                let place = asked.map_or(function.declared, |(_, place)| *place);
                problems.push(not_granted(grants, function, place, manifest));
            }
        }
    }
    problems
}

fn not_granted(
    grants: &Grants,
    function: &Function,
    place: Position,
    manifest: &Source,
) -> Problem {
    let known: Vec<&str> = grants.profiles.iter().map(|p| p.name.as_str()).collect();
    let asked = function.profile.as_ref();
    let name = asked.map_or(grants.default.as_str(), |(name, _)| name.as_str());
    let message = format!(
        "function {}: profile {name:?} is not granted (by {})",
        function.name, grants.source
    );
    let advice = match suggest::nearest(name, known.iter().copied()) {
        Some(near) => format!("write `profile = \"{near}\"`, if that was meant"),
        None => format!(
            "ask for one of {}, or let the operator grant it",
            known.join(", ")
        ),
    };
    Problem::at(manifest, place, message).suggest(advice)
}

fn limit(
    function: &mut Function,
    profile: &Profile,
    grants: &Grants,
    manifest: &Source,
) -> Vec<Problem> {
    let name = function.name.clone();
    let written = function.written.clone();
    let ceilings = profile.ceilings;
    let count = |n: u64| n.to_string();
    let seconds = |ms: u64| format!("{} s", ms as f64 / 1000.0);
    type Show<'s> = &'s dyn Fn(u64) -> String;
    let table: [(&str, &mut u64, u64, Show<'_>); 7] = [
        (
            "memory",
            &mut function.memory,
            ceilings.memory,
            &quantity::show,
        ),
        (
            "processes",
            &mut function.processes,
            ceilings.processes,
            &count,
        ),
        (
            "descriptors",
            &mut function.descriptors,
            ceilings.descriptors,
            &count,
        ),
        ("cpu", &mut function.cpu, ceilings.cpu, &count),
        (
            "payload",
            &mut function.payload,
            ceilings.payload,
            &quantity::show,
        ),
        ("tmp", &mut function.tmp, ceilings.tmp, &quantity::show),
        (
            "timeout",
            &mut function.timeout_ms,
            ceilings.timeout_ms,
            &seconds,
        ),
    ];
    let mut problems = Vec::new();
    for (key, value, ceiling, show) in table {
        if *value <= ceiling {
            continue;
        }
        if let Some((_, place)) = written.iter().find(|(of, _)| *of == key) {
            let message = format!(
                "function {name}: `{key}` is {}, and with profile {:?} it may be {} (by {})",
                show(*value),
                profile.name,
                show(ceiling),
                grants.source
            );
            let advice = "ask for less, or let the operator raise the ceiling";
            problems.push(Problem::at(manifest, *place, message).suggest(advice));
        }
        *value = ceiling;
    }
    problems
}
