//! A root of its own, where the process has a mount namespace: a small file system in memory that
//! holds copies of what the plan may read, read-only, and for an instance a private `/tmp`.
//!
//! Landlock and the filter stand below it as they do without it: this wall takes names away (there
//! is no path to anything else), makes files unwritable whoever owns them, and gives a folder to
//! write to that goes with the namespace.

use crate::step::{Step, StepError};
use crate::{FOLDER, Plan};
use keylane_policy::limit;
use keylane_policy::syscall::{Job, Role};
use keylane_sys::mount::{self, Access};
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

/// Where a function finds its tree, which is also where it starts.
pub const TREE: &str = "/function";
/// The private folder for files.
pub(crate) const TMP: &str = "/tmp";

/// Files and folders of a root: its paths' folders, a few for each path that an instance reads.
const INODES: u64 = 1024;

/// A root of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    /// Bytes that fit into its private `/tmp`; without one, 0.
    pub tmp: u64,
}

/// Copies of what the process may read, made while it can still reach it.
#[derive(Debug)]
pub(crate) struct Copies(Vec<Copy>);

#[derive(Debug)]
struct Copy {
    mount: OwnedFd,
    /// Below the root, relative.
    at: PathBuf,
    folder: bool,
}

fn refused(what: &str, error: &std::io::Error) -> StepError {
    StepError::refused(Step::Root, format!("{what}: {error}"))
}

/// Takes copies of what the plan reads and executes, each for the place that it has on the host, of
/// an instance's tree for [`TREE`], and of a build worker's folder for [`FOLDER`].
pub(crate) fn copies(plan: &Plan) -> Result<Copies, StepError> {
    let tree = plan.directory.as_deref();
    let executable = plan.build.iter().flat_map(|build| &build.executable);
    let mut wanted: Vec<(&Path, &Path)> = plan
        .readable
        .iter()
        .chain(executable)
        .map(PathBuf::as_path)
        .filter(|path| Some(*path) != tree)
        .map(|path| (path, path))
        .collect();
    if plan.role != Role::Lane {
        wanted.push((
            Path::new(crate::filesystem::NULL),
            Path::new(crate::filesystem::NULL),
        ));
    }
    wanted.extend(tree.map(|tree| (tree, Path::new(TREE))));
    // A folder comes before what lies in it, which then is there already.
    wanted.sort_by_key(|(_, at)| *at);
    wanted.dedup_by(|later, earlier| later.1.starts_with(earlier.1));
    let copy = |(from, at): (&Path, &Path)| {
        let failed = |error: std::io::Error| refused(&from.display().to_string(), &error);
        let kind = fs::metadata(from).map_err(failed)?.file_type();
        let access = if kind.is_char_device() {
            Access::Device
        } else {
            Access::ReadOnly
        };
        Ok(Copy {
            mount: mount::copy(from, access).map_err(failed)?,
            at: at.strip_prefix("/").unwrap_or(at).to_owned(),
            folder: kind.is_dir(),
        })
    };
    let mut copies = wanted
        .into_iter()
        .map(copy)
        .collect::<Result<Vec<_>, _>>()?;
    if let Some(build) = &plan.build {
        let shown = build.folder.display().to_string();
        // What the compiler makes on the way it may execute; what pip unpacks nobody does.
        let access = match build.job {
            Job::Compile => Access::Workshop,
            Job::Fetch | Job::Install => Access::Scratch,
        };
        copies.push(Copy {
            mount: mount::copy(&build.folder, access).map_err(|error| refused(&shown, &error))?,
            at: Path::new(FOLDER.trim_start_matches('/')).to_owned(),
            folder: true,
        });
    }
    Ok(Copies(copies))
}

/// Builds the root from `copies` and makes it this process's. What was mounted before cannot be
/// reached any more.
pub(crate) fn enter(copies: Copies, root: Root) -> Result<(), StepError> {
    let failed = |error: std::io::Error| refused("mounting", &error);
    let own = mount::memory(4096, INODES, Access::Scratch).map_err(failed)?;
    mount::cover_root(own.as_fd()).map_err(failed)?;
    for copy in copies.0 {
        let named = |error: std::io::Error| refused(&format!("/{}", copy.at.display()), &error);
        if copy.folder {
            mount::make_folders(own.as_fd(), &copy.at).map_err(named)?;
        } else {
            let above = copy.at.parent().unwrap_or(Path::new(""));
            mount::make_folders(own.as_fd(), above).map_err(named)?;
            mount::make_file(own.as_fd(), &copy.at).map_err(named)?;
        }
        mount::attach(copy.mount.as_fd(), own.as_fd(), &copy.at).map_err(named)?;
    }
    if root.tmp > 0 {
        let at = Path::new(TMP.trim_start_matches('/'));
        let named = |error: std::io::Error| refused(TMP, &error);
        let tmp = mount::memory(root.tmp, limit::tmp_files(root.tmp), Access::Scratch);
        mount::make_folders(own.as_fd(), at).map_err(named)?;
        mount::attach(tmp.map_err(named)?.as_fd(), own.as_fd(), at).map_err(named)?;
    }
    mount::restrict(own.as_fd(), Access::ReadOnly).map_err(failed)?;
    mount::enter(own.as_fd()).map_err(|error| refused("changing the root", &error))
}
