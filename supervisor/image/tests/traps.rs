//! What scanners for protection keys are known to miss or to do wrong, each as a file made for it.

#![cfg(test)]
#![forbid(unsafe_code)]

use keylane_fuzz_oracles::elf::{Elf, Load};
use keylane_fuzz_oracles::reference;
use keylane_image::{Across, Findings, Outline, Remark, examine, runs};

const READ: u32 = 4;
const WRITE: u32 = 2;
const EXECUTE: u32 = 1;
const CODE: u32 = READ | EXECUTE;
const WRPKRU: [u8; 3] = [0x0f, 0x01, 0xef];

fn load(address: u64, offset: u64, bytes: &[u8], flags: u32) -> Load {
    Load {
        address,
        offset,
        bytes: bytes.to_vec(),
        memory: None,
        flags,
    }
}

fn file(loads: impl IntoIterator<Item = Load>) -> Elf {
    Elf {
        loads: loads.into_iter().collect(),
        stack: Some(READ | WRITE),
        ..Elf::default()
    }
}

fn findings(bytes: &[u8]) -> Findings {
    examine(&bytes, &mut Vec::new()).unwrap().unwrap()
}

fn finds(elf: &Elf) -> Vec<(&'static str, u64, Across)> {
    let found = findings(&elf.write());
    found
        .finds
        .iter()
        .map(|find| (find.pattern.name, find.address, find.across))
        .collect()
}

/// A page of nops with some bytes at an offset.
fn page(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut page = vec![0x90; 4096];
    page[at..at + bytes.len()].copy_from_slice(bytes);
    page
}

#[test]
fn a_file_without_any_has_none() {
    let clean = file([load(0x1000, 0x1000, &page(0, &[]), CODE)]);
    assert_eq!(finds(&clean), []);
    assert!(findings(&clean.write()).is_clean());
    assert_eq!(findings(&clean.write()).executable, 4096);
}

#[test]
fn a_find_at_the_very_start_does_not_read_as_none_and_does_not_hide_those_after_it() {
    let twice = [WRPKRU, WRPKRU].concat();
    let elf = file([load(0x1000, 0x1000, &page(0, &twice), CODE)]);
    let expected = [
        ("WRPKRU", 0x1000, Across::Nothing),
        ("WRPKRU", 0x1003, Across::Nothing),
    ];
    assert_eq!(finds(&elf), expected);
}

#[test]
fn a_find_in_the_last_bytes_of_the_file_is_found_and_nothing_behind_it_is_read() {
    let bytes = [&[0x90; 13][..], &WRPKRU].concat();
    let found = findings(&headers_first(&bytes));
    assert_eq!(found.finds.len(), 1);
    assert_eq!(found.finds[0].context.len(), 11);
}

/// A file whose one segment is the file itself, headers and all, and ends with it.
fn headers_first(bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0; 64 + 56];
    file[..8].copy_from_slice(b"\x7fELF\x02\x01\x01\x00");
    file[16..20].copy_from_slice(&[3, 0, 62, 0]);
    file[32] = 64;
    file[54] = 56;
    file[56] = 1;
    file[64] = 1;
    file[68] = 5;
    file.extend_from_slice(bytes);
    let size = u64::try_from(file.len()).unwrap().to_le_bytes();
    file[96..104].copy_from_slice(&size);
    file[104..112].copy_from_slice(&size);
    file
}

#[test]
fn the_headers_of_a_file_are_executable_bytes_too_where_a_segment_covers_them() {
    let mut file = headers_first(&[0x90; 100]);
    file[9..12].copy_from_slice(&WRPKRU);
    assert_eq!(findings(&file).finds[0].offset, 9);
}

#[test]
fn sections_and_their_names_hide_nothing() {
    let mut elf = file([load(0x1000, 0x1000, &page(0x800, &WRPKRU), CODE)]);
    elf.sections = vec![
        (".rodata".into(), 0x1800, 0x100),
        (".text".into(), 0x1000, 0x100),
    ];
    elf.symbols = vec![("harmless".into(), 0x1800, 0x10)];
    let found = findings(&elf.write());
    let place = &found.finds[0].place;
    assert_eq!(place.section.as_deref(), Some(".rodata"));
    assert_eq!(place.symbol, Some(("harmless".into(), 0)));
    elf.sections.clear();
    elf.symbols.clear();
    assert_eq!(findings(&elf.write()).finds.len(), 1);
}

