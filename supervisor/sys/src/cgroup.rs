//! Control groups, version 2 (cgroups(7)): one for a run, and in it one for each function.
//!
//! A run uses the nearest group, from its own upwards, that this user may divide and whose children
//! have the controllers `memory` and `pids`: its own where it is the hierarchy's root, else the one
//! above, such as a delegated slice. Nothing of other groups is changed, but for the controllers that
//! the children of this process's own group have: those are switched on where the kernel lets them be,
//! which is in the root alone, as this process is in it.
//!
//! A run's group is locked (flock(2)) for as long as the run lives, by whoever made it. One that nobody
//! locks is a killed run's, and the next run ends and removes it. It is known by its whole name: a comma
//! stands in it, which no unit of systemd may have (systemd.unit(5)), and numbers alone.

use crate::jail;
use crate::process::{Fork, Namespaces, exit, fork};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How the names of runs' groups begin; the rest is [`is_runs`]'s.
const PREFIX: &str = "keylane-run,";
/// What a function's group cannot do without.
const CONTROLLERS: [&str; 2] = ["memory", "pids"];
/// What it has as well where it can: an equal share of the processors, and a bound on it.
const PROCESSOR: &str = "cpu";
/// Microseconds in which a group may use its share: the kernel's own default (cpu.max).
const PERIOD: u64 = 100_000;
/// How long to wait for killed processes to leave their group.
const LEAVE: Duration = Duration::from_secs(2);
/// Tries at a group of its own: another run may sweep one away that is not locked yet.
const TRIES: u32 = 8;

/// The group of a run.
#[derive(Debug)]
pub struct Run {
    path: PathBuf,
    /// Held for its lock.
    _lock: File,
}

/// The group of a function's processes.
#[derive(Debug)]
pub struct Group {
    path: PathBuf,
}

/// Bounds of a function's group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of memory of all its processes together, their tmpfs and memfds included.
    pub memory: u64,
    /// Processes and threads.
    pub processes: u64,
    /// Hundredths of a processor; `None` is no bound.
    pub cpu: Option<u64>,
}

fn set(group: &Path, file: &str, value: &str) -> io::Result<()> {
    File::options()
        .write(true)
        .open(group.join(file))?
        .write_all(value.as_bytes())
}

fn lists(group: &Path, file: &str, wanted: &[&str]) -> bool {
    let text = fs::read_to_string(group.join(file)).unwrap_or_default();
    wanted
        .iter()
        .all(|wanted| text.split_whitespace().any(|found| found == *wanted))
}

/// Gives the children of `group` the controllers that they need, and the other one if that can be.
fn divide(group: &Path) -> io::Result<()> {
    const FILE: &str = "cgroup.subtree_control";
    set(
        group,
        FILE,
        &CONTROLLERS.map(|name| format!("+{name}")).join(" "),
    )?;
    let _where_it_can_be = set(group, FILE, &format!("+{PROCESSOR}"));
    Ok(())
}

/// The group of this process and the top of what it can see of the hierarchy.
fn own() -> Option<(PathBuf, PathBuf)> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    locate(&mounts, &groups)
}

/// As [`own`], from the texts of proc_pid_mountinfo(5) and cgroups(7). Paths with escaped characters
/// are not found, which costs the groups alone.
fn locate(mounts: &str, groups: &str) -> Option<(PathBuf, PathBuf)> {
    let group = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    mounts.lines().find_map(|line| {
        let (front, back) = line.split_once(" - ")?;
        if !back.starts_with("cgroup2 ") {
            return None;
        }
        let mut fields = front.split(' ').skip(3);
        let (root, at) = (fields.next()?, fields.next()?);
        // A group outside of the mount begins with "/..".
        let below = Path::new(group).strip_prefix(root).ok()?;
        let plain = |part| matches!(part, std::path::Component::Normal(_));
        below
            .components()
            .all(plain)
            .then(|| (Path::new(at).join(below), PathBuf::from(at)))
    })
}

/// Makes a group for this run, and removes what killed runs left beside it. The error says in words
/// why there is none. This process has one thread.
pub fn start() -> Result<Run, String> {
    let (own, top) = own().ok_or("no cgroup version 2 is mounted here")?;
    let mut why = String::from("no group above this process has controllers for memory and pids");
    for group in own.ancestors().take_while(|group| group.starts_with(&top)) {
        let has = |wanted: &[&str]| lists(group, "cgroup.subtree_control", wanted);
        // With processes in it a group cannot have controllers for its children, unless it is the
        // root: elsewhere this changes nothing.
        let divided =
            group == own && !(has(&CONTROLLERS) && has(&[PROCESSOR])) && divide(group).is_ok();
        if !divided && !has(&CONTROLLERS) {
            continue;
        }
        sweep(group, &own);
        match Run::below(group).and_then(Run::tried) {
            Ok(run) => return Ok(run),
            Err(error) => why = format!("{}: {error}", group.display()),
        }
    }
    Err(why)
}

