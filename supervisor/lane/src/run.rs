//! One execution on this lane: the interpreter's wishes on one side (`desk.rs`), workers on the other
//! (`caller.rs`).
//!
//! A lane makes one call at a time. While it does, the desk is attended: results of other lanes come
//! in, timers ring, and where that fails the state around the call, the call is ended.

use crate::caller::Caller;
use crate::desk::{Desk, Tools};
use crate::pool::Pool;
use crate::recorder::Recorder;
use keylane_policy::abi::message::LaneId;
use keylane_policy::blame::Blame;
use keylane_policy::history::Recording;
use keylane_policy::report::{ErrorReport, Report, Status};
use keylane_sys::host::now_ns;
use keylane_workflow::{Execution, Poll};
use std::io;
use std::time::Instant;

/// One execution: who makes its calls, and all that goes on while one is made.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    caller: Caller<'a>,
    desk: Desk<'a>,
}

impl<'a> Run<'a> {
    /// A run of `execution` with the reserved lanes `helpers`, recorded if there is a recorder.
    pub(crate) fn new(
        id: u64,
        tools: Tools<'a>,
        pool: &'a mut Pool,
        execution: Execution,
        helpers: &[LaneId],
        recorder: Option<Recorder>,
    ) -> Run<'a> {
        let desk = Desk::new(id, tools, execution, helpers, recorder);
        Run {
            caller: Caller::new(pool),
            desk,
        }
    }

    /// Runs to the end and reports.
    pub(crate) fn finish(mut self) -> io::Result<(Report, Option<Recording>)> {
        let Run { caller, desk } = &mut self;
        desk.measure_handover()?;
        while !desk.cancelled {
            desk.read_all(caller.ledger());
            desk.note_events();
            desk.lend()?;
            desk.tell_progress()?;
            match desk.execution.poll(now_ns()) {
                Poll::Call(call) => {
                    let called = Instant::now();
                    let outcome = caller.call(&call, &mut |ledger| !desk.attend(call.id, ledger));
                    desk.last_call = called.elapsed();
                    if desk.is_cancelled() {
                        // The end of the call is no result that a Catch or Retry may see.
                        break;
                    }
                    desk.execution.complete(call.id, outcome, now_ns());
                }
                // The call was ended while it ran; branches that other lanes run are recalled when
                // their fan-out ends.
                Poll::Cancel(_) => {}
                Poll::Idle { wake_at_ns } => desk.wait(wake_at_ns, caller.ledger()),
                Poll::Done => break,
            }
        }
        desk.note_events();
        let recording = desk
            .recorder
            .take()
            .map(|recorder| recorder.close(now_ns()));
        Ok((self.report(), recording))
    }

    fn report(self) -> Report {
        let run_ns = u64::try_from(self.desk.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let names = |number: u16| self.caller.name(number);
        let (status, output, error) = match self.desk.execution.outcome() {
            Some(Ok(data)) => (
                Status::Succeeded,
                Some(data.text().as_str().to_owned()),
                None,
            ),
            Some(Err(failed)) => {
                let called = failed.function.is_some();
                let blame = self
                    .caller
                    .blame(&failed.error, &failed.cause)
                    .unwrap_or(if called {
                        Blame::Function
                    } else {
                        Blame::Workflow
                    });
                let error = ErrorReport {
                    error: failed.error.clone(),
                    cause: failed.cause.clone(),
                    blame,
                    state: failed.state.clone(),
                    pointer: failed.pointer.clone(),
                    function: failed.function.and_then(names),
                };
                (Status::Failed, None, Some(error))
            }
            None if self.desk.cancelled => (Status::Cancelled, None, None),
            None => (Status::Failed, None, Some(stuck())),
        };
        Report {
            status,
            output,
            error,
            run_ns,
            fans: self.desk.fans,
            functions: self.caller.close(),
        }
    }
}

fn stuck() -> ErrorReport {
    ErrorReport {
        error: "Keylane.Bug".to_owned(),
        cause: "the interpreter stopped without an outcome".to_owned(),
        blame: Blame::Bug,
        state: None,
        pointer: None,
        function: None,
    }
}
