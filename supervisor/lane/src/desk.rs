//! What goes on around an execution's calls: the interpreter, letters from the front, branches that
//! other lanes run, what is recorded and reported.

use crate::costs::Costs;
use crate::inbox::{Inbox, Letter};
use crate::ledger::Ledger;
use crate::loans::{self, Lender, Returned};
use crate::monitor::Front;
use crate::recorder::Recorder;
use keylane_policy::abi::message::{BranchLoan, FromLane, LaneId, LoanBody, LoanId, ToLane};
use keylane_policy::report::{FAN_REPORTS, FanReport};
use keylane_policy::spread::{Decision, Figures};
use keylane_sys::host::now_ns;
use keylane_workflow::{CallId, Event, Execution, FanId};
use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

/// Time between two progress messages.
const PROGRESS: Duration = Duration::from_millis(50);

/// What is known of a fan-out in progress.
#[derive(Debug)]
struct FanNote {
    pointer: String,
    figures: Figures,
    lent: u64,
    loans: u64,
}

/// The parts of a lane that a run uses.
#[derive(Debug)]
pub(crate) struct Tools<'a> {
    pub(crate) front: &'a Front,
    pub(crate) inbox: &'a Inbox,
    pub(crate) costs: &'a mut Costs,
    pub(crate) next_loan: &'a mut LoanId,
}

/// The interpreter, and what other lanes run for it.
#[derive(Debug)]
pub(crate) struct Desk<'a> {
    id: u64,
    tools: Tools<'a>,
    pub(crate) execution: Execution,
    lender: Lender,
    pub(crate) recorder: Option<Recorder>,
    notes: BTreeMap<FanId, FanNote>,
    pub(crate) fans: Vec<FanReport>,
    pub(crate) started: Instant,
    told: Instant,
    pub(crate) last_call: Duration,
    pub(crate) cancelled: bool,
}

