//! What the table says about a call with certain arguments: the expectation that the real filter is
//! held against. Written from the table's documentation and not from the filter's code.

use keylane_policy::syscall::table::{COUNTED, TABLE, TRUNCATING, WRITING};
use keylane_policy::syscall::{Condition, Group, O_TRUNC, Role, Row, Rule, Test, Width};
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

/// What the table depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    /// The Landlock ABI of the kernel.
    pub(crate) landlock_abi: u32,
    /// Whether functions have a private /tmp.
    pub(crate) writes: bool,
    /// Whether the function's profile has the group `network`; all others it has.
    pub(crate) network: bool,
    /// Whether a control group counts functions' memory.
    pub(crate) counted: bool,
}

/// A host on which the table holds without exceptions.
pub(crate) const FULL: Host = Host {
    landlock_abi: 6,
    writes: true,
    network: false,
    counted: true,
};

/// What the table says about a call of an instance.
pub(crate) fn verdict(number: u32, arguments: &Arguments, host: Host) -> Verdict {
    verdict_of(Role::Instance, number, arguments, host)
}

/// What the table says about a call of this role.
pub(crate) fn verdict_of(role: Role, number: u32, arguments: &Arguments, host: Host) -> Verdict {
    let row = TABLE
        .iter()
        .find(|row| u32::from(row.number) == number)
        .filter(|row| host.writes || !WRITING.contains(&row.name))
        .filter(|row| host.network || row.group != Group::Network)
        .filter(|row| host.counted || role == Role::Lane || !COUNTED.contains(&row.name));
    let Some((row, rule)) = row.and_then(|row| Some((row, row.rule(role)?))) else {
        return Verdict::Fail(EPERM);
    };
    let truncates = TRUNCATING
        .iter()
        .any(|(name, at)| *name == row.name && arguments[usize::from(*at)] & O_TRUNC != 0);
    if truncates && host.landlock_abi < 3 && !host.writes {
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
        Test::Masked(mask, wanted) => value & mask == wanted,
        Test::AtMost(most) => value <= most,
    }
}

/// Arguments at and around the border of every condition of an instance's row: all combinations of
/// them.
pub(crate) fn combinations(row: &Row) -> Vec<Arguments> {
    combinations_of(Role::Instance, row)
}

/// As [`combinations`], for a row of this role.
pub(crate) fn combinations_of(role: Role, row: &Row) -> Vec<Arguments> {
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
        Test::Masked(mask, wanted) => {
            // Every bit is tried where the table is (policy); here those at the borders.
            let bits = [0, 1, 2, 3, 10, 11, 12, 19, 20, 31, 32, 63].map(|bit| wanted ^ (1 << bit));
            let all = [wanted, wanted | (!mask & 0xFFFF_FFFF)];
            all.into_iter().chain(bits).collect()
        }
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
    let fcntl = |command: u64, flags: u64| verdict(72, &[0, command, flags, 0, 0, 0], FULL);
    assert_eq!(fcntl(3, 0), Verdict::Pass);
    assert_eq!(fcntl(4, 0o4000), Verdict::Pass);
    assert_eq!(fcntl(4, 0o20000), Verdict::Fail(1));
    assert_eq!(fcntl(8, 0), Verdict::Fail(1));
    // An `int` argument's high half is not the kernel's to read.
    assert_eq!(fcntl(3 | 1 << 32, 0), Verdict::Pass);
    assert_eq!(verdict(435, &[0; 6], FULL), Verdict::Fail(38));
    assert_eq!(verdict(101, &[0; 6], FULL), Verdict::Fail(1));
    let truncate = [0, 0, O_TRUNC, 0, 0, 0];
    let on = |landlock_abi, writes| Host {
        landlock_abi,
        writes,
        network: false,
        counted: false,
    };
    assert_eq!(verdict(257, &truncate, on(2, false)), Verdict::Fail(1));
    assert_eq!(verdict(257, &truncate, on(2, true)), Verdict::Pass);
    assert_eq!(verdict(257, &truncate, on(3, false)), Verdict::Pass);
    assert_eq!(verdict(87, &[0; 6], on(3, false)), Verdict::Fail(1));
    assert_eq!(verdict(87, &[0; 6], on(3, true)), Verdict::Pass);
}

#[test]
fn every_condition_is_tried_met_and_missed() {
    for row in TABLE {
        if let Some(Rule::AllowIf(lists)) = row.instance {
            for condition in lists.iter().copied().flatten() {
                let tried = combinations(row);
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
                combinations(row).iter().any(|arguments| {
                    let host = Host {
                        network: true,
                        ..FULL
                    };
                    (verdict(row.number.into(), arguments, host) == Verdict::Pass) == wanted
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
