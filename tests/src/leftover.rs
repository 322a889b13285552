//! What a command could leave behind, and what is known of a process from /proc (proc(5)).
//!
//! Other tests run keylane at the same time, so everything that belongs to one command is found
//! by a mark of its own: a TMPDIR that only it uses, and the process that it started.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// All descendants of a process, by their parents in /proc/PID/stat; no zombies.
pub fn descendants(of: u32) -> BTreeSet<u32> {
    let table = parents();
    let mut family = BTreeSet::from([of]);
    loop {
        let before = family.len();
        for (pid, parent) in &table {
            if family.contains(parent) {
                family.insert(*pid);
            }
        }
        if family.len() == before {
            family.remove(&of);
            family.retain(|pid| lives(*pid));
            return family;
        }
    }
}

/// The children of a process.
pub fn children(of: u32) -> BTreeSet<u32> {
    parents()
        .into_iter()
        .filter(|(pid, parent)| *parent == of && lives(*pid))
        .map(|(pid, _)| pid)
        .collect()
}

fn parents() -> Vec<(u32, u32)> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            let fields = stat.rsplit_once(')')?.1;
            Some((pid, fields.split_whitespace().nth(1)?.parse().ok()?))
        })
        .collect()
}

/// Whether a process exists and is no zombie.
pub fn lives(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .ok()
        .and_then(|stat| Some(stat.rsplit_once(')')?.1.trim_start().chars().next()? != 'Z'))
        .unwrap_or(false)
}

/// The fields of /proc/PID/status.
pub fn status(pid: u32) -> BTreeMap<String, String> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect()
}

/// Whether a process is in a pid namespace below this one: then that namespace's end is its own.
pub fn is_namespaced(pid: u32) -> bool {
    status(pid)
        .get("NSpid")
        .is_some_and(|numbers| numbers.split_whitespace().count() > 1)
}

/// A process's command line, its arguments parted by blanks.
pub fn command_line(pid: u32) -> String {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes)
        .trim_end_matches('\0')
        .replace('\0', " ")
}

/// The processes of a running command, by their part in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Family {
    /// The child of the front.
    pub spawner: Option<u32>,
    /// Children of the spawner that run the lane's image.
    pub lanes: Vec<u32>,
    /// The tiny init above each zygote.
    pub inits: Vec<u32>,
    /// Children of the inits that have executed the launcher's image.
    pub zygotes: Vec<u32>,
    /// Children of the zygotes.
    pub workers: Vec<u32>,
}

impl Family {
    /// The processes below the front `front`, as they are now.
    pub fn of(front: u32) -> Family {
        let mut family = Family {
            spawner: children(front).into_iter().next(),
            ..Family::default()
        };
        let Some(spawner) = family.spawner else {
            return family;
        };
        for child in children(spawner) {
            if command_line(child).starts_with("keylane-lane") {
                family.lanes.push(child);
                continue;
            }
            for zygote in children(child) {
                // Before its exec it still is a copy of the spawner.
                if !command_line(zygote).starts_with("keylane-spawner") {
                    family.inits.push(child);
                    family.zygotes.push(zygote);
                    family.workers.extend(children(zygote));
                }
            }
        }
        family
    }
}

/// Names in a folder.
pub fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder)
        .map(|entries| {
            entries
                .flatten()
                .map(|e| e.file_name().to_string_lossy().into_owned())
                .collect()
        })
        .unwrap_or_default()
}

/// The mounts of this process.
pub fn mounts() -> String {
    fs::read_to_string("/proc/self/mounts").unwrap_or_default()
}
