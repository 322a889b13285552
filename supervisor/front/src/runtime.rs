//! What functions run on. For Python, Debian's libpython3.11 and its standard library, found at
//! their fixed places and never by PATH, which may lead to another Python; for native functions the
//! dynamic loader and the libraries beside it.

use crate::project::manifest::Function;
use keylane_policy::abi::message::Runtime;
use keylane_policy::blame::{Blame, Failure};
use keylane_policy::syscall::Group;
use std::path::{Path, PathBuf};

/// The interpreter as a library.
const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0";

/// A file of the standard library without which nothing starts.
const STDLIB: &str = "/usr/lib/python3.11/encodings/__init__.py";

/// The one line that installs both.
pub const INSTALL: &str = "sudo apt-get install -y libpython3.11";

/// What an instance of a Python function may read beyond [`READABLE`], and why.
const READABLE_BY_PYTHON: [(&str, &str); 1] = [("/usr/lib/python3.11", "the standard library")];

/// What an instance may read outside of its own tree, and why. Nothing here is secret or can be
/// written by a user. What is missing on a host is left out.
const READABLE: [(&str, &str); 10] = [
    (
        "/lib64",
        "the dynamic loader, by the name that executables call it",
    ),
    (
        "/lib/x86_64-linux-gnu",
        "the C library, by the name that the loader's cache calls it",
    ),
    (
        "/usr/lib/x86_64-linux-gnu",
        "libpython, and libraries of extension modules and shared objects",
    ),
    (
        "/etc/ld.so.cache",
        "where the loader looks first for libraries",
    ),
    ("/usr/share/zoneinfo", "time zones, for the module zoneinfo"),
    (
        "/etc/localtime",
        "the host's time zone, read when the module time is imported",
    ),
    (
        "/usr/lib/ssl/openssl.cnf",
        "read when hashlib or ssl start OpenSSL",
    ),
    (
        "/dev/null",
        "opened by libraries that want a stream without an end",
    ),
    ("/dev/zero", "opened by libraries for fresh memory"),
    (
        "/dev/urandom",
        "opened by libraries older than getrandom(2)",
    ),
];

/// What an instance with a network may read on top, and why.
const READABLE_BY_NETWORK: [(&str, &str); 8] = [
    ("/etc/resolv.conf", "which name servers to ask"),
    ("/etc/hosts", "names that no server is asked for"),
    ("/etc/nsswitch.conf", "in which order"),
    ("/etc/host.conf", "the same for older programs"),
    ("/etc/gai.conf", "which of several addresses comes first"),
    ("/etc/services", "names of ports"),
    (
        "/usr/lib/ssl/certs",
        "whom TLS trusts, by the name that OpenSSL calls it",
    ),
    (
        "/usr/share/ca-certificates",
        "what the links in there lead to",
    ),
];

/// What this host has for the functions of a project: for each runtime that they need, the absolute
/// paths that an instance needs to read, each as it is called and, where it is or leads through a
/// link, as it resolves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostRuntimes {
    python: Vec<String>,
    native: Vec<String>,
    network: Vec<String>,
}

impl HostRuntimes {
    /// Finds what these runtimes need. A host without Python is fit for functions that are all
    /// native.
    pub fn find(wanted: impl IntoIterator<Item = Runtime>) -> Result<HostRuntimes, Failure> {
        HostRuntimes::find_below(Path::new("/"), wanted)
    }

    fn find_below(
        root: &Path,
        wanted: impl IntoIterator<Item = Runtime>,
    ) -> Result<HostRuntimes, Failure> {
        if wanted.into_iter().any(|runtime| runtime == Runtime::Python) {
            look_for_python(root)?;
        }
        let more = READABLE_BY_PYTHON.iter();
        Ok(HostRuntimes {
            python: spellings(root, READABLE.iter().chain(more)),
            native: spellings(root, &READABLE),
            network: spellings(root, &READABLE_BY_NETWORK),
        })
    }

