//! Debian's pip on Debian's Python: where both are, what a build worker needs to run them, and what pip's
//! words mean.

use crate::runtime::{self, HostRuntimes};
use keylane_policy::abi::message::Runtime;
use keylane_policy::blame::{Blame, Failure};
use std::path::{Path, PathBuf};

/// The interpreter as a program.
pub const PYTHON: &str = "/usr/bin/python3.11";
/// Where python3-pip puts pip.
const PACKAGE: &str = "/usr/lib/python3/dist-packages/pip/__main__.py";
/// Where python3-pip-whl puts it, as a wheel that Python can run.
const WHEELS: &str = "/usr/share/python-wheels";
/// The one line that installs what is missing.
pub const INSTALL: &str = "sudo apt-get install -y --no-install-recommends python3.11 \
                           python3-pip-whl ca-certificates";

/// What pip and Python read beyond what a function does.
const READABLE: [(&str, &str); 4] = [
    ("/usr/lib/python3", "Debian's own packages, pip among them"),
    (WHEELS, "pip as a wheel"),
    ("/etc/python3.11", "what Debian's Python reads at its start"),
    ("/etc/debian_version", "pip names its system to the index"),
];

/// What the worker that fetches reads beyond that: names and certificates. What pip's settings are and
/// name is [`super::index`]'s.
const NETWORK: [(&str, &str); 9] = [
    ("/etc/resolv.conf", "who knows names"),
    ("/etc/hosts", "names"),
    ("/etc/nsswitch.conf", "how names are looked up"),
    ("/etc/host.conf", "how names are looked up"),
    ("/etc/gai.conf", "which address is tried first"),
    ("/etc/services", "ports by name"),
    ("/etc/ssl/certs", "whom to believe"),
    ("/usr/share/ca-certificates", "where those lead"),
    ("/usr/local/share/ca-certificates", "where those lead"),
];

/// pip on this host.
#[derive(Clone, Debug)]
pub struct Pip {
    /// What stands before pip's own arguments.
    start: Vec<String>,
    readable: Vec<PathBuf>,
}

impl Pip {
    /// Looks for it.
    pub fn find() -> Result<Pip, Failure> {
        let doing = "looking for pip";
        let missing = |cause: String| Failure::new(Blame::Host, doing, cause).advise(INSTALL);
        if !Path::new(PYTHON).is_file() {
            return Err(missing(format!("there is no {PYTHON}")));
        }
        // -I: nothing of the environment and of the current folder; -B: no bytecode.
        let mut start: Vec<String> = [PYTHON, "-I", "-B"].map(str::to_owned).into();
        if Path::new(PACKAGE).is_file() {
            start.extend(["-m".to_owned(), "pip".to_owned()]);
        } else if let Some(wheel) = wheel() {
            start.push(format!("{}/pip", wheel.display()));
        } else {
            return Err(missing(format!(
                "there is neither {PACKAGE} nor a pip-*.whl in {WHEELS}"
            )));
        }
        let host = HostRuntimes::find([Runtime::Python])?;
        let mut readable: Vec<PathBuf> =
            host.paths(Runtime::Python).iter().map(Into::into).collect();
        readable.extend(existing(&READABLE));
        Ok(Pip { start, readable })
    }

    /// pip itself, as a module or as the path of something that Python runs.
    pub fn entry(&self) -> &str {
        self.start.last().map_or("", String::as_str)
    }

    /// The arguments of a worker that calls pip with these.
    pub fn arguments(&self, own: &[&str]) -> Vec<String> {
        let own = own.iter().map(|word| (*word).to_owned());
        self.start.iter().cloned().chain(own).collect()
    }

    /// What such a worker reads.
    pub fn readable(&self, network: bool) -> Vec<PathBuf> {
        let more = if network {
            existing(&NETWORK)
        } else {
            Vec::new()
        };
        self.readable.iter().cloned().chain(more).collect()
    }
}

fn existing(paths: &[(&str, &str)]) -> Vec<PathBuf> {
    let found = runtime::spellings(Path::new("/"), paths);
    found.into_iter().map(PathBuf::from).collect()
}

fn wheel() -> Option<PathBuf> {
    let entries = std::fs::read_dir(WHEELS).ok()?.flatten();
    let is_pip = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy());
        name.is_some_and(|name| name.starts_with("pip-") && name.ends_with(".whl"))
    };
    entries.map(|entry| entry.path()).filter(is_pip).max()
}

/// Why pip failed to fetch, in its own last words, and whose fault that is.
pub fn failure(doing: &str, output: &str) -> Failure {
    let said = |words: &[&str]| words.iter().any(|word| output.contains(word));
    let cause = last_words(output);
    if said(&["DO NOT MATCH THE HASHES"]) {
        let advice = "the index has other bytes than the lock or the requirements say; find out why before you remove keylane.lock";
        Failure::new(Blame::Operator, doing, cause).advise(advice)
    } else if said(&[
        "connection broken",
        "Connection refused",
        "ConnectTimeout",
        "NewConnectionError",
        "ProxyError",
        "SSLError",
        "Temporary failure in name resolution",
        "ReadTimeout",
    ]) {
        let advice = "check the network and pip's index (PIP_INDEX_URL, pip.conf); with --offline only the cache is asked";
        Failure::new(Blame::Host, doing, cause).advise(advice)
    } else if said(&[
        "No matching distribution",
        "ResolutionImpossible",
        "THESE PACKAGES",
    ]) {
        let advice = "ask for versions that exist together and come as a wheel for Python 3.11 on Linux: source packages are not built";
        Failure::new(Blame::Workflow, doing, cause).advise(advice)
    } else {
        Failure::new(Blame::Host, doing, cause)
    }
}

/// The lines that pip marks as errors, else its last ones; at most a few.
pub fn last_words(output: &str) -> String {
    let lines: Vec<&str> = output
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let errors: Vec<&str> = lines
        .iter()
        .copied()
        .skip_while(|line| !line.starts_with("ERROR"))
        .take(8)
        .collect();
    let told = if errors.is_empty() {
        lines
            .get(lines.len().saturating_sub(8)..)
            .unwrap_or_default()
    } else {
        &errors
    };
    if told.is_empty() {
        "pip said nothing".into()
    } else {
        told.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_blamed_on_who_can_mend_it() {
        for (output, blame) in [
            (
                "WARNING: Retrying after connection broken by 'NewConnectionError'\nERROR: No matching distribution found for x",
                Blame::Host,
            ),
            (
                "ERROR: No matching distribution found for x",
                Blame::Workflow,
            ),
            (
                "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE",
                Blame::Operator,
            ),
            ("Traceback", Blame::Host),
        ] {
            assert_eq!(failure("x", output).blame, blame, "{output}");
        }
        assert_eq!(last_words("a\nERROR: b\nc\n"), "ERROR: b\nc");
        assert_eq!(last_words(""), "pip said nothing");
    }
}