#[test]
fn what_stands_in_a_segments_first_and_last_page_beside_it_is_mapped_and_found() {
    // The segment is 0x1100 to 0x1200; the rest of its page belongs to data of the same file.
    for at in [0x1000, 0x10fd, 0x1200, 0x1ffd] {
        let elf = file([
            load(0x9000, 0x1000, &page(at - 0x1000, &WRPKRU), READ),
            load(0x1100, 0x1100, &[], READ),
            Load {
                address: 0x1100,
                offset: 0x1100,
                bytes: Vec::new(),
                memory: None,
                flags: READ,
            },
        ]);
        let mut bytes = elf.write();
        // The second segment becomes code of 0x100 bytes.
        let phoff = usize::try_from(u64::from_le_bytes(bytes[32..40].try_into().unwrap())).unwrap();
        bytes[phoff + 56 + 4] = 5;
        bytes[phoff + 56 + 32 + 1] = 1;
        bytes[phoff + 56 + 40 + 1] = 1;
        let found = findings(&bytes);
        let offsets: Vec<u64> = found.finds.iter().map(|find| find.offset).collect();
        assert_eq!(offsets, [u64::try_from(at).unwrap()]);
    }
}

#[test]
fn code_that_is_larger_in_memory_than_in_the_file_is_searched_to_the_end_of_its_page_and_told() {
    let mut elf = file([load(0x1000, 0x1000, &[0x90; 0x80], CODE)]);
    elf.loads[0].memory = Some(0x3000);
    elf.loads.push(load(0x9000, 0x1080, &WRPKRU, READ));
    let found = findings(&elf.write());
    assert_eq!(found.finds[0].offset, 0x1080);
    assert_eq!(found.remarks, [Remark::ExecutableZeros, Remark::Misaligned]);
}

#[test]
fn a_pattern_that_is_split_over_two_pages_is_found_whatever_the_neighbours_protection() {
    for cut in [1, 2] {
        let (end, start) = WRPKRU.split_at(cut);
        let first = page(4096 - cut, end);
        let second = page(0, start);
        for flags in [0, EXECUTE, READ, READ | WRITE, CODE] {
            // Apart in the file, next to each other in memory, in both orders.
            let address = 0x2000 - u64::try_from(cut).unwrap();
            let find = [("WRPKRU", address, Across::Segment)];
            let elf = file([
                load(0x1000, 0x1000, &first, CODE),
                load(0x2000, 0x5000, &second, flags),
            ]);
            assert_eq!(finds(&elf), find, "code first, then {flags}");
            let elf = file([
                load(0x1000, 0x1000, &first, flags),
                load(0x2000, 0x5000, &second, CODE),
            ]);
            assert_eq!(finds(&elf), find, "{flags} first, then code");
        }
        // The control: with a page between them there is nothing.
        let elf = file([
            load(0x1000, 0x1000, &first, CODE),
            load(0x3000, 0x5000, &second, CODE),
        ]);
        assert_eq!(finds(&elf), []);
        let whole = [first, second].concat();
        let found = finds(&file([load(0x1000, 0x1000, &whole, CODE)]));
        assert_eq!(
            found,
            [("WRPKRU", 0x2000 - u64::try_from(cut).unwrap(), Across::Page)]
        );
    }
}

#[test]
fn a_pattern_that_the_file_continues_behind_the_code_is_found() {
    let elf = file([
        load(0x1000, 0x1000, &page(4094, &[0x0f, 0x01]), CODE),
        load(0x8000, 0x2000, &page(0, &[0xef]), READ),
    ]);
    assert_eq!(finds(&elf), [("WRPKRU", 0x1ffe, Across::Segment)]);
}

#[test]
fn a_pattern_across_two_instructions_or_in_a_displacement_is_found() {
    // rol $0xf,%r15d; add %ebp,%edi; and lea 0xef010f(%rax),%rcx.
    for bytes in [
        &[0x41, 0xc1, 0xc7, 0x0f, 0x01, 0xef][..],
        &[0x48, 0x8d, 0x88, 0x0f, 0x01, 0xef, 0],
    ] {
        let elf = file([load(0x1000, 0x1000, &page(77, bytes), CODE)]);
        assert_eq!(finds(&elf), [("WRPKRU", 0x1000 + 77 + 3, Across::Nothing)]);
    }
}

#[test]
fn instructions_before_it_that_look_careful_excuse_nothing() {
    // xor %ecx,%ecx; xor %edx,%edx; mov $0x55555554,%eax; wrpkru
    let careful = [
        0x31, 0xc9, 0x31, 0xd2, 0xb8, 0x54, 0x55, 0x55, 0x55, 0x0f, 0x01, 0xef,
    ];
    let elf = file([load(0x1000, 0x1000, &page(0, &careful), CODE)]);
    assert_eq!(findings(&elf.write()).refused, 1);
}

