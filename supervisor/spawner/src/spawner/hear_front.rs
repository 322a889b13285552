//! What the front says: the images, functions and lanes to start, the end.

use super::{Images, Source, Spawner, TURN, bug};
use crate::lanes::Lane;
use crate::zygotes::Zygote;
use keylane_policy::abi::message::{
    FromSpawner, FunctionId, LaneId, Runtime, ToSpawner, Who, ZygoteSpec,
};
use keylane_sys::link::{Incoming, Received};
use std::os::fd::AsFd;
use std::path::PathBuf;

impl Spawner {
    pub(super) fn hear_front(&mut self) {
        for _ in 0..TURN {
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
            ToSpawner::Setup { stage } => {
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
            ToSpawner::Zygote { function, spec } => self.start_zygote(function, &spec),
            ToSpawner::Lane { lane, core } => self.start_lane(lane, core),
            ToSpawner::Stop => self.stopping = true,
        }
    }

    pub(super) fn start_zygote(&mut self, function: FunctionId, spec: &ZygoteSpec) {
        self.names.insert(function, spec.name.clone());
        let started = self
            .identities
            .take()
            .map_err(|why| bug("choosing a user id", why))
            .and_then(|user| {
                self.filters
                    .prepare(&spec.groups, self.extras.writes(spec))
                    .map_err(|error| bug("compiling a filter", error))?;
                let images = self
                    .images
                    .as_ref()
                    .ok_or_else(|| bug("starting", "no images"))?;
                let image = match spec.runtime {
                    Runtime::Python => images.python.as_fd(),
                    Runtime::Native => images.native.as_fd(),
                };
                Zygote::start(spec, user, self.extras, &self.filters, image)
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
