//! What pip's settings name: TCP ports, and files and folders of the host. Pure.
//!
//! A settings file is read as pip's parser reads it (Python's configparser: `#` and `;` begin a line of
//! comment, an indented line goes on with the value before it). What is not understood names nothing; pip,
//! which reads the file itself, then says what it lacks.

use std::path::PathBuf;

/// One setting and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    /// In lower case, with dashes: `extra-index-url`.
    name: String,
    value: String,
}

impl Setting {
    /// A variable of the environment: `PIP_INDEX_URL` is the setting `index-url`.
    pub(super) fn of_variable(variable: &str, value: &str) -> Setting {
        let name = variable.strip_prefix("PIP_").unwrap_or(variable);
        Setting {
            name: normalized(name),
            value: value.to_owned(),
        }
    }

    /// The ports that its URLs name or mean.
    pub(super) fn ports(&self) -> Vec<u16> {
        self.value.split_whitespace().filter_map(port).collect()
    }

    /// The absolute paths that it names for being read.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        let (plain, urls) = match self.name.as_str() {
            "cert" | "client-cert" | "ssl-cert-file" | "requests-ca-bundle" | "curl-ca-bundle" => {
                (true, false)
            }
            "find-links" => (true, true),
            "index-url" | "pypi-url" | "extra-index-url" => (false, true),
            _ => (false, false),
        };
        let path = |word: &str| match word.strip_prefix("file://") {
            Some(rest) if urls => {
                let rest = rest.strip_prefix("localhost").unwrap_or(rest);
                rest.split(['#', '?']).next().map(str::to_owned)
            }
            Some(_) => None,
            None => plain.then(|| word.to_owned()),
        };
        let words: Vec<&str> = if plain && !urls {
            // One path, which may hold blanks.
            vec![self.value.trim()]
        } else {
            self.value.split_whitespace().collect()
        };
        words
            .into_iter()
            .filter_map(path)
            .filter(|path| path.starts_with('/'))
            .map(PathBuf::from)
            .collect()
    }
}

/// The settings of a file, whatever section they stand in.
pub(super) fn read(bytes: &[u8]) -> Vec<Setting> {
    let text = String::from_utf8_lossy(bytes);
    let mut settings: Vec<Setting> = Vec::new();
    for line in text.lines() {
        let bare = line.trim();
        if bare.is_empty() || bare.starts_with(['#', ';']) {
            continue;
        }
        if bare.starts_with('[') && !line.starts_with([' ', '\t']) {
            continue;
        }
        if line.starts_with([' ', '\t'])
            && let Some(last) = settings.last_mut()
        {
            last.value.push('\n');
            last.value.push_str(bare);
        } else if let Some((name, value)) = bare.split_once(['=', ':']) {
            settings.push(Setting {
                name: normalized(name.trim()),
                value: value.trim().to_owned(),
            });
        }
    }
    settings
}

/// As pip compares names: `Index_URL` and `--index-url` are `index-url`.
fn normalized(name: &str) -> String {
    let name = name.to_ascii_lowercase().replace('_', "-");
    name.strip_prefix("--").unwrap_or(&name).to_owned()
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
    use std::path::Path;

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
    fn only_what_pip_reads_packages_and_certificates_from_is_a_path() {
        let text = "\
[global]
# /comment is none
; nor file:///this
cache-dir = /cache
target = /target
log: /log
index-url = file:///index?x
extra-index-url = https://x/a/b
    file://localhost/more
    # /within
Find_Links = /links file:///links2
cert = /a cert.pem
--client-cert = /client.pem
[install]
no-index = /true
";
        let paths: Vec<PathBuf> = read(text.as_bytes())
            .iter()
            .flat_map(Setting::paths)
            .collect();
        let wanted = [
            "/index",
            "/more",
            "/links",
            "/links2",
            "/a cert.pem",
            "/client.pem",
        ];
        assert_eq!(paths, wanted.map(Path::new));
        let ports: Vec<u16> = read(text.as_bytes())
            .iter()
            .flat_map(Setting::ports)
            .collect();
        assert_eq!(ports, [443]);
    }
}
