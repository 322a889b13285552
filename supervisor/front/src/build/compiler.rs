//! The host's C compiler: where its parts are, and what a build worker needs to run them. Debian's gcc at
//! its fixed places, never by PATH.

use super::digest::Digest;
use crate::runtime::{self, HostRuntimes};
use keylane_policy::abi::message::Runtime;
use keylane_policy::blame::{Blame, Failure};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The driver, which starts the other parts.
pub(super) const GCC: &str = "/usr/bin/gcc";
const ASSEMBLER: &str = "/usr/bin/as";
const LINKER: &str = "/usr/bin/ld";
/// Below it a folder for each version, with the compiler proper and what starts the linker.
const PARTS: &str = "/usr/lib/gcc/x86_64-linux-gnu";
/// Headers, of which a worker sees all that the host has.
const HEADERS: &str = "/usr/include";
/// What the linker takes for the C library; it changes with the library's headers.
const C_LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/libc.so";
/// The one line that installs what is missing.
const INSTALL: &str = "sudo apt-get install -y --no-install-recommends gcc libc6-dev";

/// gcc on this host.
#[derive(Clone, Debug)]
pub(super) struct Compiler {
    /// What a worker may execute.
    pub(super) executable: Vec<PathBuf>,
    /// What it may read beyond that.
    pub(super) readable: Vec<PathBuf>,
    /// Which compiler that is: another version makes other objects.
    pub(super) identity: Digest,
}

impl Compiler {
    /// Looks for it.
    pub(super) fn find() -> Result<Compiler, Failure> {
        let missing = |path: &Path| {
            let cause = format!("there is no {}", path.display());
            Failure::new(Blame::Host, "looking for the C compiler", cause).advise(INSTALL)
        };
        let driver = Path::new(GCC);
        // x86_64-linux-gnu-gcc-12: the version names the folder of the parts.
        let real = driver.canonicalize().map_err(|_| missing(driver))?;
        let name = real.file_name().unwrap_or_default().to_string_lossy();
        let version = name.rsplit('-').next().unwrap_or_default();
        let folder = Path::new(PARTS).join(version);
        let executable: Vec<PathBuf> = vec![
            driver.to_owned(),
            folder.join("cc1"),
            folder.join("collect2"),
            ASSEMBLER.into(),
            LINKER.into(),
        ];
        let others = [PathBuf::from(C_LIBRARY), PathBuf::from(HEADERS)];
        let mut identity = String::new();
        for path in executable.iter().chain(&others) {
            let data = std::fs::metadata(path).map_err(|_| missing(path))?;
            let (size, time) = (data.size(), data.mtime());
            identity.push_str(&format!("{} {size} {time}\n", path.display()));
        }
        let host = HostRuntimes::find([Runtime::Native])?;
        let mut readable: Vec<PathBuf> =
            host.paths(Runtime::Native).iter().map(Into::into).collect();
        let more = [(HEADERS, "headers")];
        let found = runtime::spellings(Path::new("/"), &more);
        readable.extend(found.into_iter().map(PathBuf::from));
        readable.push(folder);
        Ok(Compiler {
            executable,
            readable,
            identity: Digest::of(identity.as_bytes()),
        })
    }
}