impl<'a> Desk<'a> {
    /// A desk for `execution`, with the reserved lanes `helpers`.
    pub(crate) fn new(
        id: u64,
        tools: Tools<'a>,
        execution: Execution,
        helpers: &[LaneId],
        recorder: Option<Recorder>,
    ) -> Desk<'a> {
        let now = Instant::now();
        Desk {
            id,
            tools,
            execution,
            lender: Lender::new(helpers),
            recorder,
            notes: BTreeMap::new(),
            fans: Vec::new(),
            started: now,
            told: now,
            last_call: Duration::ZERO,
            cancelled: false,
        }
    }

    /// Looks after everything else while the call `call` runs; false if nobody waits for it any
    /// more.
    pub(crate) fn attend(&mut self, call: CallId, ledger: &mut Ledger) -> bool {
        self.read_all(ledger);
        let wanted = !self.is_cancelled() && self.execution.attend(call, now_ns());
        // A fan-out that ended now recalls what it lent now.
        self.note_events();
        wanted
    }

    /// Whether the front wants the execution to end.
    pub(crate) fn is_cancelled(&mut self) -> bool {
        self.cancelled |= self.tools.inbox.is_cancelled(self.id);
        self.cancelled
    }

    /// Reads everything that has come in.
    pub(crate) fn read_all(&mut self, ledger: &mut Ledger) {
        while let Some(letter) = self.tools.inbox.try_take() {
            self.read(letter, ledger);
        }
    }

    /// Lends nothing to a free lane, once in a lane's life, to learn what lending costs.
    pub(crate) fn measure_handover(&mut self) -> io::Result<()> {
        match self.lender.free() {
            Some(to) if !self.tools.costs.knows_handover() => {
                let body = LoanBody {
                    machine: String::new(),
                    branches: Vec::new(),
                    deadline_ns: None,
                    history: false,
                    tolerant: false,
                };
                let loan = self.number();
                self.lender.send(self.tools.front, loan, to, &body, None)
            }
            _ => Ok(()),
        }
    }

    fn number(&mut self) -> LoanId {
        let loan = *self.tools.next_loan;
        *self.tools.next_loan = loan.wrapping_add(1);
        loan
    }

    /// Waits for a letter, or until the interpreter wants to be asked again.
    pub(crate) fn wait(&mut self, wake_at_ns: Option<u64>, ledger: &mut Ledger) {
        let deadline = wake_at_ns.and_then(|at| {
            Instant::now().checked_add(Duration::from_nanos(at.saturating_sub(now_ns())))
        });
        if deadline.is_none() && !self.lender.waits() {
            // The interpreter waits for nothing that could come: a bug, and an end instead of a
            // hang.
            self.cancelled = true;
            return;
        }
        if let Some(letter) = self.tools.inbox.take(deadline) {
            self.read(letter, ledger);
        }
    }

    fn read(&mut self, letter: Letter, ledger: &mut Ledger) {
        match &letter.message {
            ToLane::Repaid { loan } | ToLane::LoanLost { loan } => {
                if let Some(returned) = self.lender.take_back(*loan, &letter) {
                    self.settle(returned, ledger);
                }
            }
            ToLane::Cancel { execution } if *execution == self.id => self.cancelled = true,
            // A lane that runs an execution is not given another, nor branches of one.
            ToLane::Cancel { .. }
            | ToLane::Deploy { .. }
            | ToLane::Prepare
            | ToLane::Recalled { .. }
            | ToLane::Execute { .. }
            | ToLane::Borrow { .. } => {}
        }
    }

    fn settle(&mut self, returned: Returned, ledger: &mut Ledger) {
        if let Some(ns) = returned.handover_ns {
            self.tools.costs.handover(ns);
        }
        let Some((fan, mut missing)) = returned.loan.branches else {
            return;
        };
        if let Some(body) = returned.body {
            let ran = u64::try_from(body.branches.len()).unwrap_or(u64::MAX);
            if let (Some(note), Some(each)) =
                (self.notes.get(&fan), body.worked_ns.checked_div(ran))
            {
                self.tools.costs.branch(&note.pointer, each);
            }
            ledger.add(body.calls);
            if let (Some(recorder), Some(recording)) = (&mut self.recorder, body.recording) {
                recorder.merge(returned.loan.borrower, fan, recording);
            }
            for branch in body.branches {
                // Only what was lent comes back: an index that is not in the list is dropped.
                let Some(at) = missing.iter().position(|index| *index == branch.index) else {
                    continue;
                };
                missing.swap_remove(at);
                let outcome = loans::outcome(branch.outcome, ledger);
                self.execution.repay(fan, branch.index, outcome, now_ns());
            }
        }
        for index in missing {
            self.execution.unlend(fan, index);
        }
    }

    /// Applies the rule of `policy::spread` while a lane is free.
    pub(crate) fn lend(&mut self) -> io::Result<()> {
        while let Some(to) = self.lender.free() {
            let Some(fan) = self
                .execution
                .fans()
                .into_iter()
                .find(|fan| fan.lendable > 0)
            else {
                return Ok(());
            };
            let lanes = self.lender.lanes();
            let mut figures = self.tools.costs.figures(&fan.pointer, fan.lendable, lanes);
            if figures.branch_ns.is_none() && fan.started > 0 && !self.last_call.is_zero() {
                // The first branch has made a call and may not be over: that call is the least
                // that a branch takes. Waiting for its end would leave the others waiting too.
                figures.branch_ns = u64::try_from(self.last_call.as_nanos()).ok();
            }
            let note = self.notes.entry(fan.id).or_insert_with(|| FanNote {
                pointer: fan.pointer.clone(),
                figures,
                lent: 0,
                loans: 0,
            });
            if note.loans == 0 {
                // The decision that is reported is the first one to lend, or the last one not to.
                note.figures = figures;
            }
            let Decision::Spread { first, next } = figures.decide() else {
                return Ok(());
            };
            let portion = if self.lender.idle(to) { first } else { next };
            let most = usize::try_from(portion).unwrap_or(usize::MAX);
            let Some(loan) = self.execution.lend(fan.id, most) else {
                return Ok(());
            };
            let indices: Vec<u64> = loan.branches.iter().map(|branch| branch.index).collect();
            note.loans = note.loans.saturating_add(1);
            note.lent = note
                .lent
                .saturating_add(u64::try_from(indices.len()).unwrap_or(u64::MAX));
            let branches = loan.branches.into_iter().map(|branch| BranchLoan {
                index: branch.index,
                input: branch.input.text().as_str().as_bytes().to_vec(),
                scope: branch.scope,
            });
            let body = LoanBody {
                machine: loan.machine,
                branches: branches.collect(),
                deadline_ns: None,
                history: self.recorder.is_some(),
                tolerant: loan.tolerant,
            };
            let number = self.number();
            self.lender
                .send(self.tools.front, number, to, &body, Some((fan.id, indices)))?;
        }
        Ok(())
    }

    /// Records what happened, and learns from it what branches cost.
    pub(crate) fn note_events(&mut self) {
        for event in self.execution.take_events() {
            if let Some(recorder) = &mut self.recorder {
                recorder.note(&event);
            }
            match event {
                Event::BranchEnded {
                    fan,
                    worked_ns,
                    lent: false,
                    ..
                } => {
                    if let Some(pointer) = self.pointer(fan) {
                        self.tools.costs.branch(&pointer, worked_ns);
                    }
                }
                Event::FanEnded {
                    fan,
                    pointer,
                    total,
                    ..
                } => {
                    self.lender.recall(self.tools.front, fan);
                    self.report_fan(fan, pointer.to_string(), total);
                }
                _ => {}
            }
        }
    }

    fn pointer(&self, fan: FanId) -> Option<String> {
        match self.notes.get(&fan) {
            Some(note) => Some(note.pointer.clone()),
            None => self
                .execution
                .fans()
                .into_iter()
                .find(|f| f.id == fan)
                .map(|f| f.pointer),
        }
    }

    fn report_fan(&mut self, fan: FanId, pointer: String, total: u64) {
        let lanes = self.lender.lanes();
        let note = self.notes.remove(&fan);
        if self.fans.len() >= FAN_REPORTS {
            return;
        }
        let figures = match &note {
            Some(note) => note.figures,
            None => self.tools.costs.figures(&pointer, total, lanes),
        };
        let (lent, loans) = note.map_or((0, 0), |note| (note.lent, note.loans));
        self.fans.push(FanReport {
            pointer,
            branches: total,
            lent,
            loans,
            lanes,
            branch_ns: figures.branch_ns,
            handover_ns: figures.handover_ns,
            decision: figures.explain(),
        });
    }

    /// Tells the front how far the outermost fan-out is, every now and then.
    pub(crate) fn tell_progress(&mut self) -> io::Result<()> {
        if self.told.elapsed() < PROGRESS {
            return Ok(());
        }
        self.told = Instant::now();
        let fans = self.execution.fans();
        let (state, done, total) = match fans.into_iter().next() {
            Some(fan) => (fan.state, fan.finished, fan.total),
            None => (String::new(), 0, 0),
        };
        let mut state = state;
        state.truncate(state.floor_char_boundary(128));
        self.tools.front.send(
            &FromLane::Progress {
                execution: self.id,
                state,
                done,
                total,
            },
            &[],
        )
    }
}
