//! One execution, seen from the front: hand it to a lane, carry loans between lanes, take the
//! report.

use super::{Deployment, Listener, PRIMARY, Source, TURN, bug};
use keylane_policy::abi::message::{Ended, FromLane, FromSpawner, LaneId, ToLane, Who};
use keylane_policy::blame::{Blame, Failure};
use keylane_policy::denial::Denials;
use keylane_policy::history::Recording;
use keylane_policy::limit::{HISTORY_RECORDS, RECORDING_BYTES, REPORT_BYTES};
use keylane_policy::report::Report;
use keylane_sys::body;
use keylane_sys::host::now_ns;
use keylane_sys::link::{Incoming, Received};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// Why there is no report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interruption {
    /// A signal told this process to end.
    Signal(i32),
    /// Something failed that is no error of the workflow.
    Failure(Failure),
}

impl From<Failure> for Interruption {
    fn from(failure: Failure) -> Interruption {
        Interruption::Failure(failure)
    }
}

const DOING: &str = "running the workflow";

/// How long to wait, after a lane's end, for the end of the spawner that may have caused it.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// How long a lane may take to report on an execution that a signal ends.
const LAST_REPORT: Duration = Duration::from_secs(8);

fn host(error: io::Error) -> Failure {
    Failure::new(Blame::Host, DOING, error.to_string())
}

/// How an execution ended, and what was recorded of it.
#[derive(Debug)]
pub struct Finished {
    /// The lane's report.
    pub report: Report,
    /// Calls that functions were denied: from the start or the execution before, to the end of this one.
    pub denials: Denials,
    /// The signal that ended it before its own end, if one did.
    pub signal: Option<i32>,
    /// The recording, if one was asked for; it is read when somebody needs it.
    recording: Option<OwnedFd>,
}

impl Finished {
    /// What the lanes recorded, if they were asked to.
    pub fn recording(&self) -> Result<Option<Recording>, Failure> {
        let Some(body) = &self.recording else {
            return Ok(None);
        };
        let broken = |cause: String| bug("reading the history of an execution", cause);
        let bytes = body::read(body, RECORDING_BYTES).map_err(|error| broken(error.to_string()))?;
        let recording: Recording =
            postcard::from_bytes(&bytes).map_err(|error| broken(error.to_string()))?;
        match recording.records.len() <= HISTORY_RECORDS {
            true => Ok(Some(recording)),
            false => Err(broken("it has more records than the limit".to_owned())),
        }
    }
}

pub(super) fn execute(
    deployment: &mut Deployment,
    name: &str,
    input: &[u8],
    history: bool,
    listener: &mut dyn Listener,
) -> Result<Finished, Interruption> {
    let execution = deployment.executions;
    deployment.executions = execution.wrapping_add(1);
    deployment
        .begin(execution, name, input, history)
        .map_err(host)?;
    let mut stopping: Option<Stopping> = None;
    loop {
        let patience = stopping.map(Stopping::left).transpose()?;
        for source in deployment.wait(patience).map_err(host)? {
            let attended = deployment.attend(source, Some(execution), listener);
            let finished = match (attended, stopping) {
                (Ok(finished), _) => finished,
                (Err(Interruption::Signal(signal)), None) => {
                    deployment.cancel(execution, signal)?;
                    stopping = Some(Stopping::by(signal));
                    None
                }
                // What breaks while it ends is not why it ended.
                (Err(Interruption::Failure(_)), Some(stopping)) => return Err(stopping.given_up()),
                (Err(interruption), _) => return Err(interruption),
            };
            if let Some(mut finished) = finished {
                finished.signal = stopping.map(|stopping| stopping.signal);
                // What the spawner told before the lane did is there, and no more is waited for. If it is
                // gone, the next execution finds out.
                let _gone_is_told_later = deployment.hear_of_ends(listener);
                finished.denials = std::mem::take(&mut deployment.denials);
                // Before the report, so that what a function printed is not told after the
                // execution's end.
                deployment.pipes.settle(listener);
                return Ok(finished);
            }
        }
    }
}

/// An execution that a signal is ending.
#[derive(Clone, Copy, Debug)]
struct Stopping {
    signal: i32,
    since: Instant,
}

impl Stopping {
    fn by(signal: i32) -> Stopping {
        let since = Instant::now();
        Stopping { signal, since }
    }

    /// How long the lane may still take; an error when that is over.
    fn left(self) -> Result<Duration, Interruption> {
        LAST_REPORT
            .checked_sub(self.since.elapsed())
            .filter(|left| !left.is_zero())
            .ok_or_else(|| self.given_up())
    }

    fn given_up(self) -> Interruption {
        Interruption::Signal(self.signal)
    }
}

