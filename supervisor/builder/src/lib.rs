//! A build worker: one program of the host (pip, a compiler) in a jail of its own, for one job.
//!
//! The jail is an instance's with three differences, each decided by the job
//! (`policy/src/syscall/building.rs`): it writes to one folder, which is its own; a compiler may start
//! its parts; fetching has the host's network, and runs nothing of a tenant. Started by root, every worker
//! has a user id that nobody else has. Started by another user, it needs a root of its own, because
//! changes of a file's mode are no business of Landlock's.
//!
//! An attacker controls: what a compiler reads, the contents of wheels that are unpacked, answers of an
//! index; so everything that a worker prints and leaves in its folder.

#![forbid(unsafe_code)]

mod work;

pub use work::{Done, Work};

use keylane_jail::launch::{self, Start};
use keylane_jail::{Build, Filters, Plan, Root};
use keylane_policy::blame::{Blame, Failure};
use keylane_policy::identity::{USERS, first_user};
use keylane_policy::syscall::{Groups, Job, Role};
use keylane_sys::process::{self, Child};
use keylane_sys::ready::Ready;
use keylane_sys::{host, jail};
use std::cell::Cell;
use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Bytes of output that are kept: the last ones, where a program says why it failed.
const KEPT: usize = 64 * 1024;
/// How often a worker is looked at that prints nothing.
const LOOK: Duration = Duration::from_millis(200);
/// What is read of a worker's output at once.
const PIECE: usize = 16 * 1024;
/// How many pieces are read before anything else has its turn: together what a pipe holds at most without
/// privilege (pipe(7): /proc/sys/fs/pipe-max-size, 1 MiB). A worker that writes without pause cannot put
/// off its end.
const TURN: usize = 64;

/// What this host allows build workers, and how many were started.
#[derive(Debug)]
pub struct Builder {
    filters: Filters,
    /// Namespaces, and in them a root of its own.
    mounts: bool,
    root: bool,
    started: u32,
}

impl Builder {
    /// Looks at the host; refuses one on which a worker could change the operator's files. The process
    /// must have one thread.
    pub fn new() -> Result<Builder, Failure> {
        let doing = "preparing the build worker's jail";
        let lacks = |cause: String| {
            Failure::new(Blame::Host, doing, cause)
                .advise("`keylane doctor` says what this host lacks")
        };
        let abi = host::landlock_abi().map_err(|error| lacks(format!("no Landlock: {error}")))?;
        let mut filters = Filters::compile(abi, false).map_err(|error| lacks(error.to_string()))?;
        for job in Job::ALL {
            filters
                .prepare_builder(job)
                .map_err(|error| lacks(error.to_string()))?;
        }
        let tried = host::try_namespaces().and_then(|()| host::try_mounts());
        let root = jail::is_root();
        if let Err(error) = &tried
            && !root
        {
            let cause = format!(
                "no mounts in a user namespace ({error}): a build worker would run as you, and \
                 nothing would keep it from changing the modes of your files"
            );
            return Err(Failure::new(Blame::Host, doing, cause).advise(
                "allow user namespaces, or build as root: then workers have users of their own",
            ));
        }
        Ok(Builder {
            filters,
            mounts: tried.is_ok(),
            root,
            started: 0,
        })
    }

    /// The user of the next worker, whose folder must be its own; `None` where it keeps ours.
    pub fn next_user(&self) -> Option<u32> {
        self.root
            .then(|| first_user(std::process::id()).wrapping_add(self.started % USERS))
    }

    /// Where a worker finds its `folder`.
    pub fn inside(&self, folder: &Path) -> PathBuf {
        if self.mounts {
            keylane_jail::FOLDER.into()
        } else {
            folder.to_owned()
        }
    }

    /// Does the work as [`Builder::next_user`], and waits for its end. Whatever the program started ends
    /// with it. `look` is called a few times a second; its error ends the worker.
    pub fn run(
        &mut self,
        work: &Work<'_>,
        look: &mut dyn FnMut() -> Result<(), Failure>,
    ) -> Result<Done, Failure> {
        let user = self.next_user();
        self.started = self.started.wrapping_add(1);
        let failed = |error: io::Error| {
            Failure::new(Blame::Host, work.doing.clone(), error.to_string())
                .advise("`keylane doctor` says what this host lacks")
        };
        let image = File::open(work.program).map_err(|error| {
            failed(io::Error::new(
                error.kind(),
                format!("{}: {error}", work.program.display()),
            ))
        })?;
        let (output, output_end) = jail::pipe().map_err(failed)?;
        let plan = Start {
            plan: self.plan(work, user),
            image: image.as_fd(),
            arguments: strings(&work.arguments).map_err(failed)?,
            environment: [
                launch::environment(),
                strings(&work.environment).map_err(failed)?,
            ]
            .concat(),
            descriptors: vec![output_end.as_fd(), output_end.as_fd()],
            leader: true,
            group: None,
        };
        // After the jail's first step standard error is the pipe; its reader shows what came.
        let explain = |message: String| eprintln!("{UNJAILED} {message}");
        let child = launch::start(&plan, &self.filters, explain, |_none| Ok(())).map_err(failed)?;
        drop(plan);
        drop(output_end);
        let worker = Worker {
            child,
            waited: Cell::new(false),
        };
        let done = worker.await_end(output.into(), work, look);
        done.unwrap_or_else(|error| Err(failed(error)))
    }

