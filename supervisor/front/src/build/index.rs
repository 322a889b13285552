//! Where packages come from: pip's own settings, as the operator's environment and the host have them.
//! They are copied one by one and by name; nothing of a project is asked.
//!
//! pip goes on in silence without a settings file that it cannot read, and then asks its default index,
//! where anybody may have given a private package's name to another one. So what is set and cannot be
//! handed on is an error here.
//!
//! The settings may hold passwords (in an index's URL): the worker that fetches gets them, which runs
//! nothing of a tenant, and no other one.

use super::settings::{self, Setting};
use keylane_policy::blame::{Blame, Failure};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The variables that are copied (pip's user guide, "Configuration"; requests' manual, "Proxies").
const VARIABLES: [&str; 23] = [
    "PIP_INDEX_URL",
    "PIP_PYPI_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_NO_INDEX",
    "PIP_FIND_LINKS",
    "PIP_TRUSTED_HOST",
    "PIP_CERT",
    "PIP_CLIENT_CERT",
    "PIP_PROXY",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_TIMEOUT",
    "PIP_RETRIES",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    // Where the host's settings are looked for, see `host_files`.
    "XDG_CONFIG_DIRS",
];
/// The host's own settings beside those of XDG_CONFIG_DIRS: for all programs, and for Debian's Python.
const HOST_FILES: [&str; 2] = ["/etc/pip.conf", "/usr/pip.conf"];
/// What XDG_CONFIG_DIRS is where nobody sets it (XDG Base Directory Specification).
const CONFIG_DIRS: &str = "/etc/xdg";
/// The value of PIP_CONFIG_FILE by which pip reads no settings file at all.
const NO_FILES: &str = "/dev/null";
/// HTTP's and HTTPS's ports, and DNS's where an answer is too long for a datagram.
const PORTS: [u16; 3] = [53, 80, 443];
const DOING: &str = "reading the settings of pip's index";

/// The operator's settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// `NAME=value` for the worker's environment.
    pub environment: Vec<String>,
    /// The operator's own settings file, of which the worker gets a copy as PIP_CONFIG_FILE.
    pub config: Option<Vec<u8>>,
    /// Files and folders of the host that the worker reads: its settings, and what they name.
    pub readable: Vec<PathBuf>,
    /// The TCP ports that the settings name.
    pub ports: Vec<u16>,
}

/// A file's bytes and mode.
type Contents = (Vec<u8>, u32);

/// What the settings are read from.
struct Host<'h> {
    variable: &'h dyn Fn(&str) -> Option<OsString>,
    /// Reads a file.
    read: &'h dyn Fn(&Path) -> io::Result<Contents>,
    /// Where a path leads.
    resolve: &'h dyn Fn(&Path) -> io::Result<PathBuf>,
    /// Whether workers run as another user than this process.
    root: bool,
}

impl Index {
    /// The settings of this process's environment, or which of them cannot be handed on.
    pub fn of_operator() -> Result<Index, Failure> {
        Index::of(&Host {
            variable: &|name| std::env::var_os(name),
            read: &|path| {
                let bytes = std::fs::read(path)?;
                Ok((bytes, std::fs::metadata(path)?.mode()))
            },
            resolve: &|path| path.canonicalize(),
            root: rustix::process::geteuid().is_root(),
        })
    }

    fn of(host: &Host<'_>) -> Result<Index, Failure> {
        let mut index = Index::default();
        let mut settings = Vec::new();
        for name in VARIABLES {
            if let Some(value) = host.text(name)? {
                settings.push(Setting::of_variable(name, &value));
                index.environment.push(format!("{name}={value}"));
            }
        }
        if host.text("PIP_CONFIG_FILE")?.as_deref() == Some(NO_FILES) {
            index
                .environment
                .push(format!("PIP_CONFIG_FILE={NO_FILES}"));
        } else {
            for path in host.host_files()? {
                let Some((bytes, mode)) = host.file(&path)? else {
                    continue;
                };
                if host.root && mode & 0o004 == 0 {
                    let why = "it is closed to the user of the worker that fetches";
                    return Err(wrong(&path, why).advise("let others read it (chmod o+r)"));
                }
                settings.extend(settings::read(&bytes));
                index.readable.push(path);
            }
            index.config = host.own_file()?;
            settings.extend(index.config.iter().flat_map(|bytes| settings::read(bytes)));
        }
        let ports: BTreeSet<u16> = settings
            .iter()
            .flat_map(Setting::ports)
            .chain(PORTS)
            .collect();
        index.ports = ports.into_iter().collect();
        for path in settings.iter().flat_map(Setting::paths) {
            index.readable.extend(host.named(&path)?);
        }
        Ok(index)
    }
}

