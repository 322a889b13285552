//! Every document points at something: its links, and the paths that it names as code.

use crate::files;
use crate::markdown::{anchors, links, prose, spans};
use std::path::Path;

/// The folders whose paths are checked where a document names one as code.
const TOPS: [&str; 5] = ["policy/", "supervisor/", "shim/", "tests/", "docs/"];

/// The path in a code span, if it is one of this tree's.
pub(crate) fn path_in(span: &str) -> Option<&str> {
    let word = span.split([' ', ':']).next()?;
    let plain = !word.contains(['*', '<', '{']);
    (plain && TOPS.iter().any(|top| word.starts_with(top))).then_some(word)
}

/// `a/b/../c` as `a/c`; none if it leaves the tree.
fn resolve(from: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = Path::new(from).parent()?.to_str()?.split('/').collect();
    parts.retain(|part| !part.is_empty());
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            other => parts.push(other),
        }
    }
    Some(parts.join("/"))
}

#[test]
fn every_link_of_a_document_leads_somewhere() {
    let mut checked = 0;
    for (path, text) in files::ending(".md") {
        for link in prose(&text).flat_map(links) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => Some(path.clone()),
                file => resolve(&path, file),
            };
            let target = target.unwrap_or_else(|| panic!("{path}: {link} leaves the tree"));
            assert!(
                files::exists(&target),
                "{path}: there is no {target} ({link})"
            );
            if !anchor.is_empty() {
                let all = files::ending(".md");
                let (_, text) = all.iter().find(|(path, _)| *path == target).unwrap();
                assert!(
                    anchors(text).iter().any(|known| known == anchor),
                    "{path}: {target} has no heading for #{anchor}"
                );
            }
            checked += 1;
        }
    }
    assert!(
        checked > 5,
        "only {checked} links were found: the documents are not read"
    );
}

#[test]
fn every_path_that_a_document_names_is_there() {
    let mut checked = 0;
    for (path, text) in files::ending(".md") {
        for named in prose(&text).flat_map(spans).filter_map(path_in) {
            assert!(
                files::exists(named.trim_end_matches('/')),
                "{path} names {named}"
            );
            checked += 1;
        }
    }
    assert!(
        checked > 20,
        "only {checked} paths were found: the documents are not read"
    );
}

#[test]
fn a_link_resolves_from_its_documents_folder_and_not_out_of_the_tree() {
    assert_eq!(
        resolve("docs/A.md", "../policy/src").as_deref(),
        Some("policy/src")
    );
    assert_eq!(
        resolve("README.md", "docs/A.md").as_deref(),
        Some("docs/A.md")
    );
    assert_eq!(resolve("README.md", "../x"), None);
    assert_eq!(
        path_in("tests/escape/walls.rs::a_test"),
        Some("tests/escape/walls.rs")
    );
    assert_eq!(path_in("functions/x"), None);
}
