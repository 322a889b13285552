//! What is proposed for which denials.

use super::propose::{Learned, Proposal, policy_fragment, project_fragment};
use crate::operator;
use crate::project::manifest::Manifest;
use crate::source::Source;
use keylane_policy::denial::{Denial, Denials, Notice, Pointed};
use keylane_policy::profile::Grants;
use keylane_policy::syscall::{self, Group, Groups, Scene};

const THREAD: (u32, [u64; 6]) = (56, [0x3D_0F00, 0, 0, 0, 0, 0]);
const EVENTFD: (u32, [u64; 6]) = (290, [0; 6]);
const PTRACE: (u32, [u64; 6]) = (101, [0; 6]);
const TCP: (u32, [u64; 6]) = (41, [2, 1, 0, 0, 0, 0]);

fn denials(calls: &[(u32, [u64; 6])]) -> Denials {
    let mut all = Denials::default();
    let scene = Scene {
        landlock_abi: 6,
        provisions: syscall::Provisions {
            writes: true,
            counted: false,
        },
    };
    for (number, arguments) in calls {
        let notice = Notice {
            number: *number,
            arguments: *arguments,
            pointed: Pointed::Nowhere,
        };
        all.add(Denial::of("f", &Groups::of([]), scene, &notice));
    }
    all
}

fn grants(policy: &str) -> Grants {
    let source = Source::from_bytes("policy.toml", policy.as_bytes().to_vec()).unwrap();
    operator::parse(&source).unwrap()
}

fn learned(grants: &Grants) -> Learned<'_> {
    let text = "[workflow]\nname = \"t\"\ndefinition = \"w\"\n[functions.f]\n\
                runtime = \"python3.11\"\npath = \"f\"\nhandler = \"f.handler\"\n";
    let source = Source::from_bytes("keylane.toml", text.as_bytes().to_vec()).unwrap();
    Learned::nothing(&Manifest::parse(&source).unwrap().functions, grants)
}

#[test]
fn what_was_denied_is_given_once_and_nobodys_calls_never() {
    let grants = operator::built_in().unwrap();
    let mut learned = learned(&grants);
    assert!(learned.take(&denials(&[THREAD, PTRACE])));
    assert_eq!(learned.groups("f"), Groups::of([Group::Threads]));
    assert!(!learned.take(&denials(&[THREAD, PTRACE])));
    assert!(learned.take(&denials(&[EVENTFD])));
    assert!(learned.groups("f").has(Group::Events));
    assert_eq!(learned.groups("stranger"), Groups::of([]));
}

#[test]
fn nothing_is_given_that_no_granted_profile_has_together() {
    let grants = grants(
        "profiles = [\"a\", \"b\"]\ndefault = \"a\"\n\
         [profile.a]\ngroups = [\"files\", \"threads\"]\n[profile.b]\ngroups = [\"events\"]\n",
    );
    let mut learned = learned(&grants);
    assert!(learned.take(&denials(&[THREAD, EVENTFD])));
    assert_eq!(learned.groups("f"), Groups::of([Group::Threads]));
    assert!(!learned.take(&denials(&[EVENTFD])));
}

#[test]
fn a_network_is_never_given_by_learning() {
    let grants = grants(
        "profiles = [\"python\", \"network\"]\n[network]\nports = [443]\naddresses = \"any\"\n",
    );
    let mut learned = learned(&grants);
    assert!(!learned.take(&denials(&[TCP])));
    assert_eq!(learned.groups("f"), Groups::of([]));
}

fn proposal(now: &str, profile: Option<&str>, exact: bool) -> Proposal {
    Proposal {
        function: "f".to_owned(),
        called: true,
        now: now.to_owned(),
        needs: vec!["files".to_owned(), "timers".to_owned()],
        profile: profile.map(str::to_owned),
        exact,
        denied: Vec::new(),
    }
}

#[test]
fn fragments_are_files_of_their_kind_and_empty_where_nothing_changes() {
    let change = [proposal("python", Some("numeric"), false)];
    let toml: toml::Table = project_fragment(&change).parse().unwrap();
    assert_eq!(toml["functions"]["f"]["profile"].as_str(), Some("numeric"));
    assert_eq!(
        project_fragment(&[proposal("python", Some("python"), true)]),
        ""
    );
    assert_eq!(
        policy_fragment(&[proposal("python", Some("python"), true)]),
        ""
    );
    let policy = format!(
        "profiles = [\"files-timers\"]\ndefault = \"files-timers\"\n{}",
        policy_fragment(&change)
    );
    let grants = grants(&policy);
    let wanted = Groups::of([Group::Files, Group::Timers]);
    assert_eq!(grants.grant(None).unwrap().groups, wanted);
}
