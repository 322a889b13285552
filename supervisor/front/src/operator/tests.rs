//! What a policy grants, and where a wrong one is wrong.

use super::*;
use crate::project::manifest::Manifest;
use keylane_policy::profile::BUILT_IN;
use keylane_policy::syscall::{Group, Groups};

fn grants(text: &str) -> Result<Grants, String> {
    let source = Source::from_bytes("policy.toml", text.as_bytes().to_vec()).unwrap();
    parse(&source).map_err(|problems| problems.iter().map(Problem::human).collect())
}

#[test]
fn the_built_in_profiles_are_in_order_and_without_a_policy_nobody_has_a_network() {
    let grants = built_in().unwrap();
    let (network, others) = BUILT_IN.split_last().unwrap();
    assert_eq!(network.0, "network");
    assert_eq!(grants.profiles.len(), others.len());
    for (profile, (name, _)) in grants.profiles.iter().zip(BUILT_IN) {
        assert_eq!(profile.name, *name);
        assert!(profile.summary.len() > 10);
        assert!(!profile.groups.has(Group::Network), "{name}");
    }
    let python = grants.grant(None).unwrap().groups;
    let and_network = Groups::of(python.iter().chain([Group::Network]));
    assert_eq!(and_network, Groups::all());
    let by_size: Vec<&str> = grants.by_size().iter().map(|p| p.name.as_str()).collect();
    assert_eq!(by_size, ["compute", "numeric", "python"]);
    for pair in grants.by_size().windows(2) {
        assert!(pair[0].groups.within(&pair[1].groups));
    }
}

#[test]
fn an_operator_grants_lowers_and_makes_profiles() {
    let grants = grants(
        "profiles = [\"compute\", \"mine\"]\ndefault = \"mine\"\n[ceilings]\nmemory = \"1GiB\"\n\
         [profile.mine]\ngroups = [\"files\", \"events\"]\n[profile.mine.ceilings]\nprocesses = 8\n",
    )
    .unwrap();
    let mine = grants.grant(None).unwrap();
    assert_eq!(
        (mine.ceilings.memory, mine.ceilings.processes),
        (1 << 30, 8)
    );
    assert_eq!(grants.grant(Some("python")), None);
    assert_eq!(
        grants.grant(Some("compute")).unwrap().ceilings.processes,
        64
    );
}

const NETWORK: &str =
    "profiles = [\"python\", \"network\"]\n[network]\nports = [53, 443]\naddresses = \"any\"\n";

#[test]
fn a_network_is_what_operator_and_project_both_name() {
    let grants = grants(NETWORK).unwrap();
    assert_eq!(grants.network.as_ref().unwrap().ports, [53, 443]);
    assert!(!grants.network.as_ref().unwrap().unfiltered);
    for (lines, problem) in [
        ("profile = \"network\"\nports = [443]\n", None),
        ("profile = \"network\"\nports = [53, 443]\n", None),
        (
            "profile = \"network\"\nports = [22, 443]\n",
            Some("port 22 is not allowed"),
        ),
        ("profile = \"network\"\n", Some("no `ports` are named")),
        ("ports = [443]\n", Some("`ports` without a network")),
        (
            "profile = \"python\"\nports = [443]\n",
            Some("`ports` without a network"),
        ),
    ] {
        let (mut functions, manifest) = functions(lines);
        let found = resolve(&grants, &mut functions, &manifest);
        match problem {
            None => assert!(found.is_empty(), "{lines}: {found:?}"),
            Some(word) => assert!(found[0].message.contains(word), "{lines}: {found:?}"),
        }
    }
}

fn functions(lines: &str) -> (Vec<crate::project::manifest::Function>, Source) {
    let text = format!(
        "[workflow]\nname = \"t\"\ndefinition = \"w\"\n[functions.f]\nruntime = \"python3.11\"\n\
         path = \"f\"\nhandler = \"f.handler\"\n{lines}"
    );
    let source = Source::from_bytes("keylane.toml", text.into_bytes()).unwrap();
    (Manifest::parse(&source).unwrap().functions, source)
}

