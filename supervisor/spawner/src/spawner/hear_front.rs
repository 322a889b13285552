//! What the front says: the images, functions and lanes to start, the end.

use super::{Images, Source, Spawner, TURN, bug};
use crate::extras;
use crate::lanes::Lane;
use crate::zygotes::Zygote;
use keylane_policy::abi::message::{
    FromSpawner, FunctionId, LaneId, Runtime, ToSpawner, Who, ZygoteSpec,
};
use keylane_policy::blame::{Blame, Failure};
use keylane_policy::limit;
use keylane_policy::reuse::Reuse;
use keylane_sys::cgroup::{Bounds, Group};
use keylane_sys::link::{Incoming, Received};
use std::os::fd::AsFd;
use std::path::PathBuf;

impl Spawner {
    pub(super) fn hear_front(&mut self) {
        for _ in 0..TURN {
            // Of orders that follow a refusal none is obeyed.
            if self.stopping {
                return;
            }
            match self.front.try_recv() {
                Ok(Incoming::Nothing) => return,
                Ok(Incoming::Message(got)) => self.obey(got),
                Ok(Incoming::Closed | Incoming::Garbage(_)) | Err(_) => {
                    self.stopping = true;
                    return;
                }
            }
        }
        self.ready.again(Source::Front);
    }

    fn obey(&mut self, got: Received<ToSpawner>) {
        match got.message {
            ToSpawner::Setup { stage, required } => {
                if let Some(failure) = extras::unmet(&required, &self.substitutions) {
                    self.tell_front(&FromSpawner::Unfit(failure), &[]);
                    self.stopping = true;
                    return;
                }
                let mut images = got.descriptors.into_iter();
                if let (Some(lane), Some(python), Some(native)) =
                    (images.next(), images.next(), images.next())
                {
                    self.images = Some(Images {
                        lane,
                        python,
                        native,
                    });
                    self.stage = Some(PathBuf::from(stage));
                } else {
                    self.stopping = true;
                }
            }
            ToSpawner::Zygote { function, spec } => {
                self.names.insert(function, spec.name.clone());
                let trial = spec.reuse == Reuse::FreshImport;
                self.start_zygote(function, &spec, trial);
            }
            ToSpawner::Lane { lane, core } => self.start_lane(lane, core),
            ToSpawner::Stop => self.stopping = true,
        }
    }

    /// Starts a zygote as a user that nobody else has.
    pub(super) fn start_zygote(&mut self, function: FunctionId, spec: &ZygoteSpec, trial: bool) {
        match self.identities.take() {
            Ok(user) => self.start_zygote_as(function, spec, trial, user),
            Err(why) => {
                let failure = bug("choosing a user id", why);
                self.tell_front(&FromSpawner::ZygoteFailed { function, failure }, &[]);
            }
        }
    }

    /// Starts a zygote as a user that was chosen before.
    pub(super) fn start_zygote_as(
        &mut self,
        function: FunctionId,
        spec: &ZygoteSpec,
        trial: bool,
        user: Option<u32>,
    ) {
        let started = self.group(function, spec).and_then(|group| {
            let provisions = self.extras.provisions(spec, group.is_some());
            self.filters
                .prepare(&spec.groups, provisions)
                .map_err(|error| bug("compiling a filter", error))?;
            let images = self
                .images
                .as_ref()
                .ok_or_else(|| bug("starting", "no images"))?;
            let image = match spec.runtime {
                Runtime::Python => images.python.as_fd(),
                Runtime::Native => images.native.as_fd(),
            };
            Zygote::start(spec, trial, user, self.extras, &self.filters, image, group)
        });
        match started {
            Ok((zygote, [out, err])) => {
                let watched = self
                    .ready
                    .watch(&zygote.link, Source::Zygote(function))
                    .and_then(|()| {
                        self.ready
                            .watch(&zygote.leader, Source::ZygoteEnd(function))
                    });
                self.zygotes.insert(function, zygote);
                let who = Who::Zygote(function);
                self.tell_front(&FromSpawner::Output { who }, &[out.as_fd(), err.as_fd()]);
                if let Err(error) = watched {
                    self.fail_zygote(function, bug("watching a zygote", error));
                }
            }
            Err(failure) => {
                self.tell_front(&FromSpawner::ZygoteFailed { function, failure }, &[]);
            }
        }
    }

    /// A control group for the next zygote of `function`, where this run has groups.
    fn group(&mut self, function: FunctionId, spec: &ZygoteSpec) -> Result<Option<Group>, Failure> {
        let Some(run) = &self.groups else {
            return Ok(None);
        };
        self.groups_made = self.groups_made.saturating_add(1);
        let name = format!("function-{function}-{}", self.groups_made);
        let bounds = Bounds {
            memory: limit::group_bytes(spec.memory, spec.tmp),
            processes: spec.processes,
            cpu: (spec.cpu < limit::CPU_CEILING).then_some(spec.cpu),
        };
        let doing = || format!("making a control group for function {:?}", spec.name);
        run.group(&name, bounds)
            .map(Some)
            .map_err(|error| Failure::new(Blame::Host, doing(), error.to_string()))
    }

    fn start_lane(&mut self, lane: LaneId, core: Option<u16>) {
        let started = self
            .identities
            .take()
            .map_err(|why| bug("choosing a user id", why))
            .and_then(|user| {
                let images = self
                    .images
                    .as_ref()
                    .ok_or_else(|| bug("starting", "no images"))?;
                let image = images.lane.as_fd();
                Lane::start(lane, core, user, self.extras, &self.filters, image)
            });
        let fresh = match started {
            Ok(fresh) => fresh,
            Err(failure) => {
                self.tell_front(&FromSpawner::LaneFailed { lane, failure }, &[]);
                return;
            }
        };
        let watched = self
            .ready
            .watch(&fresh.lane.link, Source::Lane(lane))
            .and_then(|()| self.ready.watch(&fresh.lane.child, Source::LaneEnd(lane)));
        self.lanes.insert(lane, fresh.lane);
        let [out, err] = &fresh.output;
        let who = Who::Lane(lane);
        self.tell_front(&FromSpawner::Output { who }, &[out.as_fd(), err.as_fd()]);
        self.tell_front(&FromSpawner::LaneUp { lane }, &[fresh.control.as_fd()]);
        if let Err(error) = watched {
            let failure = bug("watching a lane", error);
            self.tell_front(&FromSpawner::LaneFailed { lane, failure }, &[]);
        }
    }
}