#[test]
fn code_that_can_change_after_it_was_scanned_is_told() {
    let mut elf = file([load(0x1000, 0x1000, &page(0, &[]), CODE)]);
    assert_eq!(findings(&elf.write()).remarks, []);
    elf.dynamic = vec![(22, 0), (0, 0)];
    assert_eq!(findings(&elf.write()).remarks, [Remark::TextRelocations]);
    elf.dynamic = vec![(30, 4), (0, 0)];
    assert_eq!(findings(&elf.write()).remarks, [Remark::TextRelocations]);
    elf.dynamic.clear();
    elf.loads[0].flags = CODE | WRITE;
    assert_eq!(findings(&elf.write()).remarks, [Remark::WritableCode]);
    elf.loads[0].flags = CODE;
    elf.stack = Some(READ | WRITE | EXECUTE);
    assert_eq!(findings(&elf.write()).remarks, [Remark::ExecutableStack]);
    elf.stack = None;
    assert_eq!(findings(&elf.write()).remarks, [Remark::UnsaidStack]);
}

#[test]
fn a_32_bit_file_is_searched_as_well() {
    let mut file = vec![0; 52 + 32];
    file[..8].copy_from_slice(b"\x7fELF\x01\x01\x01\x00");
    file[16..20].copy_from_slice(&[3, 0, 3, 0]);
    file[28] = 52;
    file[42] = 32;
    file[44] = 1;
    file[52] = 1;
    file[52 + 16] = 100;
    file[52 + 20] = 100;
    file[52 + 24] = 5;
    file.extend([0x90, 0x0f, 0xae, 0x2f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let found = findings(&file);
    assert_eq!(found.finds[0].pattern.name, "XRSTOR");
    assert_eq!(found.finds[0].offset, 85);
}

#[test]
fn broken_files_are_explained_and_cost_nothing() {
    let good = file([load(0x1000, 0x1000, &page(0, &[]), CODE)]).write();
    type Break = fn(&mut Vec<u8>);
    let breaks: [(Break, &str); 7] = [
        (|file| file[4] = 3, "unknown class 3"),
        (|file| file[5] = 0, "unknown byte order 0"),
        (|file| file.truncate(40), "lie beyond the end"),
        (|file| file[56..58].fill(0xff), "65535 program headers"),
        (|file| file[54] = 32, "32 bytes each"),
        (|file| file[32..40].fill(0xff), "lie beyond the end"),
        (
            |file| {
                let at = usize::try_from(u64::from_le_bytes(file[32..40].try_into().unwrap()));
                file[at.unwrap() + 32..][..8].fill(0xff);
            },
            "ends beyond the address space",
        ),
    ];
    for (change, words) in breaks {
        let mut file = good.clone();
        change(&mut file);
        let error = examine(&&*file, &mut Vec::new()).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    assert!(
        examine(&&b"#!/bin/sh, no ELF file"[..], &mut Vec::new())
            .unwrap()
            .is_none()
    );
    assert!(examine(&&b""[..], &mut Vec::new()).unwrap().is_none());
}

#[test]
fn many_segments_over_the_same_bytes_are_read_once() {
    let bytes = vec![0x90; 1 << 20];
    let mut loads = vec![load(0x1000, 0x1000, &bytes, CODE)];
    loads.extend((1..120).map(|index| load(0x1000 + (index << 24), 0x1000, &bytes, CODE)));
    let found = findings(&file(loads).write());
    assert_eq!(found.executable, 1 << 20);
}

#[test]
fn of_more_finds_than_are_kept_all_are_counted() {
    let bytes = WRPKRU.repeat(5000);
    let found = findings(&file([load(0x1000, 0x1000, &bytes, CODE)]).write());
    assert_eq!((found.finds.len(), found.refused), (1000, 5000));
}

#[test]
fn the_files_that_this_test_runs_from_hold_what_a_slow_reference_finds_in_them() {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let mut paths: Vec<&str> = maps
        .lines()
        .filter_map(|line| line.split_whitespace().nth(5))
        .filter(|path| path.starts_with('/'))
        .collect();
    paths.sort_unstable();
    paths.dedup();
    assert!(
        paths.len() >= 3,
        "the test, the C library and the loader are mapped: {paths:?}"
    );
    for path in paths {
        let bytes = std::fs::read(path).unwrap();
        let found = findings(&bytes);
        let said: Vec<_> = found
            .finds
            .iter()
            .map(|find| (find.offset, find.pattern.name))
            .collect();
        let outline = Outline::read(&&*bytes).unwrap().unwrap();
        let inside = |at: &u64| {
            runs(&outline)
                .iter()
                .any(|run| run.start < at + 3 && *at < run.end)
        };
        let mut expected: Vec<_> = reference::all(&bytes)
            .into_iter()
            .map(|(at, name)| (u64::try_from(at).unwrap(), name))
            .filter(|(at, _)| inside(at))
            .collect();
        expected.sort_unstable();
        assert_eq!(said, expected, "{path}");
    }
}