#[test]
fn every_mistake_has_its_place_and_says_what_to_do() {
    for (text, place, word) in [
        (
            "profiles = [\"python\", \"network\"]\n",
            "policy.toml",
            "does not say which ports",
        ),
        (
            "profiles = [\"python\"]\n[network]\nports = [1]\naddresses = \"any\"\n",
            "policy.toml:2:1",
            "no profile of `profiles` has the network",
        ),
        (
            "profiles = [\"python\", \"network\"]\n[network]\nports = [443]\n",
            "policy.toml:2:1",
            "addresses",
        ),
        (
            "profiles = [\"python\", \"network\"]\n[network]\nports = [0]\naddresses = \"any\"\n",
            "policy.toml:3:10",
            "between 1 and 65535",
        ),
        (
            "profiles = [\"python\", \"network\"]\n[network]\nports = []\naddresses = \"any\"\n",
            "policy.toml:3:9",
            "empty list",
        ),
        ("", "policy.toml", "has no `profiles`"),
        ("profiles = []\n", "policy.toml:1:12", "empty list"),
        (
            "profiles = [\"pyhton\"]\n",
            "policy.toml:1:12",
            "write `python`",
        ),
        (
            "profiles = [\"python\", \"python\"]\n",
            "policy.toml:1:12",
            "twice",
        ),
        (
            "profiles = \"python\"\n",
            "policy.toml:1:12",
            "a list of texts",
        ),
        ("profiles = [\"compute\"]\n", "policy.toml", "add `default"),
        (
            "profiles = [\"python\"]\ndefault = \"compute\"\n",
            "policy.toml:2:11",
            "does not name",
        ),
        (
            "profiles = [\"python\"]\nprofiles = [\"python\"]\n",
            "policy.toml:2:1",
            "duplicate key",
        ),
        (
            "profiles = [\"python\"]\nceiling = 1\n",
            "policy.toml:2:1",
            "write `ceilings`",
        ),
        (
            "profiles = [\"python\"]\n[ceilings]\n",
            "policy.toml:2",
            "is empty",
        ),
        (
            "profiles = [\"python\"]\n[ceilings]\nmemory = \"1PiB\"\n",
            "policy.toml:3:10",
            "amount",
        ),
        (
            "profiles = [\"python\"]\n[ceilings]\nprocesses = 1\n",
            "policy.toml:3:13",
            "choose between",
        ),
        (
            "profiles = [\"python\"]\n[profile]\n",
            "policy.toml:2",
            "is empty",
        ),
        (
            "profiles = [\"x\"]\n[profile.x]\n",
            "policy.toml:2:10",
            "has no `groups`",
        ),
        (
            "profiles = [\"x\"]\n[profile.x]\ngroups = []\n",
            "policy.toml:3:10",
            "empty list",
        ),
        (
            "profiles = [\"x\"]\n[profile.x]\ngroups = [\"fils\"]\n",
            "policy.toml:3:10",
            "write `files`",
        ),
        (
            "profiles = [\"python\"]\n[profile.python]\ngroups = [\"files\"]\n",
            "policy.toml:2:10",
            "built in",
        ),
        (
            "profiles = [\"python\"]\n[profile.\"a b\"]\ngroups = [\"files\"]\n",
            "policy.toml:2:10",
            "character",
        ),
    ] {
        let told = grants(text).expect_err(text);
        assert!(
            told.contains(place) && told.contains(word),
            "{text}: {told}"
        );
        assert!(told.contains("what to do"), "{text}: {told}");
    }
}

fn resolved(policy: &str, function: &str) -> Result<(String, u64), String> {
    let text = format!(
        "[workflow]\nname = \"t\"\ndefinition = \"w.json\"\n[functions.f]\nruntime = \"python3.11\"\n\
         path = \"f\"\nhandler = \"f.handler\"\n{function}"
    );
    let source = Source::from_bytes("keylane.toml", text.into_bytes()).unwrap();
    let mut manifest = Manifest::parse(&source).unwrap();
    let function = &manifest.functions[0];
    assert_eq!(
        function.rights.groups,
        Groups::of([]),
        "granted by being asked for"
    );
    let problems = resolve(&grants(policy).unwrap(), &mut manifest.functions, &source);
    let function = &manifest.functions[0];
    match problems.is_empty() {
        true => Ok((function.rights.profile.clone(), function.processes)),
        false => Err(problems.iter().map(Problem::human).collect()),
    }
}

#[test]
fn a_project_gets_what_the_operator_grants_and_no_more() {
    let policy = "profiles = [\"compute\"]\ndefault = \"compute\"\n";
    assert_eq!(resolved(policy, ""), Ok(("compute".to_owned(), 64)));
    let told = resolved(policy, "profile = \"python\"\n").unwrap_err();
    assert!(
        told.contains("keylane.toml:8:11") && told.contains("not granted"),
        "{told}"
    );
    assert!(told.contains("policy.toml"), "{told}");
    let told = resolved(policy, "profile = \"comput\"\n").unwrap_err();
    assert!(told.contains("`profile = \"compute\"`"), "{told}");
    let told = resolved(policy, "processes = 100\n").unwrap_err();
    assert!(
        told.contains("keylane.toml:8:13") && told.contains("may be 64"),
        "{told}"
    );
    assert_eq!(
        resolved(policy, "processes = 16\n"),
        Ok(("compute".to_owned(), 16))
    );
}