impl Host<'_> {
    /// A variable that is set to something.
    fn text(&self, name: &str) -> Result<Option<String>, Failure> {
        let Some(value) = (self.variable)(name).filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        value.into_string().map(Some).map_err(|_bytes| {
            let cause = format!("the variable {name} is not UTF-8");
            Failure::new(Blame::Operator, DOING, cause).advise("write it in UTF-8, or unset it")
        })
    }

    /// The contents of a settings file and its mode, if it is there.
    fn file(&self, path: &Path) -> Result<Option<Contents>, Failure> {
        match (self.read)(path) {
            Ok(found) => Ok(Some(found)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => {
                let advice =
                    "let yourself read it, or remove it: without it pip would ask another index";
                Err(wrong(path, &error.to_string()).advise(advice))
            }
        }
    }

    /// Where pip looks for the host's settings; the worker reads them where they are.
    fn host_files(&self) -> Result<Vec<PathBuf>, Failure> {
        let folders = self.text("XDG_CONFIG_DIRS")?;
        let folders = folders.as_deref().unwrap_or(CONFIG_DIRS).split(':');
        let mut files: Vec<PathBuf> = folders
            .filter(|folder| folder.starts_with('/'))
            .map(|folder| Path::new(folder).join("pip/pip.conf"))
            .collect();
        files.extend(HOST_FILES.map(PathBuf::from));
        files.dedup();
        Ok(files)
    }

    /// The operator's own settings: the file that PIP_CONFIG_FILE names, if it is there, else the one
    /// below the operator's home.
    fn own_file(&self) -> Result<Option<Vec<u8>>, Failure> {
        if let Some(named) = self.text("PIP_CONFIG_FILE")?
            && let Some((bytes, _mode)) = self.file(Path::new(&named))?
        {
            return Ok(Some(bytes));
        }
        let home = self.text("HOME")?.map(PathBuf::from);
        let base = self.text("XDG_CONFIG_HOME")?.map(PathBuf::from);
        let base = base.or_else(|| home.as_ref().map(|home| home.join(".config")));
        let old = home.map(|home| home.join(".pip/pip.conf"));
        let new = base.map(|base| base.join("pip/pip.conf"));
        let mut found = Vec::new();
        for path in [old, new].into_iter().flatten() {
            found.extend(self.file(&path)?.map(|(bytes, _mode)| (path, bytes)));
        }
        if let [(old, _), (new, _)] = found.as_slice() {
            // pip reads both, one over the other; a worker gets one file.
            let why = format!("{} is there as well", new.display());
            return Err(wrong(old, &why).advise("put the settings of both into the second one"));
        }
        Ok(found.pop().map(|(_path, bytes)| bytes))
    }

    /// What a setting names, by its name and where that leads; nothing where there is nothing.
    fn named(&self, path: &Path) -> Result<Vec<PathBuf>, Failure> {
        match (self.resolve)(path) {
            Ok(real) if real == Path::new("/") => {
                let why = "a setting of pip names it, and the worker would read the whole host";
                Err(wrong(path, why).advise("name the folder of wheels, or the certificate"))
            }
            Ok(real) if real == path => Ok(vec![real]),
            Ok(real) => Ok(vec![path.to_owned(), real]),
            Err(error) if is_missing(&error) => Ok(Vec::new()),
            Err(error) => {
                Err(wrong(path, &error.to_string())
                    .advise("correct the setting of pip that names it"))
            }
        }
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn wrong(path: &Path, why: &str) -> Failure {
    Failure::new(Blame::Operator, DOING, format!("{}: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    /// A host with these variables and files; a file without text cannot be read.
    fn index(variables: &[(&str, &str)], files: &[(&str, Option<&str>)]) -> Result<Index, Failure> {
        Index::of(&Host {
            variable: &|name| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| OsString::from(value))
            },
            read: &|path| match files.iter().find(|(known, _)| Path::new(known) == path) {
                Some((_, Some(text))) => Ok((text.as_bytes().to_vec(), 0o100_644)),
                Some((_, None)) => Err(io::ErrorKind::PermissionDenied.into()),
                None => Err(io::ErrorKind::NotFound.into()),
            },
            resolve: &|path| match path.to_str() {
                Some("/gone") => Err(io::ErrorKind::NotFound.into()),
                Some("/link") => Ok(PathBuf::from("/real")),
                Some("/all") => Ok(PathBuf::from("/")),
                _ => Ok(path.to_owned()),
            },
            root: true,
        })
    }

    #[test]
    fn only_what_is_named_here_is_copied() {
        let variables = [
            ("PIP_INDEX_URL", "http://127.0.0.1:8099/simple"),
            ("PIP_FIND_LINKS", "/wheels file:///link /gone"),
            ("PIP_USER", "1"),
            ("PYTHONPATH", "/evil"),
            ("TOKEN", "secret"),
            ("HOME", "/home/me"),
        ];
        let own = "[global]\nextra-index-url=https://y:444/simple\n";
        let found = index(&variables, &[("/home/me/.config/pip/pip.conf", Some(own))]).unwrap();
        assert_eq!(
            found.environment,
            [
                "PIP_INDEX_URL=http://127.0.0.1:8099/simple",
                "PIP_FIND_LINKS=/wheels file:///link /gone"
            ]
        );
        assert_eq!(found.ports, [53, 80, 443, 444, 8099]);
        assert_eq!(found.readable, ["/wheels", "/link", "/real"].map(Path::new));
        assert_eq!(found.config.as_deref(), Some(own.as_bytes()));
    }

    #[test]
    fn every_settings_file_of_the_host_is_the_workers_to_read() {
        let files = [
            ("/etc/pip.conf", Some("")),
            ("/etc/xdg/pip/pip.conf", Some("")),
            ("/opt/xdg/pip/pip.conf", Some("")),
        ];
        let found = index(&[], &files).unwrap();
        let usual = ["/etc/xdg/pip/pip.conf", "/etc/pip.conf"];
        assert_eq!(found.readable, usual.map(Path::new));
        let found = index(&[("XDG_CONFIG_DIRS", "/opt/xdg")], &files).unwrap();
        let other = ["/opt/xdg/pip/pip.conf", "/etc/pip.conf"];
        assert_eq!(found.readable, other.map(Path::new));
        assert_eq!(found.environment, ["XDG_CONFIG_DIRS=/opt/xdg"]);
    }

    #[test]
    fn settings_that_cannot_be_handed_on_are_an_error_and_not_the_default_index() {
        let home = ("HOME", "/home/me");
        for path in [
            "/etc/pip.conf",
            "/etc/xdg/pip/pip.conf",
            "/home/me/.pip/pip.conf",
            "/home/me/.config/pip/pip.conf",
        ] {
            let failure = index(&[home], &[(path, None)]).unwrap_err();
            assert!(failure.cause.contains(path), "{failure}");
            assert_eq!(failure.blame, Blame::Operator);
        }
        let named = ("PIP_CONFIG_FILE", "/named");
        assert!(index(&[home, named], &[("/named", None)]).is_err());
        let both = [
            ("/home/me/.pip/pip.conf", Some("")),
            ("/home/me/.config/pip/pip.conf", Some("")),
        ];
        assert!(index(&[home], &both).is_err());
        assert!(index(&[("PIP_FIND_LINKS", "/all")], &[]).is_err());
        let closed = Index::of(&Host {
            variable: &|_| None,
            read: &|_| Ok((Vec::new(), 0o100_600)),
            resolve: &|path| Ok(path.to_owned()),
            root: true,
        });
        assert!(closed.unwrap_err().cause.contains("closed"));
        let foreign = Index::of(&Host {
            variable: &|name| {
                (name == "PIP_INDEX_URL").then(|| OsString::from_vec(vec![b'h', 0xff]))
            },
            read: &|_| Err(io::ErrorKind::NotFound.into()),
            resolve: &|path| Ok(path.to_owned()),
            root: false,
        });
        assert!(foreign.unwrap_err().cause.contains("PIP_INDEX_URL"));
    }

    #[test]
    fn the_operators_own_file_is_found_where_pip_finds_it() {
        let home = ("HOME", "/home/me");
        let own = |variables: &[(&str, &str)]| {
            let files = [
                ("/home/me/.pip/pip.conf", Some("legacy")),
                ("/named", Some("named")),
                ("/etc/pip.conf", Some("")),
            ];
            index(variables, &files).unwrap()
        };
        assert_eq!(own(&[home]).config.as_deref(), Some(&b"legacy"[..]));
        let named = own(&[home, ("PIP_CONFIG_FILE", "/named")]);
        assert_eq!(named.config.as_deref(), Some(&b"named"[..]));
        // As pip does where the named one is not there.
        let gone = own(&[home, ("PIP_CONFIG_FILE", "/nowhere")]);
        assert_eq!(gone.config.as_deref(), Some(&b"legacy"[..]));
        let none = own(&[home, ("PIP_CONFIG_FILE", "/dev/null")]);
        assert_eq!(none.config, None);
        assert!(none.readable.is_empty());
        assert_eq!(none.environment, ["PIP_CONFIG_FILE=/dev/null"]);
    }
}
