//! What a command could leave behind: processes, staged files, mounts.
//!
//! Other tests run keylane at the same time, so everything that belongs to one command is found
//! by a mark of its own: a TMPDIR that only it uses, and the process that it started.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// All descendants of a process, by their parents in /proc/PID/stat (proc(5)).
pub fn descendants(of: u32) -> BTreeSet<u32> {
    let mut family = BTreeSet::from([of]);
    loop {
        let before = family.len();
        for (pid, parent) in parents() {
            if family.contains(&parent) {
                family.insert(pid);
            }
        }
        if family.len() == before {
            family.remove(&of);
            return family;
        }
    }
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
            let parent = stat
                .rsplit_once(')')?
                .1
                .split_whitespace()
                .nth(1)?
                .parse()
                .ok()?;
            Some((pid, parent))
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