    /// What an instance of this function may read beside its tree.
    pub fn paths_of(&self, function: &Function) -> Vec<String> {
        let mut paths = self.paths(function.handler.runtime()).to_vec();
        if function.rights.groups.has(Group::Network) {
            paths.extend(self.network.iter().cloned());
        }
        paths
    }

    /// What an instance of this runtime may read.
    pub fn paths(&self, runtime: Runtime) -> &[String] {
        match runtime {
            Runtime::Python => &self.python,
            Runtime::Native => &self.native,
        }
    }
}

/// Whether functions in Python can run on this host.
pub fn python_is_there() -> Result<(), Failure> {
    look_for_python(Path::new("/"))
}

fn place(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}

fn look_for_python(root: &Path) -> Result<(), Failure> {
    for needed in [LIBRARY, STDLIB] {
        if !place(root, needed).is_file() {
            let doing = "looking for the runtime python3.11";
            let cause = format!("there is no {needed}");
            return Err(Failure::new(Blame::Host, doing, cause).advise(INSTALL));
        }
    }
    Ok(())
}

/// Those of the paths that exist, under each of their names.
pub(crate) fn spellings<'p>(
    root: &Path,
    readable: impl IntoIterator<Item = &'p (&'p str, &'p str)>,
) -> Vec<String> {
    let mut paths = Vec::new();
    for (path, _why) in readable {
        let here = place(root, path);
        let Ok(real) = here.canonicalize() else {
            continue;
        };
        for spelling in [here, real] {
            let spelling = spelling.to_string_lossy().into_owned();
            if !paths.contains(&spelling) {
                paths.push(spelling);
            }
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TempFolder;

    #[test]
    fn a_host_without_python_is_told_the_one_line_that_installs_it() {
        let temp = TempFolder::new();
        let wanted = [Runtime::Native, Runtime::Python];
        let failure = HostRuntimes::find_below(temp.path(), wanted).unwrap_err();
        assert_eq!(failure.blame, Blame::Host);
        assert_eq!(
            failure.advice.as_deref(),
            Some("sudo apt-get install -y libpython3.11")
        );
        temp.write(LIBRARY.trim_start_matches('/'), "");
        let failure = HostRuntimes::find_below(temp.path(), wanted).unwrap_err();
        assert!(failure.cause.contains("encodings"), "{failure}");
    }

    #[test]
    fn native_functions_need_no_python_and_get_nothing_of_it() {
        let temp = TempFolder::new();
        for path in ["usr/lib/python3.11/encodings/__init__.py", "lib64/ld.so"] {
            temp.write(path, "");
        }
        let host = HostRuntimes::find_below(temp.path(), [Runtime::Native]).unwrap();
        let [loader] = host.paths(Runtime::Native) else {
            panic!("{host:?}");
        };
        assert!(loader.ends_with("/lib64"), "{loader}");
    }

    #[test]
    fn only_what_exists_is_readable_and_links_appear_under_both_names() {
        let temp = TempFolder::new();
        let root = temp.path().canonicalize().unwrap();
        for path in [LIBRARY, STDLIB, "/usr/lib64/ld.so"] {
            temp.write(path.trim_start_matches('/'), "");
        }
        std::os::unix::fs::symlink("usr/lib64", root.join("lib64")).unwrap();
        let host = HostRuntimes::find_below(&root, [Runtime::Python]).unwrap();
        let expected = [
            "lib64",
            "usr/lib64",
            "usr/lib/x86_64-linux-gnu",
            "usr/lib/python3.11",
        ];
        let expected = expected.map(|path| root.join(path).to_string_lossy().into_owned());
        assert_eq!(host.paths(Runtime::Python), expected);
    }

    #[test]
    fn nothing_private_is_readable() {
        for (path, _why) in READABLE
            .iter()
            .chain(&READABLE_BY_PYTHON)
            .chain(&READABLE_BY_NETWORK)
        {
            for private in [
                "/etc/ssl/private",
                "/etc/shadow",
                "/proc",
                "/sys",
                "/home",
                "/root",
            ] {
                assert!(!Path::new(private).starts_with(path), "{path}");
                assert!(!Path::new(path).starts_with(private), "{path}");
            }
        }
    }
}
