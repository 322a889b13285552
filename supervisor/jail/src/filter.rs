//! System call filters, compiled by seccompiler from the table in `policy/`.
//!
//! A role has several filters, because seccompiler gives a filter one answer for what it refuses: one
//! for each error number with which the table answers, which passes the rest; and the allow-list,
//! which passes the table's calls and refuses the rest. The kernel runs all and takes the strictest
//! answer (seccomp(2)). A call of another architecture ends the process (seccompiler's prologue); x32
//! calls carry bit 30 in their number, so no row matches them.
//!
//! Where the host has listeners, an instance's allow-list does not answer EPERM itself: it tells the
//! spawner, which does (seccomp_unotify(2)). seccompiler cannot say so; its program is compiled with
//! another refusing answer in that place, which is then replaced. Whoever closes the listener makes
//! every such call fail with ENOSYS: it is refused in any case. The listener exists only once the
//! allow-list is in force, which has to pass two calls that send it and install one filter more;
//! that last filter refuses exactly these two ([`keylane_policy::syscall::PASSING_ON`]).

use crate::step::{Step, StepError};
use keylane_policy::syscall::table::{TABLE, TRUNCATING};
use keylane_policy::syscall::{
    Condition, Groups, Job, O_TRUNC, PASSING_ON, Provisions, Role, Row, Rule, Test, Width,
    building, serves_instance,
};
use keylane_sys::denied::{self, Instruction};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};
use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;

const EPERM: u32 = 1;
/// Stands in a compiled program where the kernel is to tell: SECCOMP_RET_TRACE, which nothing of ours
/// uses and which refuses where nobody traces (ENOSYS).
const PLACEHOLDER: u32 = 0x4B4C;
const RET_TRACE: u32 = 0x7ff0_0000;
/// BPF_RET | BPF_K (linux/filter.h).
const RETURN: u16 = 0x06;

fn refused(cause: impl std::fmt::Display) -> StepError {
    StepError::refused(Step::Seccomp, cause.to_string())
}

type Program = Vec<Instruction>;

/// The filters of one process, in the order in which they are installed.
#[derive(Clone, Debug)]
pub(crate) struct Stack {
    /// Those that answer single calls.
    answers: Vec<Program>,
    /// The allow-list.
    allowed: Program,
    /// What is installed after the listener was passed on, if the allow-list tells.
    seal: Option<Program>,
}

impl Stack {
    /// Installs them. `pass_on` sends the listener to where it is read.
    pub(crate) fn install(
        &self,
        pass_on: impl Fn(OwnedFd) -> io::Result<()>,
    ) -> Result<(), StepError> {
        for program in &self.answers {
            denied::filter(program).map_err(refused)?;
        }
        let Some(seal) = &self.seal else {
            return denied::filter(&self.allowed).map_err(refused);
        };
        let listener = denied::filter_with_listener(&self.allowed).map_err(refused)?;
        pass_on(listener).map_err(|error| refused(format!("passing the listener on: {error}")))?;
        denied::filter(seal).map_err(refused)
    }
}

/// The compiled filters of lanes and of every profile that was asked for, with a private /tmp and
/// without.
#[derive(Clone, Debug)]
pub struct Filters {
    landlock_abi: u32,
    telling: bool,
    lane: Stack,
    instances: BTreeMap<(Groups, Provisions), Stack>,
    builders: BTreeMap<Job, Stack>,
}

impl Filters {
    /// Compiles the table for a kernel with this Landlock ABI; `telling` if instances' denied calls
    /// are to be told to a listener.
    pub fn compile(landlock_abi: u32, telling: bool) -> Result<Filters, StepError> {
        Ok(Filters {
            landlock_abi,
            telling,
            lane: stack(|row| row.lane, landlock_abi, Provisions::default(), false)?,
            instances: BTreeMap::new(),
            builders: BTreeMap::new(),
        })
    }

    /// The Landlock ABI of the kernel that they are for.
    pub(crate) fn landlock_abi(&self) -> u32 {
        self.landlock_abi
    }

    /// Compiles the filters of a build worker's job, once. They refuse by themselves: nobody listens.
    pub fn prepare_builder(&mut self, job: Job) -> Result<(), StepError> {
        // It writes to its folder, whose files nobody else has: truncating needs no guard where all
        // other mounts are read-only or all other files another user's, which the caller sees to.
        let rules = building::rules(job).into_iter();
        let rows = rules.map(|(number, name, rule)| (number, name, Some(rule)));
        let stack = compile_stack(rows, self.landlock_abi, building::PROVISIONS, false)?;
        self.builders.insert(job, stack);
        Ok(())
    }

