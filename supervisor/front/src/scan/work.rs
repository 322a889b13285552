//! Examines many files on all processors.

use super::files::{List, Listed};
use super::{Examined, Scan};
use keylane_image::examine as examine_file;
use rustix::fs::OFlags;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Instant;

/// More than these read no faster from one disk.
const THREADS: usize = 8;

/// Examines the files; `progress` is told which one was examined last, how many were, and of how
/// many.
pub(super) fn examine(list: List, progress: &mut dyn FnMut(&Path, u64, u64)) -> Scan {
    let start = Instant::now();
    let mut scan = Scan {
        files: list.files.len() as u64,
        ..Scan::default()
    };
    let (files, next) = (&list.files, &AtomicUsize::new(0));
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(THREADS);
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..threads {
            let sender = sender.clone();
            scope.spawn(move || {
                let mut buffer = Vec::new();
                while let Some(listed) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if sender.send((listed, one(listed, &mut buffer))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (done, (listed, examined)) in (1..).zip(receiver) {
            progress(&listed.path, done, scan.files);
            if let Some(examined) = examined {
                scan.add(examined);
            }
        }
    });
    for (path, error) in list.unread {
        scan.errors += 1;
        scan.told.push(Examined {
            path,
            named: false,
            result: Err(error),
        });
    }
    scan.told.sort_by(|one, other| one.path.cmp(&other.path));
    scan.took = start.elapsed();
    scan
}

/// What is said about one file; none if it is no ELF file.
fn one(listed: &Listed, buffer: &mut Vec<u8>) -> Option<Examined> {
    let result = match open(listed) {
        Ok(Some(file)) => examine_file(&file, buffer).map_err(|error| error.to_string()),
        Ok(None) => Ok(None),
        Err(error) => Err(format!("opening failed: {error}")),
    };
    let (path, named) = (listed.path.clone(), listed.named);
    match result {
        Ok(Some(findings)) => Some(Examined {
            path,
            named,
            result: Ok(findings),
        }),
        Ok(None) if named => {
            let result = Err("not an ELF file".to_owned());
            Some(Examined {
                path,
                named,
                result,
            })
        }
        Ok(None) => None,
        Err(error) => Some(Examined {
            path,
            named,
            result: Err(error),
        }),
    }
}

/// Opens a file; none if it has become something else since its folder was read. Never waits, as
/// opening a pipe would.
fn open(listed: &Listed) -> std::io::Result<Option<std::fs::File>> {
    let mut flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    if !listed.named {
        flags |= OFlags::NOFOLLOW;
    }
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(&listed.path)?;
    Ok(file.metadata()?.is_file().then_some(file))
}
