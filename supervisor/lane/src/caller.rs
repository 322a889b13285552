//! Calls of functions, timed and counted, for an execution of this lane or branches of another.

use crate::ledger::Ledger;
use crate::pool::Pool;
use crate::verdict::{Failed, judge};
use crate::worker::Until;
use keylane_policy::blame::Blame;
use keylane_policy::report::FunctionCalls;
use keylane_sys::host::{monotonic_ns, now_ns};
use keylane_workflow::{Call, Data, TaskError};
use std::time::{Duration, Instant};

/// Makes calls and keeps the books.
#[derive(Debug)]
pub(crate) struct Caller<'a> {
    pool: &'a mut Pool,
    ledger: Ledger,
}

impl<'a> Caller<'a> {
    /// A caller with empty books.
    pub(crate) fn new(pool: &'a mut Pool) -> Caller<'a> {
        let _forks_of_before = pool.take_forks();
        Caller {
            pool,
            ledger: Ledger::default(),
        }
    }

    /// Makes one call and waits for its end, or until `unwanted` says that nobody needs it; it is
    /// asked before every wait, and again and again during a long one.
    pub(crate) fn call(
        &mut self,
        call: &Call,
        unwanted: &mut dyn FnMut(&mut Ledger) -> bool,
    ) -> Result<Data, TaskError> {
        let Some(entry) = self.pool.function(call.function) else {
            let cause = format!("function number {} is not deployed", call.function);
            return Err(TaskError {
                error: "Keylane.WorkerFailed".to_owned(),
                cause,
            });
        };
        let (name, default) = (entry.name.clone(), Duration::from_millis(entry.call_ms));
        let allowed = match call.deadline_ns {
            Some(at) => Duration::from_nanos(at.saturating_sub(now_ns())),
            None => default,
        };
        let started = Instant::now();
        let deadline = started.checked_add(allowed).unwrap_or(started);
        let nanos = u64::try_from(allowed.as_nanos()).unwrap_or(u64::MAX);
        let clock = monotonic_ns().saturating_add(nanos);
        let until = Until {
            deadline,
            deadline_clock_ns: clock,
            silence: call.heartbeat_ns.map(Duration::from_nanos),
        };
        let text = call.input.text();
        let request = text.as_str().as_bytes();
        let ledger = &mut self.ledger;
        let answer = (self.pool).call(call.function, request, until, &mut || unwanted(ledger));
        let outcome = judge(&name, allowed, answer).map_err(|failed| {
            if failed.is_refusal() {
                failed.tell_denials(self.pool.denials(call.function))
            } else {
                failed
            }
        });
        let took = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let book = self.ledger.book_of(&name);
        book.calls = book.calls.saturating_add(1);
        book.total_ns = book.total_ns.saturating_add(took);
        book.longest_ns = book.longest_ns.max(took);
        outcome.map_err(|failed| {
            let unwanted = failed.is_unwanted();
            let Failed { error, blame } = failed;
            if unwanted {
                return error;
            }
            let book = self.ledger.book_of(&name);
            book.errors = book.errors.saturating_add(1);
            self.ledger.blame = Some((error.clone(), blame));
            error
        })
    }

    /// The name of the function with this number.
    pub(crate) fn name(&self, function: u16) -> Option<String> {
        self.pool.function(function).map(|entry| entry.name.clone())
    }

    /// The books and the blame.
    pub(crate) fn ledger(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    /// Whose fault an error is that ended the execution: known if it was a call's.
    pub(crate) fn blame(&self, error: &str, cause: &str) -> Option<Blame> {
        self.ledger.blame(error, cause)
    }

    /// The books, with the workers that had to be forked.
    pub(crate) fn close(mut self) -> Vec<FunctionCalls> {
        for (number, forks) in (0..).zip(self.pool.take_forks()) {
            if forks > 0
                && let Some(name) = self.pool.function(number).map(|entry| entry.name.clone())
            {
                let book = self.ledger.book_of(&name);
                book.forks = book.forks.saturating_add(forks);
            }
        }
        self.ledger.books
    }
}
