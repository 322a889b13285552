//! What the table says about one call of an instance. The filter is compiled from the same rows; this
//! is for explaining and for proposing, never a second wall.

use super::table::{TABLE, TRUNCATING};
use super::{
    Condition, Groups, O_TRUNC, Provisions, Row, Rule, Test, Width, needs_truncation_guard,
    serves_instance,
};

/// Arguments of a system call as the kernel was given them.
pub type Arguments = [u64; 6];

/// What of the host the table depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scene {
    /// The Landlock ABI of the kernel.
    pub landlock_abi: u32,
    /// What the instance has.
    pub provisions: Provisions,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug)]
pub enum Decision {
    /// It is passed to the kernel.
    Passed,
    /// It fails with this error number, as a row says.
    Answered(u16),
    /// No row names it for an instance.
    NoRow,
    /// A row does, but in a group that the profile lacks.
    NoGroup(&'static Row),
    /// The row's conditions do not hold.
    Unmet(&'static Row),
    /// It would empty a file, which Landlock does not cover on this kernel.
    Truncating(&'static Row),
}

/// What becomes of call `number` with `arguments` under a profile with `groups`, in `scene`.
pub fn decide(groups: &Groups, number: u32, arguments: &Arguments, scene: Scene) -> Decision {
    let found = TABLE.iter().find(|row| u32::from(row.number) == number);
    let Some(row) =
        found.filter(|row| row.instance.is_some() && serves_instance(row, scene.provisions))
    else {
        return Decision::NoRow;
    };
    let with_all = holds(row.instance, arguments);
    match row.granted(groups) {
        Some(Rule::Answer(errno)) => Decision::Answered(errno),
        rule if holds(rule, arguments) => {
            let guarded = TRUNCATING.iter().find(|(name, _)| *name == row.name);
            let truncates = guarded.is_some_and(|(_, at)| argument(arguments, *at) & O_TRUNC != 0);
            if truncates && needs_truncation_guard(scene.landlock_abi, scene.provisions) {
                Decision::Truncating(row)
            } else {
                Decision::Passed
            }
        }
        _ if with_all && !groups.has(row.group) => Decision::NoGroup(row),
        _ => Decision::Unmet(row),
    }
}

fn holds(rule: Option<Rule>, arguments: &Arguments) -> bool {
    match rule {
        Some(Rule::Allow) => true,
        Some(Rule::AllowIf(lists)) => lists
            .iter()
            .any(|list| list.iter().all(|condition| meets(condition, arguments))),
        Some(Rule::Answer(_)) | None => false,
    }
}

fn meets(condition: &Condition, arguments: &Arguments) -> bool {
    let whole = argument(arguments, condition.argument);
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

fn argument(arguments: &Arguments, at: u8) -> u64 {
    arguments.get(usize::from(at)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syscall::Group;

    const SCENE: Scene = Scene {
        landlock_abi: 6,
        provisions: Provisions {
            writes: false,
            counted: false,
        },
    };

    fn threads(groups: &Groups, flags: u64) -> Decision {
        decide(groups, 56, &[flags, 0, 0, 0, 0, 0], SCENE)
    }

    #[test]
    fn a_thread_needs_its_group_and_a_fork_does_not() {
        let core = Groups::of([]);
        assert!(matches!(threads(&core, 0x0120_0011), Decision::Passed));
        assert!(matches!(threads(&core, 0x3D_0F00), Decision::NoGroup(_)));
        let with = Groups::of([Group::Threads]);
        assert!(matches!(threads(&with, 0x3D_0F00), Decision::Passed));
        // A new user namespace is nobody's.
        assert!(matches!(threads(&with, 0x1000_0000), Decision::Unmet(_)));
    }

    #[test]
    fn what_is_not_there_is_refused_and_what_answers_answers() {
        let all = Groups::all();
        assert!(matches!(decide(&all, 49, &[0; 6], SCENE), Decision::NoRow));
        assert!(matches!(
            decide(&all, 999_999, &[0; 6], SCENE),
            Decision::NoRow
        ));
        // A row of lanes alone.
        assert!(matches!(decide(&all, 46, &[0; 6], SCENE), Decision::NoRow));
        assert!(matches!(
            decide(&Groups::of([]), 435, &[0; 6], SCENE),
            Decision::Answered(38)
        ));
        let old = Scene {
            landlock_abi: 2,
            ..SCENE
        };
        let truncate = [0, 0, O_TRUNC, 0, 0, 0];
        assert!(matches!(
            decide(&all, 257, &truncate, old),
            Decision::Truncating(_)
        ));
        assert!(matches!(
            decide(&all, 257, &truncate, SCENE),
            Decision::Passed
        ));
    }

    #[test]
    fn no_narrower_rule_passes_what_the_wider_refuses() {
        for row in TABLE {
            let values = [0, 1, 0x11, 0x100, 0x0120_0011, 0x1000_0000, u64::MAX];
            for value in values {
                let arguments = [value; 6];
                if holds(row.without, &arguments) {
                    assert!(holds(row.instance, &arguments), "{}", row.name);
                }
            }
        }
    }
}
