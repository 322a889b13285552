//! How a machine's states lead to each other: unreachable states, machines without an end.

use super::checker::{Checker, Field, Fields};
use super::machine::is_terminal;
use super::model::{Kind, State};

impl Checker<'_> {
    /// Looks at the transitions between states that were checked; a state with errors of its own
    /// has no entry, and then nothing is said about what it may lead to.
    pub(super) fn graph(
        &mut self,
        states: &[Option<State>],
        start: Option<usize>,
        members: Fields<'_>,
        field: &Field<'_>,
    ) {
        let (Some(start), true) = (start, states.iter().all(Option::is_some)) else {
            return;
        };
        let mut reached = vec![false; states.len()];
        let mut waiting = vec![start];
        while let Some(place) = waiting.pop() {
            let Some(seen @ false) = reached.get_mut(place) else {
                continue;
            };
            *seen = true;
            if let Some(Some(state)) = states.get(place) {
                waiting.extend(targets(state));
            }
        }
        let ends = |(state, reached): (&Option<State>, &bool)| {
            *reached && state.as_ref().is_some_and(is_terminal)
        };
        if !states.is_empty() && !states.iter().zip(&reached).any(ends) {
            self.error_advised(
                field.key_start,
                &field.pointer,
                "no terminal state can be reached, so this would never end".to_owned(),
                "let a state have `\"End\": true`, or add a Succeed or Fail state".to_owned(),
            );
        }
        for (state, reached) in states.iter().zip(&reached) {
            let (Some(state), false) = (state, reached) else {
                continue;
            };
            if let Some(field) = members.get(&state.name) {
                self.warn(
                    field.key_start,
                    &field.pointer,
                    format!("no transition leads to the state {:?}", &*state.name),
                    "remove it, or let a `Next` name it".to_owned(),
                );
            }
        }
    }
}

impl Checker<'_> {
    /// Whether a walk through these states may come to a Wait before it calls anything; machines
    /// inside of them have been checked.
    pub(super) fn waits(&self, start: usize, states: &[State]) -> bool {
        let inner = |machine: &usize| {
            let machine = self.machines.get(*machine).and_then(Option::as_ref);
            machine.is_some_and(|machine| machine.waits)
        };
        let mut seen = vec![false; states.len()];
        let mut ahead = vec![start];
        while let Some(place) = ahead.pop() {
            let (Some(state), Some(seen @ false)) = (states.get(place), seen.get_mut(place)) else {
                continue;
            };
            *seen = true;
            match &state.kind {
                Kind::Wait(_) => return true,
                Kind::Parallel { branches, .. } if branches.iter().any(inner) => return true,
                Kind::Map(map) if inner(&map.machine) => return true,
                Kind::Pass { .. } | Kind::Choice { .. } => ahead.extend(targets(state)),
                Kind::Task(_) | Kind::Parallel { .. } | Kind::Map(_) => {}
                Kind::Succeed | Kind::Fail { .. } => {}
            }
        }
        false
    }
}

/// The states that a state may lead to.
fn targets(state: &State) -> Vec<usize> {
    let mut targets: Vec<usize> = state.next.into_iter().collect();
    if let Kind::Choice { rules, default } = &state.kind {
        targets.extend(rules.iter().map(|rule| rule.next).chain(*default));
    }
    if let Some(work) = state.kind.work() {
        targets.extend(work.catch.iter().map(|catcher| catcher.next));
    }
    targets
}
