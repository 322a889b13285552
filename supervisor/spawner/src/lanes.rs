//! Lanes: jailed like a worker before their first guest.

use crate::extras::Extras;
use keylane_jail::launch::{self, Start, start};
use keylane_jail::{Filters, Plan, Root};
use keylane_policy::abi::message::{FromLane, LaneId, LaneToSpawner, SpawnerToLane, ToLane};
use keylane_policy::blame::{Blame, Failure};
use keylane_policy::syscall::{Groups, Role};
use keylane_sys::link::{self, Link};
use keylane_sys::process::{Child, bind_to_core};
use keylane_sys::{jail, process};
use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Bytes of address space of a lane: the definition, the state of one execution and the channels.
const MEMORY: u64 = 64 * 1024 * 1024 * 1024;

/// A lane.
#[derive(Debug)]
pub(crate) struct Lane {
    /// Its process.
    pub(crate) child: Child,
    /// Its socket to the spawner.
    pub(crate) link: Link<SpawnerToLane, LaneToSpawner>,
    /// The processor that it and its workers are bound to.
    pub(crate) core: Option<u16>,
}

/// What the front gets: its end of the lane's socket, and the lane's output.
pub(crate) struct Fresh {
    /// The lane.
    pub(crate) lane: Lane,
    /// The front's end of the lane's socket.
    pub(crate) control: OwnedFd,
    /// The read ends of standard output and standard error.
    pub(crate) output: [OwnedFd; 2],
}

impl Lane {
    /// Starts lane `id` as `user`.
    pub(crate) fn start(
        id: LaneId,
        core: Option<u16>,
        user: Option<u32>,
        extras: Extras,
        filters: &Filters,
        image: BorrowedFd<'_>,
    ) -> Result<Fresh, Failure> {
        let doing = || format!("starting lane {id}");
        let host = |error: std::io::Error| Failure::new(Blame::Host, doing(), error.to_string());
        let (control, control_end) = link::pair().map_err(host)?;
        let (ours, theirs) = link::pair().map_err(host)?;
        let (out, out_end) = jail::pipe().map_err(host)?;
        let (err, err_end) = jail::pipe().map_err(host)?;
        let program = CString::new("keylane-lane").map_err(|e| host(std::io::Error::other(e)))?;
        let plan = Start {
            plan: Plan {
                role: Role::Lane,
                groups: Groups::of([]),
                name: format!("lane-{id}"),
                user,
                namespaces: extras.namespaces,
                limits: jail::Limits {
                    memory: MEMORY,
                    // Two threads; the rest is room where the user is shared with others.
                    processes: 64,
                    descriptors: 4096,
                    // Channels and reports.
                    file: MEMORY,
                },
                readable: Vec::new(),
                directory: None,
                build: None,
                root: extras.mounts.then_some(Root { tmp: 0 }),
                ports: Vec::new(),
                unfiltered: false,
            },
            image,
            arguments: vec![program],
            descriptors: vec![
                out_end.as_fd(),
                err_end.as_fd(),
                control_end.as_fd(),
                theirs.as_fd(),
            ],
            environment: launch::environment(),
            leader: false,
            group: None,
        };
        let explain = |message: String| {
            if let Ok(socket) = process::inherited(3) {
                let told: Link<FromLane, ToLane> = Link::over(socket);
                let failure = Failure::new(Blame::Host, format!("jailing lane {id}"), message);
                let _exit_tells_too = told.try_send(&FromLane::Refused(failure), &[]);
            }
        };
        let child = start(&plan, filters, explain, |_no_listener| Ok(())).map_err(host)?;
        let _slower = process::prefer_short_slices(child.pid());
        if let Some(core) = core {
            // A lane that runs elsewhere is slower, not wrong.
            let _slower = bind_to_core(child.pid(), core);
        }
        let lane = Lane {
            child,
            link: Link::over(ours),
            core,
        };
        Ok(Fresh {
            lane,
            control,
            output: [out, err],
        })
    }
}
