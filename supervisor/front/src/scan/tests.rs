//! Scans of folders and files that are made for it, and what is shown of them.

use super::*;
use std::os::unix::fs::symlink;

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("keylane-scan-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn quiet(list: files::List) -> Scan {
    work::examine(list, &mut |_, _, _| {})
}

#[test]
fn links_in_folders_are_not_followed_and_links_that_are_named_are() {
    let folder = folder("links");
    let link = folder.join("link");
    let _ = std::fs::remove_file(&link);
    symlink("/proc/self/exe", &link).unwrap();
    let walked = quiet(files::list(std::slice::from_ref(&folder)).unwrap());
    assert_eq!((walked.files, walked.elf), (0, 0));
    let named = quiet(files::list(std::slice::from_ref(&link)).unwrap());
    assert_eq!((named.files, named.elf), (1, 1));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_file_that_says_it_is_elf_and_is_not_counts_as_not_examined() {
    let folder = folder("hostile");
    std::fs::write(
        folder.join("a"),
        b"\x7fELF\x02\x01 and then nothing like it, for long",
    )
    .unwrap();
    std::fs::write(folder.join("b\x1b[2J"), b"text").unwrap();
    let scan = quiet(files::list(std::slice::from_ref(&folder)).unwrap());
    assert_eq!((scan.files, scan.errors, scan.exit()), (2, 1, Exit::Found));
    assert!(
        text::text(&scan).contains("not examined: "),
        "{}",
        text::text(&scan)
    );
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_is_not_there_or_no_file_is_refused() {
    assert!(files::list(&["/nonexistent".into()]).is_err());
    assert!(files::list(&["/dev/null".into()]).is_err());
}

#[test]
fn names_of_files_and_symbols_cannot_paint_the_terminal() {
    let mut findings = Findings {
        refused: 1,
        ..Findings::default()
    };
    findings.finds.push(keylane_image::Find {
        pattern: &keylane_policy::instruction::PATTERNS[0],
        offset: 1,
        address: 2,
        across: keylane_image::Across::Page,
        place: keylane_image::Place {
            section: Some("\x1b[2J".into()),
            symbol: Some(("a\nb".into(), 3)),
        },
        context: vec![0x0f, 0x01, 0xef],
    });
    let mut scan = Scan::default();
    scan.add(Examined {
        path: "x\u{202e}".into(),
        named: false,
        result: Ok(findings),
    });
    let text = text::text(&scan);
    assert!(!text.contains(['\x1b', '\u{202e}']), "{text:?}");
    assert!(
        text.contains("WRPKRU   at 0x1 (address 0x2) in \\u{1b}[2J a\\nb+0x3"),
        "{text}"
    );
    assert!(text.contains("across two pages"), "{text}");
    assert_eq!(scan.exit(), Exit::Found);
}
