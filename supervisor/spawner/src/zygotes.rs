//! Zygotes: one per function, jailed before it reads a byte of its function.

use crate::burn::Burn;
use crate::extras::Extras;
use crate::session;
use crate::sweep::{Swept, sweep};
use keylane_jail::launch::{self, Start, start};
use keylane_jail::{Filters, Plan, Root};
use keylane_policy::abi::message::{FromZygote, ToZygote, ZygoteSpec};
use keylane_policy::blame::{Blame, Failure};
use keylane_policy::limit::{self, ERROR_CAUSE_BYTES, LOAD_MILLISECONDS};
use keylane_policy::reuse::Reuse;
use keylane_policy::syscall::{CONTROL_DESCRIPTOR, Role};
use keylane_sys::cgroup::Group;
use keylane_sys::link::{self, Link};
use keylane_sys::process::{self, Child};
use keylane_sys::{jail, link::Incoming};
use std::collections::BTreeSet;
use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A function's zygote.
#[derive(Debug)]
pub(crate) struct Zygote {
    /// How it was started.
    pub(crate) spec: ZygoteSpec,
    /// The function's name.
    pub(crate) name: String,
    /// The tiny init above it.
    pub(crate) leader: Child,
    /// The socket that the zygote and its workers share.
    pub(crate) link: Link<ToZygote, FromZygote>,
    /// When it was started.
    pub(crate) started: Instant,
    /// Whether the function is loaded.
    pub(crate) loaded: bool,
    /// Whether it was ended for a fault, and is not to be started again.
    pub(crate) failed: bool,
    /// The user that it runs as, where it has one of its own.
    pub(crate) user: Option<u32>,
    /// Whether it only shows that the function can be loaded: where workers import the function
    /// themselves, an honest project's mistakes are still told before the first call.
    pub(crate) trial: bool,
    /// How often it was asked for a worker, or one of its workers ended.
    pub(crate) orders: u64,
    /// The processor time of what is no worker.
    pub(crate) burn: Burn,
    /// What the function's processes left behind.
    strays: Strays,
    /// When that was measured last.
    pub(crate) measured_at: Instant,
    /// When to look for processes that a worker left behind.
    pub(crate) sweep_at: Instant,
    /// The control group of all its processes, where the host has one for it.
    pub(crate) group: Option<Group>,
    /// Whether it has a pid namespace, which ends with its init.
    namespaced: bool,
}

/// What a function finds in its environment.
fn environment(spec: &ZygoteSpec) -> Vec<CString> {
    let mut entries = launch::environment();
    if spec.groups.has(keylane_policy::syscall::Group::Network) {
        // The C library asks name servers by TCP, as there is no UDP (resolv.conf(5)).
        entries.push(c"RES_OPTIONS=use-vc".to_owned());
    }
    entries
}

/// The name of an error that the jail itself tells.
const JAIL: &str = "Keylane.Jail";

/// The read ends of a process's standard output and standard error.
pub(crate) type Output = [OwnedFd; 2];