/// The name of the group that process `pid` makes as its `number`th try at `time`.
fn name(pid: u32, number: u32, time: u64) -> String {
    format!("{PREFIX}{pid}-{number}-{time}")
}

/// Whether a group of this name was made for a run: it is a name that [`name`] makes.
fn is_runs(text: &str) -> bool {
    let mut parts = text.strip_prefix(PREFIX).unwrap_or_default().split('-');
    let parsed = (|| {
        let pid = parts.next()?.parse().ok()?;
        let number = parts.next()?.parse().ok()?;
        Some((pid, number, parts.next()?.parse().ok()?))
    })();
    // Made again, so that no other spelling of the numbers counts.
    parsed.is_some_and(|(pid, number, time)| number < TRIES && name(pid, number, time) == text)
}

/// Ends and removes the groups of runs that are dead, but for one that this process is in: `own`.
fn sweep(parent: &Path, own: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_some_and(is_runs)
            && !own.starts_with(entry.path())
            && let Ok(lock) = File::open(entry.path())
            && lock.try_lock().is_ok()
        {
            remove(&entry.path(), Instant::now());
        }
    }
}

/// Kills everything in a group and below, and removes it, as far as that is done until `end`.
fn remove(group: &Path, end: Instant) {
    let _nothing_in_it = set(group, "cgroup.kill", "1");
    loop {
        let below = fs::read_dir(group).map(|entries| {
            let folders = entries.flatten().filter(|e| e.path().is_dir());
            folders.map(|entry| entry.path()).collect::<Vec<_>>()
        });
        for child in below.unwrap_or_default() {
            let _tried_again = fs::remove_dir(child);
        }
        let gone = match fs::remove_dir(group) {
            Ok(()) => true,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        if gone || Instant::now() >= end {
            return;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

impl Run {
    fn below(parent: &Path) -> io::Result<Run> {
        for number in 0..TRIES {
            let path = parent.join(name(std::process::id(), number, crate::host::now_ns()));
            fs::create_dir(&path)?;
            // Another run may take it for a dead one's, and then has the lock, or had it.
            if let Ok(lock) = File::open(&path)
                && lock.try_lock().is_ok()
                && path.is_dir()
            {
                return Run { path, _lock: lock }.divided();
            }
            let _perhaps_gone = fs::remove_dir(&path);
        }
        Err(io::Error::other("other runs remove the group of this one"))
    }

    fn divided(self) -> io::Result<Run> {
        match divide(&self.path) {
            Ok(()) => Ok(self),
            Err(error) => {
                self.end();
                Err(error)
            }
        }
    }

    /// Proves that a process can be put below, which a parent that belongs to somebody else refuses.
    fn tried(self) -> io::Result<Run> {
        let bounds = Bounds {
            memory: 1 << 30,
            processes: 4,
            cpu: None,
        };
        let tried = self.group("trial", bounds).and_then(|group| {
            let (go, signal_go) = jail::pipe()?;
            match fork(Namespaces::Shared)? {
                Fork::Child => {
                    drop(signal_go);
                    let _until_the_parent_closes_it = File::from(go).read(&mut [0]);
                    exit(0)
                }
                Fork::Parent(child) => {
                    drop(go);
                    let entered = group.enter(child.pid());
                    drop(signal_go);
                    child.wait()?;
                    entered
                }
            }
        });
        match tried {
            Ok(()) => Ok(self),
            Err(error) => {
                self.end();
                Err(error)
            }
        }
    }

    /// Whether its groups share the processors equally, and can be bounded in their use.
    pub fn divides_processors(&self) -> bool {
        lists(&self.path, "cgroup.subtree_control", &[PROCESSOR])
    }

    /// A group of this name with these bounds; that of the processors where the groups have one. No
    /// swap is used by it, and when it meets the bound of its memory all its processes end together.
    pub fn group(&self, name: &str, bounds: Bounds) -> io::Result<Group> {
        let path = self.path.join(name);
        fs::create_dir(&path)?;
        let group = Group { path };
        set(&group.path, "memory.max", &bounds.memory.to_string())?;
        set(&group.path, "memory.oom.group", "1")?;
        set(&group.path, "pids.max", &bounds.processes.to_string())?;
        if let Some(hundredths) = bounds.cpu.filter(|_| self.divides_processors()) {
            let quota = hundredths.saturating_mul(PERIOD) / 100;
            set(&group.path, "cpu.max", &format!("{quota} {PERIOD}"))?;
        }
        match set(&group.path, "memory.swap.max", "0") {
            // A kernel without swap has no such file.
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(group),
        }
    }

    /// Ends every process in the run's groups and removes them.
    pub fn end(&self) {
        let now = Instant::now();
        remove(&self.path, now.checked_add(LEAVE).unwrap_or(now));
    }
}

impl Group {
    /// Puts the process `pid` into the group, and with it what it forks.
    pub fn enter(&self, pid: i32) -> io::Result<()> {
        set(&self.path, "cgroup.procs", &pid.to_string())
    }

    /// Kills every process in it, in one step of the kernel that no fork outruns.
    pub fn kill(&self) -> io::Result<()> {
        set(&self.path, "cgroup.kill", "1")
    }

    /// Whether the kernel has ended processes of it because it met the bound of its memory.
    pub fn met_memory_bound(&self) -> bool {
        fs::read_to_string(self.path.join("memory.events"))
            .is_ok_and(|events| killed_for_its_bound(&events))
    }

    /// Removes it; not while a process is in it. Says whether it is gone.
    pub fn remove(&self) -> bool {
        match fs::remove_dir(&self.path) {
            Ok(()) => true,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }
}

/// A group that was given up before anything was in it is not left behind. One with processes in it
/// cannot be removed (cgroups(7)): [`Run::end`] does that.
impl Drop for Group {
    fn drop(&mut self) {
        let _tried_again_at_the_end = self.remove();
    }
}

/// Whether a group's memory.events tell of processes that were killed for the group's own bound: `oom`
/// counts how often the bound was met and nothing could be reclaimed, `oom_kill` processes that any such
/// killer ended, the host's too (Documentation/admin-guide/cgroup-v2.rst in the kernel's source).
fn killed_for_its_bound(events: &str) -> bool {
    let counted = |name: &str| {
        let fields = events.lines().filter_map(|line| line.split_once(' '));
        fields
            .filter(|(field, _)| *field == name)
            .any(|(_, count)| count.trim() != "0")
    };
    counted("oom") && counted("oom_kill")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hosts_own_lack_of_memory_is_not_the_functions() {
        let events = |oom: u32, oom_kill: u32| {
            format!("low 0\nhigh 0\nmax 7\noom {oom}\noom_kill {oom_kill}\noom_group_kill 0\n")
        };
        assert!(killed_for_its_bound(&events(1, 3)));
        assert!(!killed_for_its_bound(&events(0, 3)), "the host's killer");
        assert!(!killed_for_its_bound(&events(2, 0)), "nothing was killed");
        assert!(!killed_for_its_bound(&events(0, 0)));
        assert!(!killed_for_its_bound(""));
    }

    #[test]
    fn a_runs_group_is_known_by_its_whole_name_and_no_unit_is_taken_for_one() {
        let made = name(4711, 7, 1_700_000_000_000_000_000);
        assert!(is_runs(&made), "{made}");
        for other in [
            "keylane-worker.service",
            "keylane-x.slice",
            "keylane-4711-0-1700000000000000000",
            "keylane-run,",
            "keylane-run,1-2",
            "keylane-run,1-8-3",
            "keylane-run,1-2-3.scope",
            "keylane-run,1-2-3-4",
            "keylane-run,+1-2-3",
            "keylane-run,01-2-3",
            "keylane-run,1--3",
            "x-keylane-run,1-2-3",
        ] {
            assert!(!is_runs(other), "{other} is taken for a run's");
        }
    }

    const MOUNT: &str = "41 31 0:38 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw\n";

    #[test]
    fn the_own_group_is_found_below_its_mount() {
        let found = locate(MOUNT, "1:name=systemd:/\n0::/user.slice/a.scope\n").unwrap();
        assert_eq!(found.0, Path::new("/sys/fs/cgroup/user.slice/a.scope"));
        assert_eq!(found.1, Path::new("/sys/fs/cgroup"));
        assert_eq!(locate(MOUNT, "0::/\n").unwrap().0, found.1);
    }

    #[test]
    fn a_group_outside_of_the_mount_and_a_host_without_version_2_have_none() {
        assert_eq!(locate(MOUNT, "0::/../other\n"), None);
        assert_eq!(locate(MOUNT, "5:memory:/a\n"), None);
        assert_eq!(
            locate(&MOUNT.replace("cgroup2 ", "cgroup "), "0::/\n"),
            None
        );
        let part = MOUNT.replace(" / /sys", " /part /sys");
        assert_eq!(locate(&part, "0::/whole\n"), None);
        let below = locate(&part, "0::/part/of\n").unwrap();
        assert_eq!(below.0, Path::new("/sys/fs/cgroup/of"));
    }
}