    /// Compiles the filters of instances whose profile has `groups` and that have `provisions`, once.
    pub fn prepare(&mut self, groups: &Groups, provisions: Provisions) -> Result<(), StepError> {
        let key = (groups.clone(), provisions);
        if !self.instances.contains_key(&key) {
            let granted = |row: &Row| {
                let served = serves_instance(row, provisions);
                served.then(|| row.granted(groups)).flatten()
            };
            let stack = stack(granted, self.landlock_abi, provisions, self.telling)?;
            self.instances.insert(key, stack);
        }
        Ok(())
    }

    /// The filters of a lane, or of an instance with `groups` and `provisions`, which were prepared.
    pub(crate) fn of(
        &self,
        role: Role,
        groups: &Groups,
        provisions: Provisions,
    ) -> Result<&Stack, StepError> {
        match role {
            Role::Lane => Ok(&self.lane),
            Role::Builder(job) => self
                .builders
                .get(&job)
                .ok_or_else(|| refused("there is no filter to install")),
            Role::Instance => self
                .instances
                .get(&(groups.clone(), provisions))
                .ok_or_else(|| refused("there is no filter to install")),
        }
    }
}

/// The filters for the rules that `rule` chooses.
fn stack(
    rule: impl Fn(&Row) -> Option<Rule>,
    landlock_abi: u32,
    provisions: Provisions,
    telling: bool,
) -> Result<Stack, StepError> {
    let rows = TABLE.iter().map(|row| (row.number, row.name, rule(row)));
    compile_stack(rows, landlock_abi, provisions, telling)
}

