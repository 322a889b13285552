//! Domains of isolation `mpk`, tried in a child: what works there shows what the host carries, and a host that
//! fails may end the process that tries.

use keylane_sys::process::{Fork, Namespaces, exit, fork};
use std::fs::File;
use std::io::{Read, Write};

/// What the child says for a trial that went well; the number of domains follows.
const WELL: &str = "ok ";

/// How many domains a process could have, or what does not hold. The process must have one thread.
pub(super) fn domains() -> Result<u64, String> {
    let failed = |error: std::io::Error| error.to_string();
    let (told, mut tell) = keylane_sys::jail::pipe()
        .map(|(told, tell)| (File::from(told), File::from(tell)))
        .map_err(failed)?;
    match fork(Namespaces::Shared).map_err(failed)? {
        Fork::Child => {
            let said = match keylane_domain::trial() {
                Ok(count) => format!("{WELL}{count}"),
                Err(reason) => reason,
            };
            let written = tell.write_all(said.as_bytes());
            exit(i32::from(written.is_err()))
        }
        Fork::Parent(child) => {
            drop(tell);
            let mut said = String::new();
            let read = told.take(4096).read_to_string(&mut said);
            let ended = child.wait().map_err(failed)?;
            read.map_err(failed)?;
            understand(&said)
                .unwrap_or_else(|| Err(format!("the trial did not survive: {ended:?}")))
        }
    }
}

/// The child's words; none if it died without any.
fn understand(said: &str) -> Option<Result<u64, String>> {
    match said.strip_prefix(WELL) {
        Some(count) => Some(count.parse().map_err(|_| said.to_owned())),
        None if said.is_empty() => None,
        None => Some(Err(said.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_no_success_and_words_are_a_reason() {
        assert_eq!(understand("ok 15"), Some(Ok(15)));
        assert_eq!(understand(""), None);
        assert!(matches!(understand("ok"), Some(Err(_))));
        assert!(matches!(understand("ok x"), Some(Err(_))));
        assert_eq!(understand("no keys"), Some(Err("no keys".to_owned())));
    }
}
