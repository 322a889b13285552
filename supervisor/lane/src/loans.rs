//! Branches that this lane lends to others. `borrow.rs` has those that it runs for others.

use crate::inbox::Letter;
use crate::ledger::Ledger;
use crate::monitor::Front;
use keylane_policy::abi::message::{BranchError, FromLane, LaneId, LoanBody, LoanId, RepayBody};
use keylane_policy::limit::REPORT_BYTES;
use keylane_sys::body;
use keylane_workflow::{Data, Failed, FanId, TaskError};
use serde_bytes::ByteBuf;
use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// Portions that one borrower has at a time: the second waits while the first runs, so that the
/// borrower never waits for the lender.
const PORTIONS: u8 = 2;

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

/// What a borrower says of a branch's end, with the state where an error arose. Whose fault the
/// error is goes into the ledger.
pub(crate) fn outcome(
    told: Result<ByteBuf, BranchError>,
    ledger: &mut Ledger,
) -> Result<Data, Failed> {
    match told {
        Ok(text) => Data::from_untrusted(text.into_vec()).map_err(|fault| Failed {
            error: "Keylane.Bug".to_owned(),
            cause: format!("a lane returned a branch's output that is not JSON: {fault}"),
            state: None,
            pointer: None,
            function: None,
        }),
        Err(told) => {
            if let Some(blame) = told.blame {
                let error = TaskError {
                    error: told.error.clone(),
                    cause: told.cause.clone(),
                };
                ledger.blamed(error, blame);
            }
            Err(Failed {
                error: told.error,
                cause: told.cause,
                state: told.state,
                pointer: told.pointer,
                function: told.function,
            })
        }
    }
}