/// The filters for rules by number and name of a call.
fn compile_stack(
    rows: impl Iterator<Item = (u16, &'static str, Option<Rule>)>,
    landlock_abi: u32,
    provisions: Provisions,
    telling: bool,
) -> Result<Stack, StepError> {
    let mut answers: BTreeMap<u16, BTreeMap<i64, Vec<SeccompRule>>> = BTreeMap::new();
    let mut allowed: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for (number, name, rule) in rows {
        let number = i64::from(number);
        match rule {
            None => {}
            Some(Rule::Answer(errno)) => {
                answers.entry(errno).or_default().insert(number, Vec::new());
                // Passed here, so that the other filter's answer is the one that counts.
                allowed.insert(number, Vec::new());
            }
            Some(rule) => {
                allowed.insert(number, rules(name, rule, landlock_abi, provisions)?);
            }
        }
    }
    let answers = answers
        .into_iter()
        .map(|(errno, rules)| {
            let answer = SeccompAction::Errno(u32::from(errno));
            compile(rules, SeccompAction::Allow, answer)
        })
        .collect::<Result<_, _>>()?;
    if !telling {
        let refuse = SeccompAction::Errno(EPERM);
        return Ok(Stack {
            answers,
            allowed: compile(allowed, refuse, SeccompAction::Allow)?,
            seal: None,
        });
    }
    let passing_on = passing_on()?;
    for (number, rule) in &passing_on {
        if allowed.insert(*number, rule.clone()).is_some() {
            return Err(refused(format!(
                "call {number} is open to instances already"
            )));
        }
    }
    let told = SeccompAction::Trace(PLACEHOLDER);
    Ok(Stack {
        answers,
        allowed: tell(compile(allowed, told, SeccompAction::Allow)?)?,
        seal: Some(compile(
            passing_on,
            SeccompAction::Allow,
            SeccompAction::Errno(EPERM),
        )?),
    })
}

/// The two calls between the listener and the last filter.
fn passing_on() -> Result<BTreeMap<i64, Vec<SeccompRule>>, StepError> {
    PASSING_ON
        .iter()
        .map(|(number, conditions)| {
            let rule = conditions
                .iter()
                .copied()
                .map(condition)
                .collect::<Result<_, _>>()?;
            let rule = SeccompRule::new(rule).map_err(refused)?;
            Ok((i64::from(*number), vec![rule]))
        })
        .collect()
}

/// The program with its placeholder replaced by the answer that tells.
fn tell(mut program: Program) -> Result<Program, StepError> {
    let mut replaced = 0usize;
    for (code, _, _, value) in &mut program {
        if *code == RETURN && *value == RET_TRACE | PLACEHOLDER {
            *value = denied::TELL;
            replaced = replaced.saturating_add(1);
        }
    }
    if replaced == 0 {
        return Err(refused("the compiled filter has no place that tells"));
    }
    Ok(program)
}

fn compile(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    otherwise: SeccompAction,
    matched: SeccompAction,
) -> Result<Program, StepError> {
    if rules.is_empty() {
        return Err(refused("a filter without rules"));
    }
    let filter =
        SeccompFilter::new(rules, otherwise, matched, TargetArch::x86_64).map_err(refused)?;
    let program = BpfProgram::try_from(filter).map_err(refused)?;
    Ok(program
        .into_iter()
        .map(|one| (one.code, one.jt, one.jf, one.k))
        .collect())
}

/// seccompiler's rules for one row: any of them may match; none means that every call matches.
fn rules(
    name: &str,
    rule: Rule,
    landlock_abi: u32,
    provisions: Provisions,
) -> Result<Vec<SeccompRule>, StepError> {
    if keylane_policy::syscall::needs_truncation_guard(landlock_abi, provisions)
        && let Some(&(_, argument)) = TRUNCATING.iter().find(|(known, _)| *known == name)
    {
        let guard = Condition {
            argument,
            width: Width::Int,
            test: Test::Lacks(O_TRUNC),
        };
        return Ok(vec![
            SeccompRule::new(vec![condition(guard)?]).map_err(refused)?,
        ]);
    }
    match rule {
        Rule::AllowIf(lists) => lists
            .iter()
            .map(|list| {
                let conditions = list
                    .iter()
                    .copied()
                    .map(condition)
                    .collect::<Result<_, _>>()?;
                // seccompiler refuses an empty list of conditions, which would match everything.
                SeccompRule::new(conditions).map_err(refused)
            })
            .collect(),
        Rule::Allow | Rule::Answer(_) => Ok(Vec::new()),
    }
}

fn condition(condition: Condition) -> Result<SeccompCondition, StepError> {
    let width = match condition.width {
        Width::Int => SeccompCmpArgLen::Dword,
        Width::Long => SeccompCmpArgLen::Qword,
    };
    let (operator, value) = match condition.test {
        Test::Is(value) => (SeccompCmpOp::Eq, value),
        Test::Lacks(mask) => (SeccompCmpOp::MaskedEq(mask), 0),
        Test::Masked(mask, value) => (SeccompCmpOp::MaskedEq(mask), value),
        Test::AtMost(value) => (SeccompCmpOp::Le, value),
    };
    SeccompCondition::new(condition.argument, width, operator, value).map_err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Provisions = Provisions {
        writes: false,
        counted: false,
    };
    const ALL: Provisions = Provisions {
        writes: true,
        counted: true,
    };

    #[test]
    fn every_stack_compiles_on_every_landlock_abi_telling_or_not() {
        for (abi, telling) in [(2, false), (3, true), (6, false), (7, true)] {
            let mut filters = Filters::compile(abi, telling).unwrap();
            for (groups, provisions) in [
                (Groups::of([]), NOTHING),
                (Groups::all(), NOTHING),
                (Groups::all(), ALL),
            ] {
                filters.prepare(&groups, provisions).unwrap();
                let stack = filters.of(Role::Instance, &groups, provisions).unwrap();
                assert!((1..=3).contains(&stack.answers.len()));
                assert_eq!(stack.seal.is_some(), telling);
                assert!(!stack.allowed.is_empty() && stack.allowed.len() < 4096);
            }
            assert!(
                filters
                    .of(Role::Lane, &Groups::of([]), NOTHING)
                    .unwrap()
                    .seal
                    .is_none()
            );
        }
    }

    #[test]
    fn a_telling_filter_tells_in_every_place_where_the_other_refuses() {
        let granted = |row: &Row| row.granted(&Groups::all());
        let returns = |stack: &Stack, wanted: u32| {
            let all = stack.allowed.iter();
            all.filter(|(code, _, _, k)| *code == RETURN && *k == wanted)
                .count()
        };
        let errno = 0x0005_0000 | EPERM;
        let (silent, telling) = (
            stack(granted, 6, ALL, false).unwrap(),
            stack(granted, 6, ALL, true).unwrap(),
        );
        assert!(returns(&silent, errno) > 0);
        assert_eq!(returns(&silent, denied::TELL), 0);
        assert!(returns(&telling, denied::TELL) >= returns(&silent, errno));
        assert_eq!(returns(&telling, errno), 0);
        assert_eq!(returns(&telling, RET_TRACE | PLACEHOLDER), 0);
        assert!(tell(silent.allowed).is_err());
    }

    #[test]
    fn the_filters_of_every_job_compile_and_none_is_there_unprepared() {
        let mut filters = Filters::compile(2, true).unwrap();
        let none = Groups::of([]);
        for job in Job::ALL {
            assert!(
                filters
                    .of(Role::Builder(job), &none, Provisions::default())
                    .is_err()
            );
            filters.prepare_builder(job).unwrap();
            let stack = filters
                .of(Role::Builder(job), &none, Provisions::default())
                .unwrap();
            assert!(stack.seal.is_none() && stack.allowed.len() < 4096);
        }
    }

    #[test]
    fn what_was_not_prepared_is_not_installed() {
        let filters = Filters::compile(6, true).unwrap();
        assert!(filters.of(Role::Instance, &Groups::all(), NOTHING).is_err());
    }

    #[test]
    fn a_filter_without_rules_is_an_error() {
        assert!(
            compile(
                BTreeMap::new(),
                SeccompAction::Errno(1),
                SeccompAction::Allow
            )
            .is_err()
        );
    }
}