/// Waits until `input` can be read, and attends to the deployment meanwhile.
pub(super) fn await_input(
    deployment: &mut Deployment,
    input: BorrowedFd<'_>,
    listener: &mut dyn Listener,
) -> Result<(), Interruption> {
    while !deployment.ready.or_readable(input).map_err(host)? {
        for source in deployment.ready.wait(Some(Duration::ZERO)).map_err(host)? {
            deployment.attend(source, None, listener)?;
        }
    }
    Ok(())
}

impl Deployment {
    /// Does what a source that is due asks for; the report, if it is that of `execution`.
    fn attend(
        &mut self,
        source: Source,
        execution: Option<u64>,
        listener: &mut dyn Listener,
    ) -> Result<Option<Finished>, Interruption> {
        match source {
            Source::Signals => {
                if let Some(interruption) = self.signal() {
                    return Err(interruption);
                }
            }
            Source::Pipe(number) => self.pipes.read(number, &mut self.ready, listener),
            Source::Spawner => self.hear_of_ends(listener)?,
            Source::Lane(lane) => return Ok(self.hear_lane(lane, execution, listener)?),
        }
        Ok(None)
    }

    /// Tells the lane to end an execution. What it lent ends with the deployment.
    fn cancel(&self, execution: u64, signal: i32) -> Result<(), Interruption> {
        let order = ToLane::Cancel { execution };
        let sent = self
            .lanes
            .get(&PRIMARY)
            .map(|lane| lane.link.try_send(&order, &[]));
        match sent {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) | None => Err(Interruption::Signal(signal)),
        }
    }

    fn begin(&mut self, execution: u64, name: &str, input: &[u8], history: bool) -> io::Result<()> {
        // A lane that still runs branches of an earlier execution is not asked to help.
        let helpers = self
            .lanes
            .keys()
            .copied()
            .filter(|lane| *lane != PRIMARY)
            .filter(|lane| !self.transfers.is_debtor(*lane))
            .collect();
        let order = ToLane::Execute {
            execution,
            name: name.to_owned(),
            workflow: self.workflow.clone(),
            started_ns: now_ns(),
            helpers,
            history,
        };
        let body = body::sealed("keylane-input", input)?;
        let lane = self.lanes.get(&PRIMARY);
        let lane = lane.ok_or_else(|| io::Error::other("the lane that runs executions is gone"))?;
        // A lane that does not read is broken, and waiting for it would be for ever.
        lane.link.try_send(&order, &[body.as_fd()])
    }

    fn hear_of_ends(&mut self, listener: &mut dyn Listener) -> Result<(), Failure> {
        for _ in 0..TURN {
            match self.spawner.try_recv().map_err(host)? {
                Incoming::Nothing => return Ok(()),
                Incoming::Message(got) => self.heed(got, listener)?,
                Incoming::Closed => return Err(bug(DOING, "the spawner ended")),
                Incoming::Garbage(fault) => return Err(bug(DOING, fault)),
            }
        }
        self.ready.again(Source::Spawner);
        Ok(())
    }

    fn heed(
        &mut self,
        got: Received<FromSpawner>,
        listener: &mut dyn Listener,
    ) -> Result<(), Failure> {
        match got.message {
            FromSpawner::Output { who } => self.listen(who, got.descriptors).map_err(host),
            FromSpawner::Ended {
                who: Who::Lane(lane),
                how,
            } => self.lane_lost(lane, &how.to_string()),
            FromSpawner::Notice { function, text } => {
                self.notice(function, &text, listener);
                Ok(())
            }
            FromSpawner::Unfit(failure) => Err(failure),
            FromSpawner::Denied { denial, .. } => {
                self.denials.add(denial);
                Ok(())
            }
            FromSpawner::DeniedMore { more, .. } => {
                self.denials.count(more);
                Ok(())
            }
            // A function whose zygote is gone fails at its next call, with an error that the
            // workflow may catch; the lane tells it.
            FromSpawner::Ended { .. }
            | FromSpawner::ZygoteFailed { .. }
            | FromSpawner::ZygoteUp { .. }
            | FromSpawner::LaneUp { .. }
            | FromSpawner::LaneFailed { .. }
            | FromSpawner::Ready { .. } => Ok(()),
        }
    }

    fn hear_lane(
        &mut self,
        lane: LaneId,
        execution: Option<u64>,
        listener: &mut dyn Listener,
    ) -> Result<Option<Finished>, Failure> {
        for _ in 0..TURN {
            let Some(known) = self.lanes.get(&lane) else {
                return Ok(None);
            };
            let got = match known.link.try_recv().map_err(host)? {
                Incoming::Nothing => return Ok(None),
                Incoming::Message(got) => got,
                Incoming::Closed => {
                    return self.lane_lost(lane, "closed its socket").map(|()| None);
                }
                Incoming::Garbage(fault) => {
                    return self
                        .lane_lost(lane, &format!("said what it may not: {fault}"))
                        .map(|()| None);
                }
            };
            let mut bodies = got.descriptors.into_iter();
            let body = bodies.next();
            match got.message {
                FromLane::Progress {
                    execution: of,
                    state,
                    done,
                    total,
                } if Some(of) == execution => {
                    listener.progress(&state, done, total);
                }
                FromLane::Lend { loan, to } => self.carry_out(lane, loan, to, body)?,
                FromLane::Repay { loan, to } => self.carry_back(lane, loan, to, body),
                FromLane::Recall { loan, to } => self.call_back(lane, loan, to),
                FromLane::Finished { execution: of }
                    if Some(of) == execution && lane == PRIMARY =>
                {
                    self.ready.again(Source::Lane(lane));
                    let report = read_report(body)?;
                    let recording = bodies.next();
                    return Ok(Some(Finished {
                        report,
                        denials: Denials::default(),
                        signal: None,
                        recording,
                    }));
                }
                FromLane::Refused(failure) => return Err(failure),
                // Late words about an earlier execution.
                FromLane::Progress { .. } | FromLane::Finished { .. } | FromLane::Deployed => {}
            }
        }
        self.ready.again(Source::Lane(lane));
        Ok(None)
    }

    /// Hands branches of `lender` to another lane; both must be who they say.
    fn carry_out(
        &mut self,
        lender: LaneId,
        loan: u32,
        to: LaneId,
        body: Option<OwnedFd>,
    ) -> Result<(), Failure> {
        let allowed = self.transfers.allows(lender, loan, to);
        let (Some(body), true) = (body, allowed) else {
            return Err(bug(
                DOING,
                format!("lane {lender} lends what it may not to lane {to}"),
            ));
        };
        let order = ToLane::Borrow { loan, from: lender };
        let sent = self
            .lanes
            .get(&to)
            .map(|lane| lane.link.try_send(&order, &[body.as_fd()]));
        if let Some(Ok(())) = sent {
            self.transfers.note(lender, loan, to);
            return Ok(());
        }
        self.tell_lost(lender, loan)
    }

    /// Hands results back to the lane that lent, if this borrower owes them.
    fn carry_back(&mut self, borrower: LaneId, loan: u32, to: LaneId, body: Option<OwnedFd>) {
        if !self.transfers.repay(borrower, to, loan) {
            return;
        }
        if let (Some(lane), Some(body)) = (self.lanes.get(&to), body) {
            // A lender that is gone has no use for them.
            let _gone_is_fine = lane
                .link
                .try_send(&ToLane::Repaid { loan }, &[body.as_fd()]);
        }
    }

    /// Tells a borrower that the lender has no use for its results any more, if it owes some.
    fn call_back(&mut self, lender: LaneId, loan: u32, to: LaneId) {
        if self.transfers.owes(to, lender, loan)
            && let Some(lane) = self.lanes.get(&to)
        {
            let recalled = ToLane::Recalled { loan, from: lender };
            // Without it the borrower goes on to its end, for nothing.
            let _only_slower = lane.link.try_send(&recalled, &[]);
        }
    }

    fn tell_lost(&mut self, lender: LaneId, loan: u32) -> Result<(), Failure> {
        match self.lanes.get(&lender) {
            Some(lane) => lane
                .link
                .try_send(&ToLane::LoanLost { loan }, &[])
                .map_err(host),
            None => Ok(()),
        }
    }

    /// How the spawner ended, if it does within `patience`.
    fn spawner_end(&self, patience: Duration) -> Option<Ended> {
        let until = Instant::now().checked_add(patience)?;
        loop {
            match self.child.try_wait() {
                Ok(Some(ended)) => return Some(ended),
                Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(5)),
                Ok(None) | Err(_) => return None,
            }
        }
    }

    /// A lane is gone: without its primary the deployment is over, another lane's loans go back.
    fn lane_lost(&mut self, lane: LaneId, how: &str) -> Result<(), Failure> {
        if self.lanes.remove(&lane).is_none() {
            return Ok(());
        }
        self.ready.forget(Source::Lane(lane));
        if lane == PRIMARY {
            // A killed spawner takes its lanes along: then it is the one to name.
            if let Some(ended) = self.spawner_end(LAST_WORDS) {
                return Err(bug(DOING, format!("the spawner ended: {ended:?}")));
            }
            return Err(bug(
                DOING,
                format!("lane {lane}, which ran the workflow, {how}"),
            ));
        }
        let lost = self.transfers.lose(lane);
        lost.into_iter()
            .try_for_each(|(lender, loan)| self.tell_lost(lender, loan))
    }
}

fn read_report(body: Option<OwnedFd>) -> Result<Report, Failure> {
    let body = body.ok_or_else(|| bug(DOING, "a report without a body"))?;
    let text = body::read(&body, REPORT_BYTES).map_err(|error| bug(DOING, error))?;
    crate::render::report::accept(&text)
}
