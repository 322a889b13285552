//! Branches that this lane lends to others, and branches that it runs for others.

use crate::caller::Caller;
use crate::inbox::{Inbox, Letter};
use crate::monitor::Front;
use crate::pool::Pool;
use crate::recorder::Recorder;
use keylane_policy::abi::message::{
    BranchError, BranchRepay, FromLane, LaneId, LoanBody, LoanId, RepayBody,
};
use keylane_policy::limit::REPORT_BYTES;
use keylane_sys::body;
use keylane_sys::host::now_ns;
use keylane_workflow::{Data, Definition, Detail, Execution, FanId, Poll};
use serde_bytes::ByteBuf;
use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Portions that one borrower has at a time: the second waits while the first runs, so that the
/// borrower never waits for the lender.
const PORTIONS: u8 = 2;

/// How long a borrowed branch may wait before it is asked whether it is still wanted.
const LOOK_UP: Duration = Duration::from_millis(50);

/// A lane that is reserved for this execution.
#[derive(Debug)]
struct Borrower {
    lane: LaneId,
    portions: u8,
}

/// One portion that is out.
#[derive(Debug)]
pub(crate) struct Loan {
    /// The fan-out and the branches in it; `None` for a loan that only measures.
    pub(crate) branches: Option<(FanId, Vec<u64>)>,
    pub(crate) borrower: LaneId,
    sent: Instant,
    /// Whether the borrower had nothing else, so that its answer's delay is a hand-over's cost.
    alone: bool,
}

/// The loans of one execution.
#[derive(Debug)]
pub(crate) struct Lender {
    borrowers: Vec<Borrower>,
    out: BTreeMap<LoanId, Loan>,
}

/// A loan that came back.
#[derive(Debug)]
pub(crate) struct Returned {
    /// What had been lent.
    pub(crate) loan: Loan,
    /// The results; `None` when the borrower was lost.
    pub(crate) body: Option<RepayBody>,
    /// Nanoseconds that the hand-over cost, where they can be told.
    pub(crate) handover_ns: Option<u64>,
}

impl Lender {
    /// A lender with these reserved lanes.
    pub(crate) fn new(helpers: &[LaneId]) -> Lender {
        let borrowers = helpers
            .iter()
            .map(|&lane| Borrower { lane, portions: 0 })
            .collect();
        Lender {
            borrowers,
            out: BTreeMap::new(),
        }
    }

    /// Lanes that can be used, this one included.
    pub(crate) fn lanes(&self) -> u64 {
        u64::try_from(self.borrowers.len())
            .unwrap_or(u64::MAX)
            .saturating_add(1)
    }

    /// A lane that can take another portion: the one with the fewest.
    pub(crate) fn free(&self) -> Option<LaneId> {
        let least = self
            .borrowers
            .iter()
            .min_by_key(|borrower| borrower.portions)?;
        (least.portions < PORTIONS).then_some(least.lane)
    }

    /// Whether a lane has nothing of this lender's to do.
    pub(crate) fn idle(&self, lane: LaneId) -> bool {
        self.borrowers
            .iter()
            .any(|borrower| borrower.lane == lane && borrower.portions == 0)
    }

    /// Whether any portion is out.
    pub(crate) fn waits(&self) -> bool {
        !self.out.is_empty()
    }

    /// Sends `body` to `to`.
    pub(crate) fn send(
        &mut self,
        front: &Front,
        loan: LoanId,
        to: LaneId,
        body: &LoanBody,
        branches: Option<(FanId, Vec<u64>)>,
    ) -> io::Result<()> {
        let Some(borrower) = self
            .borrowers
            .iter_mut()
            .find(|borrower| borrower.lane == to)
        else {
            return Err(io::Error::other("a loan to a lane that is not reserved"));
        };
        let bytes = postcard::to_stdvec(body).map_err(io::Error::other)?;
        let sealed = body::sealed("keylane-loan", &bytes)?;
        let sent = Instant::now();
        front.send(&FromLane::Lend { loan, to }, &[sealed.as_fd()])?;
        let alone = borrower.portions == 0;
        borrower.portions = borrower.portions.saturating_add(1);
        self.out.insert(
            loan,
            Loan {
                branches,
                borrower: to,
                sent,
                alone,
            },
        );
        Ok(())
    }

    /// Asks back what is still out of a fan-out that is over: those who run it are to stop.
    pub(crate) fn recall(&self, front: &Front, fan: FanId) {
        for (loan, out) in &self.out {
            if matches!(&out.branches, Some((of, _)) if *of == fan) {
                let (loan, to) = (*loan, out.borrower);
                // Where it cannot be said, the branch goes on to its end for nothing.
                let _only_slower = front.try_send(&FromLane::Recall { loan, to }, &[]);
            }
        }
    }

