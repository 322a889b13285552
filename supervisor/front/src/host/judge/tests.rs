//! Verdicts on hosts that lack one thing each.

use super::*;
use keylane_policy::blame::{Blame, Failure};

fn debian_12() -> Facts {
    Facts {
        machine: "x86_64".into(),
        release: "6.1.0-37-amd64".into(),
        cores: 2,
        landlock: Ok(2),
        seccomp: Ok(()),
        no_new_privs: true,
        outer_filter: false,
        namespaces: Ok(()),
        listener: Ok(()),
        mounts: Ok(()),
        cgroups: Cgroups::Unified(vec!["memory".into(), "pids".into()]),
        groups: Ok(true),
        sealing: Ok(()),
        pku: false,
        domains: Err("no protection keys".to_owned()),
        python: Ok(()),
        temporary: Ok("/tmp".into()),
    }
}

fn named<'d>(diagnosis: &'d Diagnosis, name: &str) -> &'d Check {
    diagnosis
        .checks
        .iter()
        .find(|check| check.name == name)
        .unwrap()
}

#[test]
fn debian_12_is_fit_for_process_with_landlocks_scopes_substituted() {
    let diagnosis = judge(&debian_12());
    assert!(diagnosis.process.fit, "{diagnosis:#?}");
    let landlock = named(&diagnosis, "Landlock");
    assert_eq!(landlock.standing, Standing::Substituted);
    assert!(landlock.instead.as_deref().unwrap().contains("lost:"));
}

#[test]
fn each_needed_point_alone_makes_the_host_unfit_and_says_what_to_do() {
    let failure = || Failure::new(Blame::Host, "x", "y").advise("z");
    type Break<'b> = (&'b str, Box<dyn Fn(&mut Facts) + 'b>);
    let breaks: Vec<Break<'_>> = vec![
        ("processor", Box::new(|f| f.machine = "aarch64".into())),
        (
            "kernel",
            Box::new(|f| f.release = "5.15.0-91-generic".into()),
        ),
        ("kernel", Box::new(|f| f.release = String::new())),
        ("Landlock", Box::new(|f| f.landlock = Ok(1))),
        ("Landlock", Box::new(|f| f.landlock = Err("ENOSYS".into()))),
        ("seccomp", Box::new(|f| f.seccomp = Err("EINVAL".into()))),
        ("no_new_privs", Box::new(|f| f.no_new_privs = false)),
        (
            "sealed memory",
            Box::new(|f| f.sealing = Err("EPERM".into())),
        ),
        (
            "temporary folder",
            Box::new(|f| f.temporary = Err(failure())),
        ),
    ];
    for (name, break_it) in breaks {
        let mut facts = debian_12();
        break_it(&mut facts);
        let diagnosis = judge(&facts);
        assert!(!diagnosis.process.fit, "{name}");
        assert_eq!(diagnosis.process.reasons.len(), 1, "{name}");
        assert!(
            diagnosis.process.reasons[0].starts_with(name),
            "{diagnosis:#?}"
        );
        assert!(named(&diagnosis, name).advice.is_some(), "{name}");
    }
}

#[test]
fn a_host_without_python_is_fit_and_is_told_how_to_get_it() {
    let mut facts = debian_12();
    facts.python = Err(Failure::new(Blame::Host, "x", "y").advise("z"));
    let diagnosis = judge(&facts);
    assert!(diagnosis.process.fit, "{diagnosis:#?}");
    let python = named(&diagnosis, "python3.11");
    assert_eq!(python.standing, Standing::Missing);
    assert_eq!(python.advice.as_deref(), Some("z"));
}

#[test]
fn what_only_strengthens_the_jail_is_substituted_and_says_what_is_lost() {
    let mut facts = debian_12();
    facts.namespaces = Err("EPERM".into());
    facts.mounts = Err("EPERM".into());
    facts.cgroups = Cgroups::Split;
    facts.groups = Err("none".into());
    facts.listener = Err("EBUSY".into());
    let diagnosis = judge(&facts);
    assert!(diagnosis.process.fit);
    for name in [
        "namespaces",
        "mounts",
        "cgroups",
        "processors",
        "denied calls",
    ] {
        let check = named(&diagnosis, name);
        assert_eq!(check.standing, Standing::Substituted);
        assert!(
            check.instead.as_deref().unwrap().contains("lost:"),
            "{name}"
        );
    }
}

#[test]
fn mpk_is_never_promised_by_a_version_that_lacks_it() {
    let perfect = judge_mpk(true, "6.18.1");
    assert!(!perfect.fit);
    assert_eq!(perfect.reasons, ["it is not built yet in this version"]);
    assert_eq!(judge_mpk(false, "6.1.0").reasons.len(), 3);
}

#[test]
fn a_failed_trial_of_domains_is_a_reason_where_there_are_keys() {
    let mut facts = debian_12();
    facts.pku = true;
    facts.domains = Err("the kernel wrote where it must not".to_owned());
    let failed = judge(&facts);
    assert!(
        failed
            .mpk
            .reasons
            .iter()
            .any(|reason| reason.contains("must not"))
    );
    assert_eq!(named(&failed, "domains").standing, Standing::Missing);
    facts.domains = Ok(15);
    let passed = judge(&facts);
    assert!(
        !passed
            .mpk
            .reasons
            .iter()
            .any(|reason| reason.contains("trial"))
    );
    assert_eq!(named(&passed, "domains").standing, Standing::Ok);
    assert!(!passed.mpk.fit && passed.process.fit);
}
