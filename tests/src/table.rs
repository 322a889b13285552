//! The table of system calls as `docs/SYSCALLS.md` shows it, and as the contract tests walk it.

use keylane_policy::syscall::table::{COUNTED, TABLE, TRUNCATING, WRITING};
use keylane_policy::syscall::{Condition, Row, Rule, Test};

/// The document.
pub fn markdown() -> String {
    let mut text = String::from(
        "# System calls\n\n\
         What a lane and an instance (a zygote or a worker, the code of a tenant) may ask of the \
         kernel. Printed from `policy/src/syscall/table.rs` and the files below it, from which the filters are \
         compiled too; the contract tests compare this page with it and try every row with real calls. \
         After a change of the table:\n\n\
         ```\n\
         KEYLANE_BLESS=1 cargo test -p keylane-tests --test contract document\n\
         ```\n\n\
         A call without a row, and one whose conditions do not hold, is refused with EPERM. A call \
         of another architecture (32-bit, x32) never reaches the kernel: the first ends the \
         process, the second is refused. An instance has the rows of the groups that its profile \
         grants ([PROFILES](PROFILES.md)). Arguments are counted from 0. Below Landlock ABI 3 ",
    );
    let truncating: Vec<String> = TRUNCATING
        .iter()
        .map(|(name, argument)| format!("`{name}` (argument {argument})"))
        .collect();
    text.push_str(&format!(
        "{} also lack O_TRUNC for an instance without a private /tmp. Such an instance does not have \
         {} either, and one without a control group no {}.\n\n| call | number | lane | instance | group | reason |\n|---|---|---|---|---|---|\n",
        truncating.join(" and "),
        WRITING.join(", "),
        COUNTED.join(", ")
    ));
    for row in TABLE {
        text.push_str(&format!(
            "| {} | {} | {} | {} | {} | {} |\n",
            row.name,
            row.number,
            rule(row.lane),
            rule(row.instance),
            group(row),
            row.reason
        ));
    }
    text
}

fn group(row: &Row) -> String {
    match (row.instance, row.without) {
        (None, _) => "-".to_owned(),
        (Some(_), None) => row.group.to_string(),
        (Some(_), without) => format!("{}; without it {}", row.group, rule(without)),
    }
}

fn rule(rule: Option<Rule>) -> String {
    match rule {
        None => "no".to_owned(),
        Some(Rule::Allow) => "yes".to_owned(),
        Some(Rule::Answer(0)) => "answers success".to_owned(),
        Some(Rule::Answer(1)) => "answers EPERM".to_owned(),
        Some(Rule::Answer(38)) => "answers ENOSYS".to_owned(),
        Some(Rule::Answer(errno)) => format!("answers error {errno}"),
        Some(Rule::AllowIf(lists)) => {
            let lists: Vec<String> = lists
                .iter()
                .map(|list| {
                    let list: Vec<String> = list.iter().map(condition).collect();
                    list.join(" and ")
                })
                .collect();
            format!("if {}", lists.join("; or "))
        }
    }
}

fn condition(condition: &Condition) -> String {
    let argument = condition.argument;
    match condition.test {
        Test::Is(value) if value < 10 => format!("argument {argument} is {value}"),
        Test::Is(value) => format!("argument {argument} is {value:#x}"),
        Test::Lacks(mask) => format!("argument {argument} has none of {mask:#x}"),
        Test::Masked(mask, value) => format!("argument {argument} has {value:#x} of {mask:#x}"),
        Test::AtMost(value) => format!("argument {argument} is at most {value}"),
    }
}
