//! System call filters, compiled by seccompiler from the table in `policy/`.
//!
//! A role has several filters, because seccompiler gives a filter one answer for what it refuses:
//! one for each answer of the table, which gives it and passes the rest; one passes the table's
//! calls and refuses the rest with EPERM. The kernel runs both and takes the refusal
//! (seccomp(2)). A call of another architecture ends the process (seccompiler's prologue); x32
//! calls carry bit 30 in their number, so no row matches them.

use crate::step::{Step, StepError};
use keylane_policy::syscall::table::{TABLE, TRUNCATING};
use keylane_policy::syscall::{Condition, O_TRUNC, Role, Row, Rule, Test, Width, serves_instance};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};
use std::collections::BTreeMap;

const EPERM: u32 = 1;

fn refused(cause: impl std::fmt::Display) -> StepError {
    StepError::refused(Step::Seccomp, cause.to_string())
}

/// The compiled filters of both roles, and of instances with a private /tmp.
#[derive(Clone, Debug)]
pub struct Filters {
    lane: Vec<BpfProgram>,
    instance: Vec<BpfProgram>,
    writing: Vec<BpfProgram>,
}

impl Filters {
    /// Compiles the table for a kernel with this Landlock ABI.
    pub fn compile(landlock_abi: u32) -> Result<Filters, StepError> {
        Ok(Filters {
            lane: programs(Role::Lane, landlock_abi, false)?,
            instance: programs(Role::Instance, landlock_abi, false)?,
            writing: programs(Role::Instance, landlock_abi, true)?,
        })
    }

    /// Installs the filters of `role` for this process and all that it forks or executes; `writes`
    /// says that it has a private /tmp.
    pub(crate) fn install(&self, role: Role, writes: bool) -> Result<(), StepError> {
        let programs = match (role, writes) {
            (Role::Lane, _) => &self.lane,
            (Role::Instance, false) => &self.instance,
            (Role::Instance, true) => &self.writing,
        };
        // An empty list would install nothing and call it success.
        if programs.is_empty() || programs.iter().any(Vec::is_empty) {
            return Err(refused("there is no filter to install"));
        }
        programs
            .iter()
            .try_for_each(|program| seccompiler::apply_filter(program).map_err(refused))
    }
}

/// The filters of `role` in the order in which they are installed: after the last one, which is
/// the allow-list, nothing more can be installed.
fn programs(role: Role, landlock_abi: u32, writes: bool) -> Result<Vec<BpfProgram>, StepError> {
    let mut answers: BTreeMap<u16, BTreeMap<i64, Vec<SeccompRule>>> = BTreeMap::new();
    let mut allowed: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for row in TABLE {
        let number = i64::from(row.number);
        let rule = row
            .rule(role)
            .filter(|_rule| role == Role::Lane || serves_instance(row, writes));
        match rule {
            None => {}
            Some(Rule::Answer(errno)) => {
                answers.entry(errno).or_default().insert(number, Vec::new());
                // Passed here, so that the other filter's answer is the one that counts.
                allowed.insert(number, Vec::new());
            }
            Some(rule) => {
                allowed.insert(number, rules(row, rule, landlock_abi, writes)?);
            }
        }
    }
    let mut programs = Vec::new();
    for (errno, rules) in answers {
        let answer = SeccompAction::Errno(u32::from(errno));
        programs.push(compile(rules, SeccompAction::Allow, answer)?);
    }
    programs.push(compile(
        allowed,
        SeccompAction::Errno(EPERM),
        SeccompAction::Allow,
    )?);
    Ok(programs)
}

fn compile(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    otherwise: SeccompAction,
    matched: SeccompAction,
) -> Result<BpfProgram, StepError> {
    if rules.is_empty() {
        return Err(refused("a filter without rules"));
    }
    let filter =
        SeccompFilter::new(rules, otherwise, matched, TargetArch::x86_64).map_err(refused)?;
    BpfProgram::try_from(filter).map_err(refused)
}

/// seccompiler's rules for one row: any of them may match; none means that every call matches.
fn rules(
    row: &Row,
    rule: Rule,
    landlock_abi: u32,
    writes: bool,
) -> Result<Vec<SeccompRule>, StepError> {
    if keylane_policy::syscall::needs_truncation_guard(landlock_abi, writes)
        && let Some(&(_, argument)) = TRUNCATING.iter().find(|(name, _)| *name == row.name)
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
        Test::AtMost(value) => (SeccompCmpOp::Le, value),
    };
    SeccompCondition::new(condition.argument, width, operator, value).map_err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_roles_compile_on_every_landlock_abi() {
        for abi in [2, 3, 6, 7] {
            let filters = Filters::compile(abi).unwrap();
            for programs in [&filters.lane, &filters.instance, &filters.writing] {
                assert!((2..=3).contains(&programs.len()));
                assert!(programs.iter().all(|program| program.len() < 4096));
            }
        }
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

    #[test]
    fn an_empty_filter_is_never_installed() {
        let filters = Filters {
            lane: Vec::new(),
            instance: vec![Vec::new()],
            writing: Vec::new(),
        };
        assert!(filters.install(Role::Lane, false).is_err());
        assert!(filters.install(Role::Instance, false).is_err());
        assert!(filters.install(Role::Instance, true).is_err());
    }
}