#[test]
fn a_file_that_is_not_there_is_refused_and_not_taken_for_none() {
    assert!(load(Some(Path::new("/nonexistent/policy.toml"))).is_err());
    assert!(load(Some(Path::new("/dev/null"))).is_err());
    assert!(load(Some(Path::new("/"))).is_err());
}

/// What must hold of any answer to any text.
fn judge(text: &str, answer: &Result<Grants, Vec<Problem>>) -> Result<(), String> {
    let ensure = |holds: bool, why: &str| holds.then_some(()).ok_or_else(|| why.to_owned());
    match answer {
        Ok(grants) => {
            ensure(!grants.profiles.is_empty(), "nothing is granted")?;
            ensure(grants.grant(None).is_some(), "the default is not granted")?;
            let most = keylane_policy::profile::Ceilings::default();
            for profile in &grants.profiles {
                ensure(text.contains(&profile.name), "a profile that nobody named")?;
                let lower = profile.ceilings.lower(grants.ceilings);
                ensure(lower == lower.lower(most), "a ceiling above the highest")?;
            }
            Ok(())
        }
        Err(problems) => {
            ensure(!problems.is_empty(), "refused without a word")?;
            for problem in problems {
                let lines = text.split('\n').count();
                ensure(
                    problem.line.is_none_or(|l| (1..=lines).contains(&l)),
                    "no such line",
                )?;
                ensure(problem.suggestion.is_some(), "no advice")?;
                let shown = problem.human();
                ensure(
                    !shown.contains(|c: char| c.is_control() && c != '\n'),
                    "it paints",
                )?;
            }
            Ok(())
        }
    }
}

const SEEDS: [&str; 4] = [
    "profiles = [\"compute\", \"mine\"]\ndefault = \"mine\"\n[ceilings]\nmemory = \"1GiB\"\ntimeout = 0.5\n\
     [profile.mine]\nsummary = \"x\"\ngroups = [\"files\", \"events\"]\n[profile.mine.ceilings]\nprocesses = 8\n",
    "profiles = [\"python\"]\n",
    "profiles = [\"numeric\", \"python\"]\n[ceilings]\ntmp = 0\npayload = 65536\ndescriptors = 0x40\n",
    "profiles = []\ndefault = 1\nprofile = { a = 2 }\nceilings = [[]]\n",
];

#[test]
fn three_thousand_broken_policies_are_answered_with_sense() {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below.max(1) as u64).unwrap()
    };
    let pieces = [
        "\"",
        "[",
        "]",
        "=",
        "\n",
        "\u{1b}",
        "é",
        "[profile.x]",
        "groups",
        "0",
        ".",
        "#",
    ];
    let (mut passed, mut refused) = (0, 0);
    for round in 0..3000 {
        let mut text: Vec<char> = SEEDS[round % SEEDS.len()].chars().collect();
        for _ in 0..random(4) {
            let at = random(text.len());
            match random(4) {
                0 => drop(text.drain(at..(at + random(9)).min(text.len()))),
                1 => text
                    .splice(at..at, pieces[random(pieces.len())].chars())
                    .for_each(drop),
                2 => text.truncate(at),
                _ => {
                    let copy: Vec<char> = text.iter().copied().skip(at).take(random(40)).collect();
                    let to = random(text.len());
                    text.splice(to..to, copy).for_each(drop);
                }
            }
        }
        let text: String = text.into_iter().collect();
        let source = Source::from_bytes("policy.toml", text.clone().into_bytes()).unwrap();
        let answer = parse(&source);
        judge(&text, &answer).unwrap_or_else(|why| panic!("{why}: {text:?}: {answer:?}"));
        match answer {
            Ok(_) => passed += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(
        passed > 200 && refused > 1000,
        "{passed} passed, {refused} refused"
    );
}

#[test]
fn a_wrong_answer_would_be_noticed() {
    let good = grants(SEEDS[0]).unwrap();
    assert_eq!(judge(SEEDS[0], &Ok(good.clone())), Ok(()));
    let with = |change: &dyn Fn(&mut Grants)| {
        let mut wrong = good.clone();
        change(&mut wrong);
        judge(SEEDS[0], &Ok(wrong))
    };
    assert!(with(&|g| g.profiles.clear()).is_err());
    assert!(with(&|g| g.default = "python".to_owned()).is_err());
    assert!(with(&|g| g.profiles[0].name = "another".to_owned()).is_err());
    assert!(judge(SEEDS[0], &Err(Vec::new())).is_err());
    let problem = Problem::file("policy.toml", "x");
    assert!(judge(SEEDS[0], &Err(vec![problem])).is_err());
}
