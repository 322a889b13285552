//! Calls of functions, timed and counted, for an execution of this lane or branches of another.

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
    books: Vec<FunctionCalls>,
    blame: Option<(TaskError, Blame)>,
}

impl<'a> Caller<'a> {
    /// A caller with empty books.
    pub(crate) fn new(pool: &'a mut Pool) -> Caller<'a> {
        let _forks_of_before = pool.take_forks();
        Caller {
            pool,
            books: Vec::new(),
            blame: None,
        }
    }

    /// Makes one call and waits for its end.
    pub(crate) fn call(&mut self, call: &Call) -> Result<Data, TaskError> {
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
        let answer = self
            .pool
            .call(call.function, text.as_str().as_bytes(), until);
        let outcome = judge(&name, allowed, answer).map_err(|failed| {
            if failed.is_refusal() {
                failed.tell_denials(self.pool.denials(call.function))
            } else {
                failed
            }
        });
        let took = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let book = self.book_of(&name);
        book.calls = book.calls.saturating_add(1);
        book.total_ns = book.total_ns.saturating_add(took);
        book.longest_ns = book.longest_ns.max(took);
        outcome.map_err(|Failed { error, blame }| {
            let book = self.book_of(&name);
            book.errors = book.errors.saturating_add(1);
            self.blame = Some((error.clone(), blame));
            error
        })
    }

    /// The name of the function with this number.
    pub(crate) fn name(&self, function: u16) -> Option<String> {
        self.pool.function(function).map(|entry| entry.name.clone())
    }

    /// Whose fault an error is that ended the execution: known if it was a call's.
    pub(crate) fn blame(&self, error: &str, cause: &str) -> Option<Blame> {
        let (last, blame) = self.blame.as_ref()?;
        (last.error == error && last.cause == cause).then_some(*blame)
    }

    /// Notes whose fault an error was that another lane saw.
    pub(crate) fn blamed(&mut self, error: TaskError, blame: Blame) {
        self.blame = Some((error, blame));
    }

    /// Adds calls that another lane made for this execution.
    pub(crate) fn add(&mut self, calls: Vec<FunctionCalls>) {
        for call in calls {
            let book = self.book_of(&call.function);
            book.calls = book.calls.saturating_add(call.calls);
            book.errors = book.errors.saturating_add(call.errors);
            book.total_ns = book.total_ns.saturating_add(call.total_ns);
            book.longest_ns = book.longest_ns.max(call.longest_ns);
            book.forks = book.forks.saturating_add(call.forks);
        }
    }

    /// The books, with the workers that had to be forked.
    pub(crate) fn close(mut self) -> Vec<FunctionCalls> {
        for (number, forks) in (0..).zip(self.pool.take_forks()) {
            if forks > 0
                && let Some(name) = self.pool.function(number).map(|entry| entry.name.clone())
            {
                let book = self.book_of(&name);
                book.forks = book.forks.saturating_add(forks);
            }
        }
        self.books
    }

    fn book_of(&mut self, name: &str) -> &mut FunctionCalls {
        let at = match self.books.iter().position(|book| book.function == name) {
            Some(at) => at,
            None => {
                self.books.push(FunctionCalls {
                    function: name.to_owned(),
                    ..Default::default()
                });
                self.books.len().saturating_sub(1)
            }
        };
        #[expect(
            clippy::indexing_slicing,
            reason = "`at` was found or pushed just above"
        )]
        &mut self.books[at]
    }
}
