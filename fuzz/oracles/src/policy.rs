//! Policy files and what projects get of them: a text that is accepted grants what it names and nothing
//! above the highest limits, a text that is refused says where and what to do.

use crate::{Verdict, ensure};
use keylane_front::operator::{parse, resolve};
use keylane_front::problem::Problem;
use keylane_front::project::manifest::Manifest;
use keylane_front::source::Source;
use keylane_policy::profile::{BUILT_IN, Ceilings, Grants};
use keylane_policy::syscall::{Group, Groups};

/// A project whose function asks for each profile in turn, and for ports.
const PROJECT: &str = "[workflow]\nname = \"t\"\ndefinition = \"w\"\n[functions.f]\n\
                       runtime = \"python3.11\"\npath = \"f\"\nhandler = \"f.handler\"\n";

type Answer = Result<Grants, Vec<Problem>>;

/// The parser's answer; none where the bytes are no text that it would be given.
pub fn answer(data: &[u8]) -> Option<Answer> {
    let source = Source::from_bytes("policy.toml", data.to_vec()).ok()?;
    Some(parse(&source))
}

/// Checks the parser of policies, and what a project gets.
pub fn check(data: &[u8]) -> Verdict {
    let Some(answered) = answer(data) else {
        return Ok(());
    };
    let text = String::from_utf8_lossy(data);
    judge(&text, &answered)?;
    ensure(answer(data) == Some(answered.clone()), || {
        "another answer to the same text".to_owned()
    })?;
    let Ok(grants) = answered else {
        return Ok(());
    };
    let asked = grants.profiles.iter().map(|profile| profile.name.as_str());
    for profile in asked.chain(["python", "network", "nobody"]) {
        for ports in ["", "ports = [443]\n", "ports = [22, 443]\n"] {
            let given = given(&grants, profile, ports);
            judge_given(&grants, profile, given.as_ref())?;
        }
    }
    Ok(())
}

/// What a function that asks for `profile` gets: its groups and ports; none if it is refused.
fn given(grants: &Grants, profile: &str, ports: &str) -> Option<(Groups, Vec<u16>)> {
    let text = format!("{PROJECT}profile = \"{profile}\"\n{ports}");
    let source = Source::from_bytes("keylane.toml", text.into_bytes()).ok()?;
    let mut functions = Manifest::parse(&source).ok()?.functions;
    let problems = resolve(grants, &mut functions, &source);
    let function = functions.into_iter().next()?;
    problems
        .is_empty()
        .then_some((function.rights.groups, function.ports))
}

/// Judges the parser's answer to a text.
pub fn judge(text: &str, answer: &Answer) -> Verdict {
    let grants = match answer {
        Ok(grants) => grants,
        Err(problems) => return judge_problems(text, problems),
    };
    let say = |why: &str| why.to_owned();
    ensure(!grants.profiles.is_empty(), || say("nothing is granted"))?;
    ensure(grants.grant(None).is_some(), || {
        say("the default is not granted")
    })?;
    let most = Ceilings::default();
    for profile in &grants.profiles {
        // Letters of a name may be written as escapes.
        let named = text.contains(&profile.name) || text.contains('\\');
        ensure(named, || say("a profile that nobody named"))?;
        let built_in = BUILT_IN.iter().any(|(name, _)| *name == profile.name);
        for group in profile.groups.iter().filter(|group| *group != Group::Core) {
            let named = built_in || text.contains(&group.to_string()) || text.contains('\\');
            ensure(named, || format!("the group {group}, which nobody named"))?;
        }
        let lower = profile.ceilings.lower(grants.ceilings);
        ensure(lower == lower.lower(most), || {
            say("a ceiling above the highest")
        })?;
    }
    let wanted = grants
        .profiles
        .iter()
        .any(|profile| profile.groups.has(Group::Network));
    ensure(wanted == grants.network.is_some(), || {
        say("a network without the operator's word, or a word without a network")
    })?;
    let network = grants.network.as_ref();
    ensure(network.is_none_or(|n| !n.ports.is_empty()), || {
        say("a network without ports")
    })?;
    ensure(network.is_none_or(|n| !n.ports.contains(&0)), || {
        say("port 0")
    })
}

fn judge_problems(text: &str, problems: &[Problem]) -> Verdict {
    ensure(!problems.is_empty(), || "refused without a word".to_owned())?;
    let lines = text.split('\n').count();
    for problem in problems {
        let there = problem.line.is_none_or(|line| (1..=lines).contains(&line));
        ensure(there, || format!("no such line: {problem:?}"))?;
        ensure(problem.suggestion.is_some(), || {
            format!("no advice: {problem:?}")
        })?;
        let paints = problem
            .human()
            .contains(|c: char| c.is_control() && c != '\n');
        ensure(!paints, || format!("it paints: {problem:?}"))?;
    }
    Ok(())
}

/// Judges what a function got that asked for `profile`.
pub fn judge_given(grants: &Grants, profile: &str, given: Option<&(Groups, Vec<u16>)>) -> Verdict {
    let Some((groups, ports)) = given else {
        return Ok(());
    };
    let granted = grants.profiles.iter().find(|one| one.name == profile);
    ensure(
        granted.is_some_and(|one| groups.within(&one.groups)),
        || format!("{profile} gave groups that it was not granted"),
    )?;
    let allowed = grants.network.as_ref().map_or(&[][..], |n| &n.ports);
    ensure(ports.iter().all(|port| allowed.contains(port)), || {
        format!("{profile} gave a port that nobody allowed")
    })?;
    ensure(groups.has(Group::Network) != ports.is_empty(), || {
        format!("{profile} gave a network without ports, or ports without one")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NETWORK: &str =
        "profiles = [\"python\", \"network\"]\n[network]\nports = [443]\naddresses = \"any\"\n";

    fn grants(text: &str) -> Grants {
        answer(text.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn parsers_with_planted_mistakes_are_found_out() {
        let good = grants(NETWORK);
        assert_eq!(judge(NETWORK, &Ok(good.clone())), Ok(()));
        let with = |change: &dyn Fn(&mut Grants)| {
            let mut grants = good.clone();
            change(&mut grants);
            judge(NETWORK, &Ok(grants))
        };
        assert!(with(&|g| g.network = None).is_err());
        assert!(with(&|g| g.profiles.clear()).is_err());
        assert!(with(&|g| g.default = "numeric".to_owned()).is_err());
        assert!(with(&|g| g.profiles[0].name = "stranger".to_owned()).is_err());
        assert!(with(&|g| g.ceilings.processes = u64::MAX).is_ok());
        assert!(
            with(&|g| {
                g.ceilings.processes = u64::MAX;
                g.profiles[0].ceilings.processes = u64::MAX;
            })
            .is_err()
        );
        assert!(with(&|g| g.network.as_mut().unwrap().ports.clear()).is_err());
        assert!(judge("", &Err(Vec::new())).is_err());
    }

    #[test]
    fn a_resolver_that_gives_too_much_is_found_out() {
        let grants = grants(NETWORK);
        let got = given(&grants, "network", "ports = [443]\n");
        assert!(got.is_some(), "control");
        assert_eq!(judge_given(&grants, "network", got.as_ref()), Ok(()));
        let all = Groups::all();
        assert!(judge_given(&grants, "python", Some(&(all.clone(), vec![443]))).is_err());
        assert!(judge_given(&grants, "nobody", Some(&(Groups::of([]), vec![]))).is_err());
        assert!(judge_given(&grants, "network", Some(&(all.clone(), vec![22]))).is_err());
        assert!(judge_given(&grants, "network", Some(&(all, vec![]))).is_err());
    }
}