impl Zygote {
    /// Starts the zygote of `spec` as `user`; as a `trial`, see there.
    pub(crate) fn start(
        spec: &ZygoteSpec,
        trial: bool,
        user: Option<u32>,
        extras: Extras,
        filters: &Filters,
        image: BorrowedFd<'_>,
        group: Option<Group>,
    ) -> Result<(Zygote, Output), Failure> {
        let doing = || format!("starting function {:?}", spec.name);
        let host = |error: std::io::Error| Failure::new(Blame::Host, doing(), error.to_string());
        let (ours, theirs) = link::pair().map_err(host)?;
        let link: Link<ToZygote, FromZygote> = Link::over(ours);
        link.want_credentials().map_err(host)?;
        let (out, out_end) = jail::pipe().map_err(host)?;
        let (err, err_end) = jail::pipe().map_err(host)?;
        let argument = |text: &str| {
            CString::new(text).map_err(|_nul| {
                Failure::new(Blame::Workflow, doing(), format!("a NUL byte in {text:?}"))
            })
        };
        let mut readable: Vec<PathBuf> = spec.runtime_paths.iter().map(PathBuf::from).collect();
        readable.push(PathBuf::from(&spec.tree));
        let plan = Start {
            plan: Plan {
                role: Role::Instance,
                groups: spec.groups.clone(),
                name: spec.name.chars().take(15).collect(),
                user,
                namespaces: extras.namespaces,
                limits: jail::Limits {
                    memory: spec.memory,
                    processes: spec.processes,
                    descriptors: spec.descriptors,
                    file: longest_file(spec, extras.mounts, group.is_some()),
                },
                readable,
                directory: Some(PathBuf::from(&spec.tree)),
                build: None,
                root: extras.mounts.then_some(Root { tmp: spec.tmp }),
                ports: spec.ports.clone(),
                unfiltered: spec.unfiltered,
            },
            image,
            // Everybody on the host can read a command line (proc(5)), and the tree's path is what
            // keeps other users out of it: the program finds it as its directory.
            arguments: vec![
                argument(&spec.name)?,
                argument(".")?,
                argument(&spec.handler)?,
                argument(match (spec.reuse, trial) {
                    (Reuse::Warm | Reuse::Fresh, _) => "before",
                    (Reuse::FreshImport, true) => "trial",
                    (Reuse::FreshImport, false) => "after",
                })?,
            ],
            descriptors: vec![out_end.as_fd(), err_end.as_fd(), theirs.as_fd()],
            environment: environment(spec),
            leader: true,
            group: group.as_ref(),
        };
        // The child's end is descriptor 3 once the jail's first step is done; of a failure of that
        // step its exit alone tells.
        let explain = |message: String| {
            if let Ok(socket) = keylane_sys::process::inherited(3) {
                let told: Link<FromZygote, ToZygote> = Link::over(socket);
                let failed = FromZygote::LoadFailed {
                    error_type: JAIL.to_owned(),
                    message,
                    trace: String::new(),
                };
                let _exit_tells_too = told.try_send(&failed, &[]);
            }
        };
        // Before the filter's last part stands, which refuses this, and before the program is executed.
        let pass_on = |listener: OwnedFd| {
            let socket = keylane_sys::process::inherited(CONTROL_DESCRIPTOR.into())?;
            let told: Link<FromZygote, ToZygote> = Link::over(socket);
            let sent = told.send(&FromZygote::Listener, &[listener.as_fd()]);
            // The program needs the socket.
            std::mem::forget(told);
            sent
        };
        let leader = start(&plan, filters, explain, pass_on).map_err(host)?;
        let zygote = Zygote {
            spec: spec.clone(),
            name: spec.name.clone(),
            leader,
            link,
            started: Instant::now(),
            loaded: false,
            failed: false,
            user,
            trial,
            orders: 0,
            burn: Burn::default(),
            strays: Strays::default(),
            measured_at: Instant::now(),
            sweep_at: Instant::now(),
            group,
            namespaced: extras.namespaces,
        };
        Ok((zygote, [out, err]))
    }

    /// When it must have loaded its function.
    pub(crate) fn load_deadline(&self) -> Option<Instant> {
        (!self.loaded && !self.failed)
            .then(|| {
                self.started
                    .checked_add(Duration::from_millis(LOAD_MILLISECONDS))
            })
            .flatten()
    }

    /// Ends the zygote and everything that it started. The leader has not been reaped yet.
    pub(crate) fn kill(&self) {
        let _gone_is_fine = self.leader.kill();
        if let Some(group) = &self.group {
            let _gone_is_fine = group.kill();
        }
        if !self.namespaced {
            // The leader called setsid, so the group of all its descendants has its number.
            let _gone_is_fine = process::kill_group(self.leader.pid());
        }
    }

    /// Ends what its workers left behind, or itself. `known` are the spawner's children that it waits for.
    pub(crate) fn sweep(&mut self, known: &BTreeSet<i32>) -> Swept {
        let swept = sweep(self.leader.pid(), || {
            // Orphans come to the init of their pid namespace; without one, to the spawner, which is
            // a subreaper.
            let ours = std::process::id()
                .try_into()
                .ok()
                .filter(|_| !self.namespaced);
            let mut adopted = ours.map(session::children).unwrap_or_default();
            adopted.retain(|pid| !known.contains(pid));
            adopted
        });
        self.strays.swept = self.strays.swept.saturating_add(swept.ticks);
        swept
    }

    /// Whether it uses processor time for something else than forking, itself, by children of its own or
    /// by what was left behind. `workers` are its workers' processes, which are measured by themselves.
    /// What is left behind while one of them is `answering` a call may be that call's, and does not count.
    pub(crate) fn burns(&mut self, workers: &BTreeSet<i32>, answering: bool) -> bool {
        let Some(own) = session::children(self.leader.pid()).first().copied() else {
            return false;
        };
        let others = session::trees(&session::children(own), workers);
        // What it has reaped are workers, and then this measurement does not count (`orders`), or
        // children of its own.
        let ticks = session::Stat::of(own).map_or(0, |stat| stat.own.saturating_add(stat.reaped));
        // Orphans are reaped by the init of their pid namespace; without one by the spawner, which has
        // those of all functions.
        let left = if self.namespaced {
            session::Stat::of(self.leader.pid()).map_or(0, |init| init.reaped)
        } else {
            self.strays.swept
        };
        let ticks = ticks
            .saturating_add(session::ticks(&others))
            .saturating_add(self.strays.charge(left, answering));
        self.loaded && self.burn.note(self.orders, ticks, Instant::now())
    }

