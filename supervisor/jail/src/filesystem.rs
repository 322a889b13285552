//! The Landlock ruleset (landlock(7)): what can be opened, and nothing else.
//!
//! All rights that ABI 2 knows (Linux 6.1) must be handled, or the step fails. What newer kernels
//! know on top (truncation, device ioctls, TCP, signals and abstract sockets of other domains) is
//! handled where the kernel has it; the filter does not rely on it.

use crate::step::{Step, StepError};
use crate::{Build, Plan};
use keylane_policy::profile::NETWORK_ABI;
use keylane_policy::syscall::{Job, Role};
use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, NetPort, PathBeneath, PathFd,
    Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetStatus, Scope,
};
use std::path::Path;

/// The program that the kernel opens for execution when it executes a dynamic program: the
/// System V ABI's name of the loader on x86_64.
const LOADER: &str = "/lib64/ld-linux-x86-64.so.2";
/// The only thing outside of a private /tmp that an instance may open for writing.
pub(crate) const NULL: &str = "/dev/null";

fn refused(cause: impl std::fmt::Display) -> StepError {
    StepError::refused(Step::Landlock, cause.to_string())
}

/// Rights that make sense for a file; the directory rights on a file are an error (EINVAL).
fn reading(path: &Path) -> landlock::BitFlags<AccessFs> {
    if path.is_dir() {
        AccessFs::ReadFile | AccessFs::ReadDir
    } else {
        AccessFs::ReadFile.into()
    }
}

fn open(path: &Path) -> Result<PathFd, StepError> {
    PathFd::new(path).map_err(|error| refused(format!("{}: {error}", path.display())))
}

/// Refuses a plan with a network whose ports nobody would keep it to.
pub(crate) fn check_ports(plan: &Plan, landlock_abi: u32) -> Result<(), StepError> {
    if !plan.networked() {
        return Ok(());
    }
    if plan.ports.is_empty() {
        return Err(refused("a network without a port"));
    }
    if landlock_abi < NETWORK_ABI && !plan.unfiltered {
        return Err(refused(format!(
            "Landlock ABI {landlock_abi} knows no ports, and the policy does not say `unfiltered`"
        )));
    }
    Ok(())
}

/// Builds the ruleset of `plan`, which may read what it names and, with a network, connect to its ports;
/// unless it is a lane, start the dynamic loader and write to /dev/null; as a build worker, what `build`
/// says.
pub(crate) fn prepare(plan: &Plan) -> Result<RulesetCreated, StepError> {
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V2))
        .map_err(refused)?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI::V6))
        .map_err(refused)?
        .handle_access(AccessNet::from_all(ABI::V6))
        .map_err(refused)?
        .scope(Scope::from_all(ABI::V6))
        .map_err(refused)?
        .create()
        .map_err(refused)?;
    if plan.networked() {
        for port in &plan.ports {
            // Below ABI 4 there is no such rule, and best effort leaves it out: nothing is handled then.
            ruleset = ruleset
                .add_rule(NetPort::new(*port, AccessNet::ConnectTcp))
                .map_err(|error| refused(format!("port {port}: {error}")))?;
        }
    }
    for path in &plan.readable {
        ruleset = ruleset
            .add_rule(PathBeneath::new(open(path)?, reading(path)))
            .map_err(|error| refused(format!("{}: {error}", path.display())))?;
    }
    if plan.role != Role::Lane {
        let loader = PathBeneath::new(
            open(Path::new(LOADER))?,
            AccessFs::ReadFile | AccessFs::Execute,
        );
        let null = PathBeneath::new(
            open(Path::new(NULL))?,
            AccessFs::ReadFile | AccessFs::WriteFile,
        );
        ruleset = ruleset
            .add_rule(loader)
            .and_then(|r| r.add_rule(null))
            .map_err(refused)?;
    }
    match &plan.build {
        Some(build) => allow_building(ruleset, build),
        None => Ok(ruleset),
    }
}

/// Allows a build worker its folder and its programs.
fn allow_building(mut ruleset: RulesetCreated, build: &Build) -> Result<RulesetCreated, StepError> {
    for path in &build.executable {
        let rights = reading(path) | AccessFs::Execute;
        ruleset = ruleset
            .add_rule(PathBeneath::new(open(path)?, rights))
            .map_err(|error| refused(format!("{}: {error}", path.display())))?;
    }
    ruleset = allow_writing(ruleset, &build.folder)?;
    if build.job == Job::Compile {
        ruleset = ruleset
            .add_rule(PathBeneath::new(open(&build.folder)?, AccessFs::Execute))
            .map_err(|error| refused(format!("{}: {error}", build.folder.display())))?;
    }
    Ok(ruleset)
}

/// Allows everything that ordinary files and folders need below `path`: not devices, sockets, FIFOs
/// or links, nor executing.
pub(crate) fn allow_writing(
    ruleset: RulesetCreated,
    path: &Path,
) -> Result<RulesetCreated, StepError> {
    let rights = AccessFs::ReadFile
        | AccessFs::ReadDir
        | AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::MakeReg
        | AccessFs::MakeDir
        | AccessFs::RemoveFile
        | AccessFs::RemoveDir
        | AccessFs::Refer;
    ruleset
        .add_rule(PathBeneath::new(open(path)?, rights))
        .map_err(|error| refused(format!("{}: {error}", path.display())))
}

/// Puts the ruleset into force for this process and all that it forks or executes.
pub(crate) fn restrict(ruleset: RulesetCreated) -> Result<(), StepError> {
    let status = ruleset.restrict_self().map_err(refused)?;
    if status.ruleset == RulesetStatus::NotEnforced || !status.no_new_privs {
        return Err(refused("the kernel did not enforce the ruleset"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use keylane_policy::syscall::{Group, Groups};
    use keylane_sys::jail::Limits;

    fn plan(group: Group, ports: &[u16], unfiltered: bool) -> Plan {
        Plan {
            role: Role::Instance,
            groups: Groups::of([group]),
            name: String::new(),
            user: None,
            namespaces: false,
            limits: Limits {
                memory: 0,
                processes: 0,
                descriptors: 0,
                file: 0,
            },
            readable: Vec::new(),
            directory: None,
            build: None,
            root: None,
            ports: ports.to_vec(),
            unfiltered,
        }
    }

    #[test]
    fn a_network_without_ports_is_refused_by_the_jail() {
        let refused = |plan: &Plan, abi| check_ports(plan, abi).is_err();
        let named = plan(Group::Network, &[443], false);
        assert!(refused(&named, 2) && refused(&named, 3));
        assert!(!refused(&named, 4) && !refused(&named, 7));
        let accepted = plan(Group::Network, &[443], true);
        assert!(!refused(&accepted, 2));
        let none = plan(Group::Network, &[], true);
        assert!(refused(&none, 2) && refused(&none, 7));
        assert!(!refused(&plan(Group::Files, &[], false), 2));
    }

    #[test]
    fn of_all_roles_only_instances_with_the_network_and_what_fetches_connect() {
        let networked = |role, group| {
            let named = plan(group, &[443], false);
            Plan { role, ..named }.networked()
        };
        for group in [Group::Network, Group::Files] {
            assert!(!networked(Role::Lane, group));
            assert!(!networked(Role::Builder(Job::Install), group));
            assert!(!networked(Role::Builder(Job::Compile), group));
            assert!(networked(Role::Builder(Job::Fetch), group));
            assert_eq!(networked(Role::Instance, group), group == Group::Network);
        }
    }
}
