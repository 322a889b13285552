//! Branches that this lane runs for others.
//!
//! All branches of a loan run in one execution, which starts the next while others wait: a Wait
//! state or a pause before a retry costs the loan its time once and not once for each branch.

use crate::caller::Caller;
use crate::inbox::{Inbox, Letter};
use crate::ledger::Ledger;
use crate::monitor::Front;
use crate::pool::Pool;
use crate::recorder::Recorder;
use keylane_policy::abi::message::{
    BranchError, BranchRepay, FromLane, LaneId, LoanBody, LoanId, RepayBody,
};
use keylane_policy::blame::Blame;
use keylane_policy::limit::REPORT_BYTES;
use keylane_sys::body;
use keylane_sys::host::now_ns;
use keylane_workflow::{
    Data, Definition, Detail, Execution, Failed, FanId, Loan, LoanBranch, Poll,
};
use serde_bytes::ByteBuf;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a loan may wait before it is asked whether it is still wanted.
const LOOK_UP: Duration = Duration::from_millis(50);

/// How a branch ended, with its place in the lender's fan-out.
type Ended = (u64, Result<Data, Failed>);

/// Runs the branches of `letter` for lane `from` and sends the results; `own` is this lane.
pub(crate) fn serve(
    (front, inbox): (&Front, &Inbox),
    pool: &mut Pool,
    definition: &Arc<Definition>,
    (own, loan, from): (LaneId, LoanId, LaneId),
    letter: &Letter,
) -> io::Result<()> {
    let started = Instant::now();
    let fd = letter
        .body
        .as_ref()
        .ok_or_else(|| io::Error::other("a loan without a body"))?;
    let loaned: LoanBody =
        postcard::from_bytes(&body::read(fd, REPORT_BYTES)?).map_err(io::Error::other)?;
    let mut caller = Caller::new(pool);
    let mut recorder = loaned.history.then(|| Recorder::new(own, now_ns()));
    let first = loaned.branches.first().map(|branch| branch.index);
    let (ended, waited) = match (first, open(definition, loaned)) {
        // A loan of nothing measures what lending costs.
        (None, _) => (Vec::new(), Duration::ZERO),
        (Some(_), Ok((execution, fan))) => {
            if let Some(recorder) = &mut recorder {
                recorder.borrow(fan);
            }
            let recalled = || inbox.is_recalled(loan, from);
            run(execution, (&mut caller, &recalled), recorder.as_mut())
        }
        (Some(index), Err(failed)) => (vec![(index, Err(failed))], Duration::ZERO),
    };
    inbox.forget_recall(loan, from);
    let branches = ended
        .into_iter()
        .map(|(index, outcome)| BranchRepay {
            index,
            outcome: outcome
                .map(|data| ByteBuf::from(data.text().as_str().as_bytes()))
                .map_err(|failed| told(failed, &caller)),
        })
        .collect();
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let run = started.elapsed();
    let repay = RepayBody {
        branches,
        run_ns: nanos(run),
        worked_ns: nanos(run.saturating_sub(waited)),
        calls: caller.close(),
        recording: recorder.map(|recorder| recorder.close(now_ns())),
    };
    let bytes = postcard::to_stdvec(&repay).map_err(io::Error::other)?;
    let sealed = body::sealed("keylane-repay", &bytes)?;
    front.send(&FromLane::Repay { loan, to: from }, &[sealed.as_fd()])
}

/// An execution of the branches that were lent.
fn open(definition: &Arc<Definition>, loaned: LoanBody) -> Result<(Execution, FanId), Failed> {
    let detail = match loaned.history {
        true => Detail::All,
        false => Detail::Fans,
    };
    let mut branches = Vec::with_capacity(loaned.branches.len());
    for branch in loaned.branches {
        let input = Data::from_untrusted(branch.input)
            .map_err(|fault| bug(format!("a lent branch's input is not JSON: {fault}")))?;
        branches.push(LoanBranch {
            index: branch.index,
            input,
            scope: branch.scope,
        });
    }
    let loan = Loan {
        machine: loaned.machine,
        branches,
        tolerant: loaned.tolerant,
    };
    let (mut execution, fan) = Execution::borrow(Arc::clone(definition), loan)?;
    execution.set_detail(detail);
    Ok((execution, fan))
}

/// Runs to the end, or until the loan is `recalled`: how each branch ended that did, and for how
/// long there was nothing to do.
fn run(
    mut execution: Execution,
    (caller, recalled): (&mut Caller<'_>, &dyn Fn() -> bool),
    mut recorder: Option<&mut Recorder>,
) -> (Vec<Ended>, Duration) {
    let mut waited = Duration::ZERO;
    while !recalled() {
        let wish = execution.poll(now_ns());
        for event in execution.take_events() {
            if let Some(recorder) = recorder.as_deref_mut() {
                recorder.note(&event);
            }
        }
        match wish {
            Poll::Call(call) => {
                // Siblings of the branch go on meanwhile, and may end it.
                let mut unwanted =
                    |_: &mut Ledger| recalled() || !execution.attend(call.id, now_ns());
                let outcome = caller.call(&call, &mut unwanted);
                execution.complete(call.id, outcome, now_ns());
            }
            // The call was ended while it ran.
            Poll::Cancel(_) => {}
            Poll::Idle {
                wake_at_ns: Some(at),
            } => {
                let pause = Duration::from_nanos(at.saturating_sub(now_ns())).min(LOOK_UP);
                std::thread::sleep(pause);
                waited = waited.saturating_add(pause);
            }
            // Nothing could come: the lender gets back what has not ended.
            Poll::Idle { wake_at_ns: None } | Poll::Done => break,
        }
    }
    (execution.take_borrowed(), waited)
}

fn bug(cause: String) -> Failed {
    Failed {
        error: "Keylane.Bug".to_owned(),
        cause,
        state: None,
        pointer: None,
        function: None,
    }
}

/// An error as the lender is told of it.
fn told(failed: Failed, caller: &Caller<'_>) -> BranchError {
    let known = caller.blame(&failed.error, &failed.cause);
    let called = failed.function.is_some();
    BranchError {
        blame: known.or(called.then_some(Blame::Function)),
        error: failed.error,
        cause: failed.cause,
        state: failed.state,
        pointer: failed.pointer,
        function: failed.function,
    }
}
