//! The gate as it was assembled: which instructions stand in it, and what may follow a WRPKRU.
//!
//! Needs objdump, which comes with the compilers that the suites need anyhow. It shows nothing about what the
//! instructions do; the suite of domains does, where there are keys.

#![cfg(test)]
#![forbid(unsafe_code)]

use keylane_gate::{Routine, routines, sites};
use keylane_sys::own::executable;
use std::collections::BTreeSet;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// One instruction: its address and its text as objdump writes it, Intel's way.
#[derive(Debug)]
struct Line {
    address: u64,
    text: String,
}

impl Line {
    fn mnemonic(&self) -> &str {
        self.text.split_whitespace().next().unwrap()
    }

    fn touches_memory(&self) -> bool {
        self.text.contains('[') || ["push", "pop", "popf", "ret", "call"].contains(&self.mnemonic())
    }
}

fn bytes(routine: &Routine) -> Vec<u8> {
    for code in executable().unwrap() {
        let pages = code.pages();
        if (pages.start()..pages.end()).contains(&routine.start) {
            let at = usize::try_from(routine.start - pages.start()).unwrap();
            let length = usize::try_from(routine.length).unwrap();
            return code.bytes().unwrap()[at..at + length].to_vec();
        }
    }
    panic!("{routine:?} is not in executable memory");
}

fn disassemble(routine: &Routine) -> Vec<Line> {
    static FILES: AtomicU32 = AtomicU32::new(0);
    let (process, number) = (std::process::id(), FILES.fetch_add(1, Ordering::Relaxed));
    let file = std::env::temp_dir().join(format!("keylane-gate-{process}-{number}"));
    std::fs::write(&file, bytes(routine)).unwrap();
    let output = Command::new("objdump")
        .args([
            "-D",
            "-b",
            "binary",
            "-m",
            "i386:x86-64",
            "-M",
            "intel",
            "--no-show-raw-insn",
        ])
        .arg(format!("--adjust-vma={:#x}", routine.start))
        .arg(&file)
        .output()
        .expect("objdump, of the package binutils");
    std::fs::remove_file(&file).unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Line> = text
        .lines()
        .filter_map(|line| {
            let (address, text) = line.trim().split_once(":\t")?;
            let address = u64::from_str_radix(address, 16).ok()?;
            Some(Line {
                address,
                text: text.trim().to_owned(),
            })
        })
        .collect();
    assert!(lines.len() > 2, "{routine:?}: {text}");
    lines
}

fn all() -> Vec<(Routine, Vec<Line>)> {
    routines()
        .map(|routine| (routine, disassemble(&routine)))
        .into()
}

#[test]
fn the_gate_holds_the_instructions_that_are_named_here_and_no_others() {
    let known: BTreeSet<&str> = [
        "mov", "movabs", "lea", "xor", "add", "dec", "not", "cmp", "test", "push", "pop", "popf",
        "ret", "je", "jne", "jb", "ja", "jmp", "syscall", "ud2", "wrpkru", "lfence", "fninit",
        "fldz", "ldmxcsr", "kxorw", "vpxord", "vzeroall", "pxor",
    ]
    .into();
    for (routine, lines) in all() {
        for line in &lines {
            assert!(
                known.contains(line.mnemonic()),
                "{}: {line:x?}",
                routine.name
            );
            assert!(
                !line.text.contains("fs:") && !line.text.contains("gs:"),
                "{}: {line:x?} uses thread-local storage",
                routine.name
            );
        }
    }
}

#[test]
fn there_are_two_wrpkru_and_they_are_the_exported_sites() {
    let found: Vec<u64> = all()
        .iter()
        .flat_map(|(_, lines)| lines)
        .filter(|line| line.mnemonic() == "wrpkru")
        .map(|line| line.address)
        .collect();
    assert_eq!(found, sites());
    // And nothing else does it, at any offset.
    for (routine, _) in all() {
        let mut finds = Vec::new();
        keylane_scan::each(&bytes(&routine), |at, pattern| {
            finds.push((routine.start + u64::try_from(at).unwrap(), pattern.name));
        });
        assert!(
            finds
                .iter()
                .all(|(at, name)| *name == "WRPKRU" && sites().contains(at)),
            "{}: {finds:x?}",
            routine.name
        );
    }
}

/// What stands behind a WRPKRU up to the end of the routine's way: registers and system calls alone.
#[test]
fn behind_a_wrpkru_no_memory_is_touched_and_the_way_on_leads_through_the_filters_call() {
    for (routine, lines) in all() {
        let Some(site) = lines.iter().position(|line| line.mnemonic() == "wrpkru") else {
            continue;
        };
        let behind = &lines[site + 1..];
        let jump = behind.iter().position(|line| line.text.starts_with("jmp"));
        let way = &behind[..=jump.unwrap()];
        for line in way {
            assert!(!line.touches_memory(), "{}: {line:x?}", routine.name);
        }
        let words: Vec<&str> = way.iter().map(Line::mnemonic).collect();
        let calls = words.iter().filter(|word| **word == "syscall").count();
        assert_eq!(calls, 1, "{}: {words:?}", routine.name);
        let call = words.iter().position(|word| *word == "syscall").unwrap();
        if routine.name == "birth" {
            assert_eq!(words[..3], ["lfence", "not", "test"]);
            assert_eq!(words[3], "jne");
            assert_eq!(words[call + 1..=call + 2], ["test", "jne"]);
            assert_eq!(words.last(), Some(&"jmp"));
            // Both branches lead to the same bare exit, right behind the way.
            let exit = &behind[way.len()];
            for branch in way.iter().filter(|line| line.mnemonic() == "jne") {
                assert!(
                    branch.text.ends_with(&format!("{:#x}", exit.address)),
                    "{branch:x?}"
                );
            }
            let bare: Vec<&str> = behind[way.len()..way.len() + 4]
                .iter()
                .map(Line::mnemonic)
                .collect();
            assert_eq!(bare, ["mov", "xor", "syscall", "jmp"]);
            assert!(
                behind[way.len() + 3]
                    .text
                    .ends_with(&format!("{:#x}", exit.address))
            );
        } else {
            assert_eq!(words, ["mov", "xor", "syscall", "jmp"], "{}", routine.name);
        }
    }
}

/// The control: what the rule forbids is found where it stands.
#[test]
fn an_access_behind_a_wrpkru_would_be_seen() {
    let line = |text: &str| Line {
        address: 0,
        text: text.to_owned(),
    };
    for text in [
        "mov    eax,DWORD PTR [rbx]",
        "push   rax",
        "ret",
        "cmp    QWORD PTR [rsp],0x1",
    ] {
        assert!(line(text).touches_memory(), "{text}");
    }
    assert!(!line("jmp    r12").touches_memory());
    let lines = &all()[0].1;
    assert!(lines.iter().any(Line::touches_memory));
}
