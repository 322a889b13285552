//! The orchestrator: the lane's first thread, which runs executions and borrowed branches, one at a
//! time.

use crate::borrow;
use crate::costs::Costs;
use crate::desk::Tools;
use crate::inbox::{Inbox, Letter};
use crate::monitor::{Front, Spawner, Watch};
use crate::pool::Pool;
use crate::recorder::Recorder;
use crate::run::Run;
use keylane_policy::abi::message::{FromLane, FunctionEntry, LaneId, LoanId, ToLane};
use keylane_policy::blame::{Blame, Failure};
use keylane_policy::limit::{DEFINITION_BYTES, PAYLOAD_BYTES_CEILING};
use keylane_sys::body;
use keylane_sys::host::now_ns;
use keylane_workflow::{Context, Data, Definition, Detail, Execution};
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;

/// The orchestrator before and after the deployment.
#[derive(Debug)]
pub(crate) struct Orchestrator {
    front: Arc<Front>,
    spawner: Arc<Spawner>,
    inbox: Arc<Inbox>,
    watch: Arc<Watch>,
}

/// What a deployment brings.
#[derive(Debug)]
struct Deployed {
    lane: LaneId,
    definition: Arc<Definition>,
    pool: Pool,
    costs: Costs,
    next_loan: LoanId,
}

fn lost(what: &str) -> io::Error {
    io::Error::other(what.to_owned())
}

impl Orchestrator {
    /// An orchestrator that has been told nothing yet.
    pub(crate) fn new(
        front: Arc<Front>,
        spawner: Arc<Spawner>,
        inbox: Arc<Inbox>,
        watch: Arc<Watch>,
    ) -> Orchestrator {
        Orchestrator {
            front,
            spawner,
            inbox,
            watch,
        }
    }

    /// Serves until the process ends, which the monitor decides.
    pub(crate) fn serve(self) -> io::Result<()> {
        let mut deployed = None;
        loop {
            let Some(letter) = self.inbox.take(None) else {
                continue;
            };
            match (&letter.message, deployed.as_mut()) {
                (ToLane::Deploy { lane, functions }, None) => {
                    match self.deploy(*lane, functions, &letter) {
                        Ok(fresh) => {
                            deployed = Some(fresh);
                            self.front.send(&FromLane::Deployed, &[])?;
                        }
                        Err(failure) => self.front.send(&FromLane::Refused(failure), &[])?,
                    }
                }
                (ToLane::Execute { .. }, Some(deployed)) => self.execute(deployed, &letter)?,
                (ToLane::Borrow { loan, from }, Some(d)) => {
                    borrow::serve(
                        (&self.front, &self.inbox),
                        &mut d.pool,
                        &d.definition,
                        (d.lane, *loan, *from),
                        &letter,
                    )?;
                }
                (ToLane::Prepare, Some(deployed)) => deployed.pool.prepare()?,
                // Late news of an execution that has ended.
                (
                    ToLane::Repaid { .. }
                    | ToLane::LoanLost { .. }
                    | ToLane::Recalled { .. }
                    | ToLane::Cancel { .. },
                    _,
                ) => {}
                (ToLane::Deploy { .. }, Some(_)) => return Err(lost("deployed twice")),
                (ToLane::Execute { .. } | ToLane::Borrow { .. } | ToLane::Prepare, None) => {
                    return Err(lost("asked to run before a deployment"));
                }
            }
        }
    }

    fn deploy(
        &self,
        lane: LaneId,
        functions: &[FunctionEntry],
        letter: &Letter,
    ) -> Result<Deployed, Failure> {
        // Executing the image gave this process the memfd's name.
        let _only_for_ps = keylane_sys::jail::name_process(&format!("lane-{lane}"));
        let doing = format!("deploying the workflow to lane {lane}");
        let bug = |cause: String| Failure::new(Blame::Bug, &doing, cause);
        let fd = letter
            .body
            .as_ref()
            .ok_or_else(|| bug("no definition came along".to_owned()))?;
        let text = body::read(fd, DEFINITION_BYTES).map_err(|error| bug(error.to_string()))?;
        let names: Vec<String> = functions
            .iter()
            .map(|function| function.name.clone())
            .collect();
        let (definition, _warnings) = Definition::check(&text, &names).map_err(|problems| {
            let first = problems
                .first()
                .map(|p| format!("{}: {}", p.pointer, p.message));
            // The front checked the same text with the same code.
            bug(first.unwrap_or_else(|| "the definition is refused".to_owned()))
        })?;
        let spawner = Arc::clone(&self.spawner);
        let pool = Pool::new(spawner, Arc::clone(&self.watch), functions.to_vec());
        Ok(Deployed {
            lane,
            definition: Arc::new(definition),
            pool,
            costs: Costs::default(),
            next_loan: 0,
        })
    }

    fn execute(&self, deployed: &mut Deployed, letter: &Letter) -> io::Result<()> {
        let ToLane::Execute {
            execution: id,
            name,
            workflow,
            started_ns,
            helpers,
            history,
        } = &letter.message
        else {
            return Err(lost("execute without an execution"));
        };
        let fd = letter
            .body
            .as_ref()
            .ok_or_else(|| lost("an execution without an input"))?;
        let input = Data::from_untrusted(body::read(fd, PAYLOAD_BYTES_CEILING)?)
            .map_err(|fault| io::Error::other(fault.to_string()))?;
        let context = Context {
            execution_name: name.clone(),
            workflow_name: workflow.clone(),
            started_ns: *started_ns,
            // For jitter, MathRandom and UUID, none of which guards anything.
            seed: started_ns ^ id.rotate_left(32),
            // What one function may be sent is its own limit (`payload`); a Map's results together
            // may be more.
            data_limit: usize::try_from(PAYLOAD_BYTES_CEILING).unwrap_or(usize::MAX),
        };
        let mut execution = Execution::new(Arc::clone(&deployed.definition), context, input);
        execution.set_detail(if *history { Detail::All } else { Detail::Fans });
        let recorder = history.then(|| Recorder::new(deployed.lane, now_ns()));
        let tools = Tools {
            front: &self.front,
            inbox: &self.inbox,
            costs: &mut deployed.costs,
            next_loan: &mut deployed.next_loan,
        };
        let run = Run::new(*id, tools, &mut deployed.pool, execution, helpers, recorder);
        let (report, recording) = run.finish()?;
        let text = serde_json::to_vec(&report).map_err(io::Error::other)?;
        let mut bodies = vec![body::sealed("keylane-report", &text)?];
        if let Some(recording) = recording {
            let bytes = postcard::to_stdvec(&recording).map_err(io::Error::other)?;
            bodies.push(body::sealed("keylane-history", &bytes)?);
        }
        let bodies: Vec<_> = bodies.iter().map(AsFd::as_fd).collect();
        self.front
            .send(&FromLane::Finished { execution: *id }, &bodies)
    }
}
