//! What was learned, for a person.

use super::Lesson;
use super::propose::Proposal;
use crate::render::escape;

/// Bytes of one line, and more than a line of a fragment can have: names are short, and groups few.
const LINE_BYTES: usize = 1000;

/// The lesson as text, escaped, each line ended.
pub(super) fn text(lesson: &Lesson) -> String {
    let mut text = String::new();
    let mut line = |words: &str| {
        text.push_str(&escape::line(&escape::cut(words, LINE_BYTES)));
        text.push('\n');
    };
    let rounds = match lesson.rounds {
        1 => "1 round".to_owned(),
        many => format!("{many} rounds"),
    };
    line(&format!(
        "learned in {rounds}; the last one {}",
        match lesson.status {
            "not started" => "could not load a function",
            "cancelled" => "was cancelled",
            ended => ended,
        }
    ));
    if let Some(error) = &lesson.error {
        line(&format!("  {error}"));
    }
    if !lesson.complete {
        line("  it ended at the limit of rounds: more may be needed");
    }
    for proposal in &lesson.functions {
        function(proposal, &mut line);
    }
    if lesson.more > 0 {
        line(&format!(
            "and {} denied calls without a record, of which nothing was learned",
            lesson.more
        ));
    }
    fragment("for keylane.toml", &lesson.project_fragment, &mut line);
    let policy = "for the operator's policy, whose `profiles` then names it";
    fragment(policy, &lesson.policy_fragment, &mut line);
    line("");
    line(&format!(
        "The functions' code ran {} with this input, each time in the jail and with at most what one \
         profile grants that projects may have (by {}). What this input did not make it do was not \
         learned; nothing was written.",
        if lesson.rounds == 1 {
            "once".to_owned()
        } else {
            format!("{} times", lesson.rounds)
        },
        lesson.source
    ));
    text
}

fn function(proposal: &Proposal, line: &mut impl FnMut(&str)) {
    let needs = match proposal.needs.len() {
        0 => "nothing but the core".to_owned(),
        _ => proposal.needs.join(", "),
    };
    line(&format!("function {:?} needs {needs}", proposal.function));
    match &proposal.profile {
        Some(profile) if *profile == proposal.now => {
            line(&format!("  profile: {profile:?}, which it has"));
        }
        Some(profile) => line(&format!(
            "  profile: {profile:?}; now it has {:?}",
            proposal.now
        )),
        None => line("  profile: no granted one has these groups within the project's limits"),
    }
    if !proposal.called {
        line("  the last round did not call it: this is what its import needs");
    }
    for denied in &proposal.denied {
        let times = match denied.times {
            1 => String::new(),
            many => format!(" ({many} times)"),
        };
        line(&format!("  still denied: {}{times}", denied.call));
        line(&format!("    rule: {}", denied.rule));
        line(&format!("    why: {}", denied.reason));
        line(&format!("    instead: {}", denied.permitted_instead));
        line(match denied.allowed_by {
            "operator" => "    only the operator can allow it: no granted profile has its group",
            _ => "    nobody can allow it: no profile may have it",
        });
    }
}

fn fragment(what: &str, toml: &str, line: &mut impl FnMut(&str)) {
    if toml.is_empty() {
        return;
    }
    line("");
    line(&format!("# {what}"));
    for one in toml.lines() {
        line(one);
    }
}
