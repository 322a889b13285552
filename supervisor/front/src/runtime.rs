//! The Python that functions run on: Debian's libpython3.11 and its standard library, found at
//! their fixed places and never by PATH, which may lead to another Python.

use keylane_policy::blame::{Blame, Failure};
use std::path::Path;

/// The interpreter as a library.
const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0";

/// A file of the standard library without which nothing starts.
const STDLIB: &str = "/usr/lib/python3.11/encodings/__init__.py";

/// The one line that installs both.
pub const INSTALL: &str = "sudo apt-get install -y libpython3.11";

/// What an instance may read outside of its own tree, and why. Nothing here is secret or can be
/// written by a user. What is missing on a host is left out.
const READABLE: [(&str, &str); 11] = [
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
        "libpython and the libraries of its extension modules",
    ),
    ("/usr/lib/python3.11", "the standard library"),
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

/// A Python that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runtime {
    /// Absolute paths that an instance needs to read, each as it is called and, where it is or
    /// leads through a link, as it resolves.
    pub paths: Vec<String>,
}

impl Runtime {
    /// Finds the Python of this host.
    pub fn find() -> Result<Runtime, Failure> {
        Runtime::find_below(Path::new("/"))
    }

    fn find_below(root: &Path) -> Result<Runtime, Failure> {
        let place = |path: &str| root.join(path.trim_start_matches('/'));
        for needed in [LIBRARY, STDLIB] {
            if !place(needed).is_file() {
                let doing = "looking for the runtime python3.11";
                let cause = format!("there is no {needed}");
                return Err(Failure::new(Blame::Host, doing, cause).advise(INSTALL));
            }
        }
        let mut paths = Vec::new();
        for (path, _why) in READABLE {
            let here = place(path);
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
        Ok(Runtime { paths })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TempFolder;

    #[test]
    fn a_host_without_python_is_told_the_one_line_that_installs_it() {
        let temp = TempFolder::new();
        let failure = Runtime::find_below(temp.path()).unwrap_err();
        assert_eq!(failure.blame, Blame::Host);
        assert_eq!(
            failure.advice.as_deref(),
            Some("sudo apt-get install -y libpython3.11")
        );
        temp.write(LIBRARY.trim_start_matches('/'), "");
        let failure = Runtime::find_below(temp.path()).unwrap_err();
        assert!(failure.cause.contains("encodings"), "{failure}");
    }

    #[test]
    fn only_what_exists_is_readable_and_links_appear_under_both_names() {
        let temp = TempFolder::new();
        let root = temp.path().canonicalize().unwrap();
        for path in [LIBRARY, STDLIB, "/usr/lib64/ld.so"] {
            temp.write(path.trim_start_matches('/'), "");
        }
        std::os::unix::fs::symlink("usr/lib64", root.join("lib64")).unwrap();
        let runtime = Runtime::find_below(&root).unwrap();
        let expected = [
            "lib64",
            "usr/lib64",
            "usr/lib/x86_64-linux-gnu",
            "usr/lib/python3.11",
        ];
        let expected = expected.map(|path| root.join(path).to_string_lossy().into_owned());
        assert_eq!(runtime.paths, expected);
    }

    #[test]
    fn nothing_private_is_readable() {
        for (path, _why) in READABLE {
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
