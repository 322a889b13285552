//! Where packages come from: pip's own settings, as the operator's environment and the host have them.
//! They are copied one by one and by name; nothing of a project is asked.
//!
//! The settings may hold passwords (in an index's URL): the worker that fetches gets them, which runs
//! nothing of a tenant, and no other one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The variables that are copied (pip's user guide, "Configuration"; requests' manual, "Proxies").
const VARIABLES: [&str; 20] = [
    "PIP_INDEX_URL",
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
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
];
/// The host's own settings, which the worker reads where they are.
pub const HOST_FILES: [&str; 2] = ["/etc/pip.conf", "/etc/xdg/pip/pip.conf"];
/// HTTP's and HTTPS's ports, and DNS's where an answer is too long for a datagram.
const PORTS: [u16; 3] = [53, 80, 443];

/// The operator's settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// `NAME=value` for the worker's environment.
    pub environment: Vec<String>,
    /// The operator's own settings file, of which the worker gets a copy.
    pub config: Option<PathBuf>,
    /// Folders and files of the host that the settings name.
    pub readable: Vec<PathBuf>,
    /// The TCP ports that the settings name.
    pub ports: Vec<u16>,
}

impl Index {
    /// The settings of this process's environment.
    pub fn of_operator() -> Index {
        Index::of(|name| std::env::var(name).ok(), &|path| {
            std::fs::read_to_string(path).ok()
        })
    }

    fn of(
        variable: impl Fn(&str) -> Option<String>,
        read: &dyn Fn(&Path) -> Option<String>,
    ) -> Index {
        let config = config_file(&variable).filter(|path| read(path).is_some());
        let mut texts: Vec<String> = HOST_FILES
            .iter()
            .map(PathBuf::from)
            .chain(config.clone())
            .filter_map(|path| read(&path))
            .collect();
        let mut environment = Vec::new();
        for name in VARIABLES {
            if let Some(value) = variable(name).filter(|value| !value.is_empty()) {
                environment.push(format!("{name}={value}"));
                texts.push(value);
            }
        }
        let words: Vec<&str> = texts
            .iter()
            .flat_map(|text| text.split(|c: char| c.is_whitespace() || c == '=' || c == ','))
            .filter(|word| !word.is_empty())
            .collect();
        let ports: BTreeSet<u16> = words
            .iter()
            .filter_map(|word| port(word))
            .chain(PORTS)
            .collect();
        let readable: BTreeSet<PathBuf> = words
            .iter()
            .map(|word| word.strip_prefix("file://").unwrap_or(word))
            .filter(|word| word.starts_with('/') && word.len() > 1)
            .map(PathBuf::from)
            .collect();
        Index {
            environment,
            config,
            readable: readable.into_iter().collect(),
            ports: ports.into_iter().collect(),
        }
    }
}

/// The operator's own settings file, where pip looks for it.
fn config_file(variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    if let Some(named) = variable("PIP_CONFIG_FILE") {
        return Some(PathBuf::from(named));
    }
    let home = variable("HOME").map(PathBuf::from);
    let base = variable("XDG_CONFIG_HOME")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from);
    Some(
        base.or(home.map(|home| home.join(".config")))?
            .join("pip/pip.conf"),
    )
}

/// The port that a URL names or means.
fn port(word: &str) -> Option<u16> {
    let (scheme, rest) = word.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    // [::1]:8080
    let after = host.rsplit(']').next()?;
    match after.rsplit_once(':') {
        Some((_, number)) if !number.is_empty() => number.parse().ok(),
        _ if scheme.eq_ignore_ascii_case("http") => Some(80),
        _ if scheme.eq_ignore_ascii_case("https") => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_its_port() {
        for (url, wanted) in [
            ("https://x/simple", Some(443)),
            ("http://x", Some(80)),
            ("http://u:p@x:8080/simple", Some(8080)),
            ("http://[::1]:81/", Some(81)),
            ("http://[::1]/", Some(80)),
            ("file:///wheels", None),
            ("/wheels", None),
            ("http://x:99999/", None),
        ] {
            assert_eq!(port(url), wanted, "{url}");
        }
    }

    #[test]
    fn only_what_is_named_here_is_copied() {
        let variables = [
            ("PIP_INDEX_URL", "http://127.0.0.1:8099/simple"),
            ("PIP_FIND_LINKS", "/wheels file:///more"),
            ("PIP_USER", "1"),
            ("PYTHONPATH", "/evil"),
            ("TOKEN", "secret"),
            ("HOME", "/home/me"),
        ];
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let index = Index::of(variable, &|path| {
            (path == Path::new("/home/me/.config/pip/pip.conf"))
                .then(|| "[global]\nextra-index-url=https://y:444/simple\n".to_owned())
        });
        assert_eq!(
            index.environment,
            [
                "PIP_INDEX_URL=http://127.0.0.1:8099/simple",
                "PIP_FIND_LINKS=/wheels file:///more"
            ]
        );
        assert_eq!(index.ports, [53, 80, 443, 444, 8099]);
        assert_eq!(index.readable, [Path::new("/more"), Path::new("/wheels")]);
        assert!(index.config.is_some());
    }
}
