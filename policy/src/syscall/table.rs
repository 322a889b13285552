//! The rows, in files by what they are about, each a table of one row per line: number, name, group,
//! the lane's rule, the instance's, for a `narrowed` row the one without its group, and the reason.
//! The numbers are those of `syscall_64.tbl`, which a contract test compares with the header that the
//! C library ships.

mod descriptors;
mod events;
mod files;
mod itself;
mod memory;
mod network;
mod process;
mod rule;
mod signals;
mod sockets;
mod time;

use super::{Group, Row, Rule};

const fn row(
    number: u16,
    name: &'static str,
    group: Group,
    lane: Option<Rule>,
    instance: Option<Rule>,
    reason: &'static str,
) -> Row {
    Row {
        name,
        number,
        group,
        without: None,
        lane,
        instance,
        reason,
    }
}

/// A row that a profile without the group still has, with the narrower rule `without`.
const fn narrowed(
    number: u16,
    name: &'static str,
    group: Group,
    lane: Option<Rule>,
    instance: Option<Rule>,
    without: Option<Rule>,
    reason: &'static str,
) -> Row {
    Row {
        without,
        ..row(number, name, group, lane, instance, reason)
    }
}

/// Calls that open files, and the argument that holds their flags: on Landlock ABI 2 their
/// `O_TRUNC` is refused by the filter.
pub const TRUNCATING: &[(&str, u8)] = &[("open", 1), ("openat", 2)];

/// Calls that change what folders hold or how long a file is. Instances have them where they have a
/// private `/tmp`, and nowhere else: elsewhere Landlock would be their only wall.
pub const WRITING: &[&str] = &[
    "ftruncate",
    "rename",
    "mkdir",
    "rmdir",
    "unlink",
    "mkdirat",
    "unlinkat",
    "renameat",
    "renameat2",
];

/// Calls that make memory which RLIMIT_AS does not count. Instances have them where a control group
/// counts it, and nowhere else.
pub const COUNTED: &[&str] = &["memfd_create"];

/// The files.
const PARTS: &[&[Row]] = &[
    memory::ROWS,
    descriptors::ROWS,
    files::ROWS,
    events::ROWS,
    sockets::ROWS,
    network::ROWS,
    signals::ROWS,
    time::ROWS,
    process::ROWS,
    itself::ROWS,
];

/// The table, sorted by number.
pub const TABLE: &[Row] = &sorted::<{ count() }>();

#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "only the compiler runs it, and an index out of range does not compile"
)]
const fn count() -> usize {
    let (mut rows, mut part) = (0, 0);
    while part < PARTS.len() {
        rows += PARTS[part].len();
        part += 1;
    }
    rows
}

/// All rows, each put where its number belongs.
#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "only the compiler runs it, and an index out of range does not compile"
)]
const fn sorted<const COUNT: usize>() -> [Row; COUNT] {
    let mut all = [PARTS[0][0]; COUNT];
    let (mut filled, mut part) = (0, 0);
    while part < PARTS.len() {
        let mut next = 0;
        while next < PARTS[part].len() {
            let row = PARTS[part][next];
            let mut at = filled;
            while at > 0 && all[at - 1].number > row.number {
                all[at] = all[at - 1];
                at -= 1;
            }
            all[at] = row;
            filled += 1;
            next += 1;
        }
        part += 1;
    }
    all
}
