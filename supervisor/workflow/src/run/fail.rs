//! What follows an error: another attempt, a catcher, or the end of the branch.

use super::branch::{Broken, Phase};
use super::event::Event;
use super::execution::Execution;
use super::slab::Key;
use super::step::placed;
use crate::definition::{Catcher, Retrier, State};
use crate::fault::{self, TaskError};
use crate::json::Node;
use crate::time;

/// Whether nothing may retry or catch an error.
pub(super) fn ends_everything(fault: &TaskError) -> bool {
    fault.error == fault::RUNTIME
}

/// What a catcher passes on.
pub(super) fn error_output(fault: &TaskError) -> Node {
    Node::object(vec![
        ("Error".into(), Node::string(fault.error.as_str())),
        ("Cause".into(), Node::string(fault.cause.as_str())),
    ])
}

/// Whether an `ErrorEquals` names an error.
fn names(errors: &[String], fault: &TaskError) -> bool {
    let error = fault.error.as_str();
    let timeout = error == fault::TIMEOUT || error == fault::HEARTBEAT_TIMEOUT;
    !ends_everything(fault)
        && errors.iter().any(|name| match name.as_str() {
            fault::ALL => error != fault::DATA_LIMIT,
            fault::TASK_FAILED => !timeout && error != fault::DATA_LIMIT,
            fault::TIMEOUT => timeout,
            name => name == error,
        })
}

impl Execution {
    /// A state's work failed.
    pub(super) fn failed(&mut self, key: Key, state: &State, broken: Broken) {
        let work = state.kind.work();
        let (retry, catch): (&[_], &[_]) =
            work.map_or((&[], &[]), |work| (&work.retry, &work.catch));
        let retrier = retry
            .iter()
            .enumerate()
            .find(|(_, r)| names(&r.errors, &broken.fault));
        if let Some((place, retrier)) = retrier
            && self.again(key, state, place, retrier, &broken.fault)
        {
            return;
        }
        let catcher = catch
            .iter()
            .find(|catcher| names(&catcher.errors, &broken.fault));
        let broken = match catcher {
            None => broken,
            Some(catcher) => match self.caught(key, state, catcher, &broken.fault) {
                Ok(output) => {
                    return self.leave(key, state, output, Some(catcher.next), true);
                }
                Err(fault) => fault.into(),
            },
        };
        let at_ns = self.now;
        if let Some(branch) = self.branches.get(key) {
            let number = branch.number;
            let TaskError { error, cause } = broken.fault.clone();
            self.tell(
                || Event::StateFailed {
                    branch: number,
                    pointer: state.pointer.clone(),
                    state: state.name.clone(),
                    error,
                    cause,
                    at_ns,
                },
                false,
            );
        }
        let here = || (state.name.to_string(), state.pointer.to_string());
        let origin = Some(broken.origin.unwrap_or_else(here));
        self.branch_over(key, Err(Broken { origin, ..broken }));
    }

    /// Lets the state work again after a while, if the retrier still allows it.
    fn again(
        &mut self,
        key: Key,
        state: &State,
        place: usize,
        retrier: &Retrier,
        fault: &TaskError,
    ) -> bool {
        let at_ns = self.now;
        let Some(branch) = self.branches.get_mut(key) else {
            return false;
        };
        if branch.attempts.len() <= place {
            branch.attempts.resize(place + 1, 0);
        }
        let Some(attempts) = branch.attempts.get_mut(place) else {
            return false;
        };
        if *attempts >= retrier.attempts {
            return false;
        }
        let exponent = i32::try_from(*attempts).unwrap_or(i32::MAX);
        *attempts += 1;
        branch.retries += 1;
        let delay = retrier.interval * retrier.rate.powi(exponent);
        let delay = retrier.most.map_or(delay, |most| delay.min(most));
        let mut delay = time::seconds(delay);
        if retrier.jitter {
            delay = branch.random.below(delay.saturating_add(1));
        }
        let again_ns = at_ns.saturating_add(delay);
        branch.phase = Phase::Backing;
        let (number, attempt) = (branch.number, branch.retries);
        self.set_timer(key, Some(again_ns));
        let TaskError { error, cause } = fault.clone();
        self.tell(
            || Event::Retried {
                branch: number,
                pointer: state.pointer.clone(),
                error,
                cause,
                attempt,
                again_ns,
                at_ns,
            },
            false,
        );
        true
    }

    /// The output of a state whose error was caught.
    fn caught(
        &mut self,
        key: Key,
        state: &State,
        catcher: &Catcher,
        fault: &TaskError,
    ) -> Result<Node, TaskError> {
        let error = error_output(fault);
        let Some(branch) = self.branches.get(key) else {
            return Ok(error);
        };
        let output = placed(&catcher.place, &branch.input, &error)?;
        self.fits(&output)?;
        self.assign(key, state, &error, catcher.assign.as_ref())?;
        Ok(output)
    }
}