    /// Whether the kernel has ended it because its group met the bound of its memory.
    pub(crate) fn ran_out_of_memory(&self) -> bool {
        self.group.as_ref().is_some_and(Group::met_memory_bound)
    }

    /// Whether the process with this number, which said it is a worker, is one of this zygote's:
    /// in its session, which nothing inside can leave.
    pub(crate) fn owns(&self, pid: i32) -> bool {
        session::of(pid) == Some(self.leader.pid())
    }

    /// Whether an error of this name from this sender is the jail's own word. It is while the leader
    /// says it: a function's code never runs in the leader's process, and the kernel tells who sent.
    pub(crate) fn speaks_for_jail(&self, error_type: &str, sender: Option<i32>) -> bool {
        error_type == JAIL && sender == Some(self.leader.pid())
    }

    /// The next message, if there is one.
    pub(crate) fn next(&self) -> std::io::Result<Incoming<FromZygote>> {
        self.link.try_recv()
    }
}

/// Processor time of processes whose parents have ended, in units of [`session::TICK`].
#[derive(Clone, Copy, Debug, Default)]
struct Strays {
    /// Of those that sweeps ended.
    swept: u64,
    /// Of all of them, at the last measurement.
    seen: u64,
    /// Of those that are the zygote's to answer for.
    charged: u64,
}

impl Strays {
    /// Notes that `seen` was used in all; what has been charged up to now, without the last part of it
    /// if that is `exempt`.
    fn charge(&mut self, seen: u64, exempt: bool) -> u64 {
        let more = seen.saturating_sub(self.seen);
        self.seen = seen;
        if !exempt {
            self.charged = self.charged.saturating_add(more);
        }
        self.charged
    }
}

/// Bytes of the longest file that an instance may make (RLIMIT_FSIZE): in a private /tmp, and, where
/// its memory is counted, a memfd; otherwise it has no file to write.
fn longest_file(spec: &ZygoteSpec, tmp: bool, counted: bool) -> u64 {
    let in_tmp = if tmp {
        limit::tmp_file_bytes(spec.tmp)
    } else {
        0
    };
    let memfd = if counted { spec.memory } else { 0 };
    in_tmp.max(memfd)
}

/// The failure of a function that could not be loaded, in the function's own words; `from_jail`
/// says that they are the jail's instead.
///
/// All of a function's words are cut to what one message to the front can carry.
pub(crate) fn load_failure(
    function: &str,
    error_type: &str,
    message: &str,
    trace: &str,
    from_jail: bool,
) -> Failure {
    let doing = format!("loading function {function:?}");
    let cut = |text: &str| {
        let end = text.floor_char_boundary(ERROR_CAUSE_BYTES);
        text.get(..end).unwrap_or_default().to_owned()
    };
    if from_jail {
        return Failure::new(Blame::Host, doing, cut(message))
            .advise("`keylane doctor` says what this host lacks");
    }
    let mut cause = format!("{error_type}: {message}");
    if !trace.is_empty() {
        cause.push('\n');
        cause.push_str(trace);
    }
    Failure::new(Blame::Function, doing, cut(&cause))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_behind_during_a_call_is_not_charged_and_all_else_is() {
        let mut strays = Strays::default();
        assert_eq!(strays.charge(10, false), 10);
        assert_eq!(strays.charge(90, true), 10);
        assert_eq!(strays.charge(95, false), 15);
        assert_eq!(strays.charge(95, false), 15);
    }
    use keylane_policy::abi::message::FromSpawner;
    use keylane_policy::abi::wire;

    #[test]
    fn the_longest_words_of_a_function_fit_a_message_to_the_front() {
        let words = "\u{1F600}".repeat(16 * 1024);
        for from_jail in [false, true] {
            let failure = load_failure("f", &words, &words, &words, from_jail);
            let message = FromSpawner::ZygoteFailed {
                function: 0,
                failure,
            };
            assert!(wire::encode(&message).is_ok());
        }
    }
}
