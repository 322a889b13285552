//! What the table says about a call with certain arguments: the expectation that the real filter is
//! held against. Written from the table's documentation and not from the filter's code.

use keylane_policy::syscall::table::{TABLE, TRUNCATING};
use keylane_policy::syscall::{Condition, O_TRUNC, Role, Row, Rule, Test, Width};
use std::collections::BTreeSet;

/// Arguments of a system call.
pub(crate) type Arguments = [u64; 6];

/// What a filter does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The kernel looks at it.
    Pass,
    /// It fails with this error number.
    Fail(i32),
}

const EPERM: i32 = 1;

/// What the table says about a call of this role.
pub(crate) fn verdict(
    role: Role,
    number: u32,
    arguments: &Arguments,
    landlock_abi: u32,
) -> Verdict {
    let row = TABLE.iter().find(|row| u32::from(row.number) == number);
    let Some((row, rule)) = row.and_then(|row| Some((row, row.rule(role)?))) else {
        return Verdict::Fail(EPERM);
    };
    let truncates = TRUNCATING
        .iter()
        .any(|(name, at)| *name == row.name && arguments[usize::from(*at)] & O_TRUNC != 0);
    if truncates && landlock_abi < 3 {
        return Verdict::Fail(EPERM);
    }
    match rule {
        Rule::Allow => Verdict::Pass,
        Rule::Answer(errno) => Verdict::Fail(errno.into()),
        Rule::AllowIf(lists) => {
            let holds = |list: &&[Condition]| list.iter().all(|one| meets(one, arguments));
            if lists.iter().any(holds) {
                Verdict::Pass
            } else {
                Verdict::Fail(EPERM)
            }
        }
    }
}

fn meets(condition: &Condition, arguments: &Arguments) -> bool {
    let whole = arguments[usize::from(condition.argument)];
    let value = match condition.width {
        Width::Int => whole & 0xFFFF_FFFF,
        Width::Long => whole,
    };
    match condition.test {
        Test::Is(wanted) => value == wanted,
        Test::Lacks(mask) => value & mask == 0,
        Test::AtMost(most) => value <= most,
    }
}

/// Arguments at and around the border of every condition of a row for this role: all combinations
/// of them.
pub(crate) fn combinations(role: Role, row: &Row) -> Vec<Arguments> {
    let mut all = vec![[0; 6]];
    let conditions: Vec<Condition> = match row.rule(role) {
        Some(Rule::AllowIf(lists)) => lists.iter().copied().flatten().copied().collect(),
        _ => Vec::new(),
    };
    for argument in 0..6u8 {
        let values: BTreeSet<u64> = conditions
            .iter()
            .filter(|condition| condition.argument == argument)
            .flat_map(around)
            .collect();
        let mut guarded = values;
        if let Some((_, at)) = TRUNCATING.iter().find(|(name, _)| *name == row.name)
            && *at == argument
        {
            guarded.extend([0, O_TRUNC, O_TRUNC | 2, O_TRUNC | 1 << 40]);
        }
        if guarded.is_empty() {
            continue;
        }
        all = all
            .iter()
            .flat_map(|arguments| {
                guarded.iter().map(move |value| {
                    let mut more = *arguments;
                    more[usize::from(argument)] = *value;
                    more
                })
            })
            .collect();
    }
    all
}

/// Values that meet a condition, and values that just miss it, in the low and in the high half.
fn around(condition: &Condition) -> Vec<u64> {
    let high = [1 << 31, 1 << 32, 1 << 63];
    let mut values = match condition.test {
        Test::Is(value) => vec![value, value ^ 1, value + 1],
        Test::AtMost(most) => vec![0, most, most + 1, 0xFFFF_FFFF],
        Test::Lacks(mask) => {
            let bits = (0..64).map(|bit| 1 << bit).filter(|bit| mask & bit != 0);
            bits.chain([0]).collect()
        }
    };
    let least = values[0];
    values.extend(high.map(|bit| least | bit));
    values
}

#[test]
fn the_expectation_itself_knows_borders_and_halves() {
    let fcntl =
        |command: u64, flags: u64| verdict(Role::Instance, 72, &[0, command, flags, 0, 0, 0], 6);
    assert_eq!(fcntl(3, 0), Verdict::Pass);
    assert_eq!(fcntl(4, 0o4000), Verdict::Pass);
    assert_eq!(fcntl(4, 0o20000), Verdict::Fail(1));
    assert_eq!(fcntl(8, 0), Verdict::Fail(1));
    // An `int` argument's high half is not the kernel's to read.
    assert_eq!(fcntl(3 | 1 << 32, 0), Verdict::Pass);
    assert_eq!(verdict(Role::Instance, 435, &[0; 6], 6), Verdict::Fail(38));
    assert_eq!(verdict(Role::Instance, 101, &[0; 6], 6), Verdict::Fail(1));
    let truncate = [0, 0, O_TRUNC, 0, 0, 0];
    assert_eq!(verdict(Role::Instance, 257, &truncate, 2), Verdict::Fail(1));
    assert_eq!(verdict(Role::Instance, 257, &truncate, 3), Verdict::Pass);
}

#[test]
fn every_condition_is_tried_met_and_missed() {
    for (role, row) in [Role::Instance, Role::Lane]
        .iter()
        .flat_map(|role| TABLE.iter().map(move |row| (*role, row)))
    {
        if let Some(Rule::AllowIf(lists)) = row.rule(role) {
            for condition in lists.iter().copied().flatten() {
                let tried = combinations(role, row);
                assert!(
                    tried.iter().any(|arguments| meets(condition, arguments)),
                    "{}",
                    row.name
                );
                assert!(
                    tried.iter().any(|arguments| !meets(condition, arguments)),
                    "{}",
                    row.name
                );
            }
            let passed = |wanted: bool| {
                combinations(role, row).iter().any(|arguments| {
                    (verdict(role, row.number.into(), arguments, 6) == Verdict::Pass) == wanted
                })
            };
            assert!(
                passed(true) && passed(false),
                "{} has a rule without effect",
                row.name
            );
        }
    }
}