    /// Takes back loan `loan`: with its results, or without when `letter` has none or they do not
    /// parse. A loan that is not out is somebody's mistake and is ignored.
    pub(crate) fn take_back(&mut self, loan: LoanId, letter: &Letter) -> Option<Returned> {
        let loan = self.out.remove(&loan)?;
        if let Some(borrower) = self.borrowers.iter_mut().find(|b| b.lane == loan.borrower) {
            borrower.portions = borrower.portions.saturating_sub(1);
        }
        let body = letter.body.as_ref().and_then(|fd| {
            let bytes = body::read(fd, REPORT_BYTES).ok()?;
            postcard::from_bytes::<RepayBody>(&bytes).ok()
        });
        if body.is_none() {
            // A lane that is lost stays lost for this execution.
            self.borrowers
                .retain(|borrower| borrower.lane != loan.borrower);
        }
        let handover_ns = body.as_ref().filter(|_| loan.alone).map(|body| {
            let total = letter.at.saturating_duration_since(loan.sent);
            let run = Duration::from_nanos(body.run_ns);
            u64::try_from(total.saturating_sub(run).as_nanos()).unwrap_or(u64::MAX)
        });
        Some(Returned {
            loan,
            body,
            handover_ns,
        })
    }
}

/// Runs the branches of `letter` for lane `from` and sends the results; `own` is this lane.
pub(crate) fn serve(
    (front, inbox): (&Front, &Inbox),
    pool: &mut Pool,
    definition: &Arc<Definition>,
    (own, loan, from): (LaneId, LoanId, LaneId),
    letter: &Letter,
) -> io::Result<()> {
    let fd = letter
        .body
        .as_ref()
        .ok_or_else(|| io::Error::other("a loan without a body"))?;
    let loaned: LoanBody =
        postcard::from_bytes(&body::read(fd, REPORT_BYTES)?).map_err(io::Error::other)?;
    let started = Instant::now();
    let mut caller = Caller::new(pool);
    let mut recorder = loaned.history.then(|| Recorder::new(own, now_ns()));
    let mut branches = Vec::with_capacity(loaned.branches.len());
    let unwanted = || inbox.is_recalled(loan, from);
    for branch in loaned.branches {
        if unwanted() {
            break;
        }
        if let Some(recorder) = &mut recorder {
            recorder.begin_lent(branch.index, now_ns());
        }
        let outcome = run_branch(
            definition,
            &loaned.machine,
            &branch.scope,
            branch.input,
            (&mut caller, &unwanted),
            recorder.as_mut(),
        );
        let outcome = outcome.map(ByteBuf::from);
        let failed = outcome.is_err();
        if let Some(recorder) = &mut recorder {
            recorder.end_lent(branch.index, failed, now_ns());
        }
        branches.push(BranchRepay {
            index: branch.index,
            outcome,
        });
        if failed {
            // Unless the state tolerates failures, its siblings are stopped anyway; the lender
            // takes the branches that are missing back.
            break;
        }
    }
    inbox.forget_recall(loan, from);
    let run_ns = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let repay = RepayBody {
        branches,
        run_ns,
        calls: caller.close(),
        recording: recorder.map(|recorder| recorder.close(now_ns())),
    };
    let bytes = postcard::to_stdvec(&repay).map_err(io::Error::other)?;
    let sealed = body::sealed("keylane-repay", &bytes)?;
    front.send(&FromLane::Repay { loan, to: from }, &[sealed.as_fd()])
}

/// Runs one branch to its end.
fn run_branch(
    definition: &Arc<Definition>,
    machine: &str,
    scope: &[u8],
    input: Vec<u8>,
    (caller, unwanted): (&mut Caller<'_>, &dyn Fn() -> bool),
    mut recorder: Option<&mut Recorder>,
) -> Result<Vec<u8>, BranchError> {
    let invalid = |cause: String| BranchError {
        error: "Keylane.Bug".to_owned(),
        cause,
    };
    let input = Data::from_untrusted(input).map_err(|fault| invalid(fault.to_string()))?;
    let mut execution =
        Execution::branch(Arc::clone(definition), machine, scope, input).map_err(|failed| {
            BranchError {
                error: failed.error,
                cause: failed.cause,
            }
        })?;
    execution.set_detail(match recorder {
        Some(_) => Detail::All,
        None => Detail::Fans,
    });
    loop {
        if unwanted() {
            // Whatever becomes of it, nobody asks.
            return Err(BranchError {
                error: "Keylane.Cancelled".to_owned(),
                cause: "the branch's results are not wanted any more".to_owned(),
            });
        }
        let wish = execution.poll(now_ns());
        for event in execution.take_events() {
            if let Some(recorder) = recorder.as_deref_mut() {
                recorder.note(&event);
            }
        }
        match wish {
            Poll::Call(call) => {
                let outcome = caller.call(&call, unwanted);
                execution.complete(call.id, outcome, now_ns());
            }
            // Calls here are over before the next poll, so none can be cancelled.
            Poll::Cancel(_) => {}
            Poll::Idle {
                wake_at_ns: Some(at),
            } => {
                let pause = Duration::from_nanos(at.saturating_sub(now_ns()));
                std::thread::sleep(pause.min(LOOK_UP));
            }
            Poll::Idle { wake_at_ns: None } => {
                return Err(invalid("a branch waits for nothing".to_owned()));
            }
            Poll::Done => break,
        }
    }
    match execution.outcome() {
        Some(Ok(data)) => Ok(data.text().as_str().as_bytes().to_vec()),
        Some(Err(failed)) => Err(BranchError {
            error: failed.error.clone(),
            cause: failed.cause.clone(),
        }),
        None => Err(invalid("a branch ended without an outcome".to_owned())),
    }
}