    fn plan(&self, work: &Work<'_>, user: Option<u32>) -> Plan {
        let limits = jail::Limits {
            memory: work.memory,
            processes: 256,
            descriptors: 1024,
            file: keylane_policy::limit::TREE_BYTES,
        };
        Plan {
            role: Role::Builder(work.job),
            groups: Groups::all(),
            name: format!("build-{}", work.job.name()),
            user,
            namespaces: self.mounts,
            limits,
            readable: work.readable.clone(),
            directory: None,
            build: Some(Build {
                job: work.job,
                folder: work.folder.to_owned(),
                executable: work.executable.clone(),
            }),
            root: self.mounts.then_some(Root { tmp: 0 }),
            ports: work.ports.clone(),
            // An index can be asked where Landlock knows no ports, too: nothing of a tenant runs there.
            unfiltered: true,
        }
    }
}

/// What stands before the jail's own words in a worker's output.
const UNJAILED: &str = "keylane-build: jail:";

fn strings(texts: &[String]) -> io::Result<Vec<CString>> {
    texts
        .iter()
        .map(|text| CString::new(text.as_str()).map_err(io::Error::other))
        .collect()
}

/// A worker that runs; dropping it ends everything that it started.
struct Worker {
    child: Child,
    waited: Cell<bool>,
}

impl Worker {
    /// Reads what it prints until it ends, at most as long as the work may take.
    fn await_end(
        &self,
        output: File,
        work: &Work<'_>,
        look: &mut dyn FnMut() -> Result<(), Failure>,
    ) -> io::Result<Result<Done, Failure>> {
        jail::set_nonblocking(&output)?;
        let mut output = output;
        let mut ready = Ready::new()?;
        ready.watch(&self.child, false)?;
        ready.watch(&output, true)?;
        let end = Instant::now().checked_add(work.time);
        let mut kept = Vec::new();
        loop {
            ready.wait(Some(LOOK))?;
            if read(&mut output, &mut kept)? {
                ready.again(true);
            }
            if process::has_ended(self.child.as_fd()) {
                // Before the worker is waited for, so that the number is still its group's.
                process::kill_group(self.child.pid())?;
                let ended = self.child.wait()?;
                self.waited.set(true);
                // What the pipe still holds: nobody writes to it any more.
                let _more = read(&mut output, &mut kept)?;
                let text = String::from_utf8_lossy(&kept).into_owned();
                return Ok(Ok(Done {
                    succeeded: ended == keylane_policy::abi::message::Ended::Exited(0),
                    ended: ended.to_string(),
                    unjailed: text
                        .lines()
                        .find_map(|line| line.strip_prefix(UNJAILED))
                        .map(|words| words.trim().to_owned()),
                    output: text,
                }));
            }
            if let Err(failure) = look() {
                return Ok(Err(failure));
            }
            if end.is_some_and(|end| Instant::now() > end) {
                let cause = format!("it took longer than {} s", work.time.as_secs());
                return Ok(Err(Failure::new(work.blame, work.doing.clone(), cause)));
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if self.waited.get() {
            return;
        }
        // In a pid namespace the init takes everything along; without one its session's group does,
        // and users of their own have nothing else that runs.
        let _gone_is_fine = process::kill_group(self.child.pid());
        let _gone_is_fine = self.child.kill();
        let _gone_is_fine = self.child.wait();
    }
}

/// Reads what there is, at most a turn's, and keeps the end of it; whether there may be more.
fn read(output: &mut File, kept: &mut Vec<u8>) -> io::Result<bool> {
    let mut bytes = [0; PIECE];
    for _ in 0..TURN {
        match output.read(&mut bytes) {
            Ok(0) => return Ok(false),
            Ok(count) => {
                kept.extend_from_slice(bytes.get(..count).unwrap_or_default());
                let over = kept.len().saturating_sub(KEPT);
                kept.drain(..over);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}
