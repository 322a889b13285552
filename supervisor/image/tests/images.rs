//! Images of the C library and the loader that this machine has, and of files that must be refused.

#![cfg(test)]
#![forbid(unsafe_code)]

use keylane_fuzz_oracles::elf::{Elf, Load};
use keylane_fuzz_oracles::reference;
use keylane_image::{Cache, ClosedSet, Draft, Image, PAGE, Why, examine};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A library that this test itself runs with.
fn mapped(name: &str) -> PathBuf {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let path = maps
        .lines()
        .filter_map(|line| line.split_whitespace().nth(5));
    path.map(PathBuf::from)
        .find(|path| {
            path.file_name()
                .is_some_and(|file| file.to_string_lossy().starts_with(name))
        })
        .unwrap_or_else(|| panic!("this test does not run with {name}"))
}

fn draft(bytes: &[u8]) -> Result<Draft, Why> {
    Draft::read(&bytes)
}

/// The image of a file.
fn image(bytes: &[u8]) -> Image {
    let files = [("file", &bytes)];
    let set = ClosedSet::make(files, &mut Cache::default()).unwrap();
    assert_eq!(set.len(), 1);
    draft(bytes).unwrap().seal("file").unwrap()
}

/// A file as it is with an image's changes.
fn changed(bytes: &[u8], image: &Image) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for change in image.changes() {
        let at = usize::try_from(change.offset).unwrap();
        bytes[at..at + change.bytes.len()].copy_from_slice(&change.bytes);
    }
    bytes
}

#[test]
fn the_machines_c_library_and_loader_differ_in_the_known_places_alone_and_hold_nothing_any_more() {
    for (name, sites, length) in [("libc.so", 1, 3), ("ld-linux", 2, 5)] {
        let original = std::fs::read(mapped(name)).unwrap();
        assert!(
            examine(&&*original, &mut Vec::new())
                .unwrap()
                .unwrap()
                .refused
                > 0,
            "{name}"
        );
        let image = image(&original);
        assert_eq!(image.changes().len(), sites, "{name}");
        for change in image.changes() {
            assert_eq!(change.bytes.len(), length);
            assert_eq!(change.bytes[..2], [0x0f, 0x0b]);
        }
        let sealed = keylane_sys::body::read(image.as_fd(), u64::MAX).unwrap();
        let patched = changed(&original, &image);
        let mut length = 0;
        for run in image.runs() {
            let [file, at, size] =
                [run.file, run.image, run.length].map(|one| usize::try_from(one).unwrap());
            let end = (file + size).min(patched.len());
            assert_eq!(sealed[at..at + end - file], patched[file..end], "{name}");
            assert!(
                sealed[at + end - file..at + size]
                    .iter()
                    .all(|byte| *byte == 0)
            );
            length += size;
        }
        assert_eq!(length, sealed.len());
        let left: Vec<_> = reference::all(&sealed)
            .into_iter()
            .filter(|(_, name)| *name != "XRSTORS")
            .collect();
        assert_eq!(left, [], "{name}");
        let differ = original
            .iter()
            .zip(&patched)
            .filter(|(one, other)| one != other)
            .count();
        let most: usize = image
            .changes()
            .iter()
            .map(|change| change.bytes.len())
            .sum();
        assert!((1..=most).contains(&differ));
    }
}

#[test]
fn programs_run_on_the_changed_loader_and_c_library() {
    let folder = std::env::temp_dir().join(format!("keylane-images-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let put = |path: &Path| {
        let original = std::fs::read(path).unwrap();
        let to = folder.join(path.file_name().unwrap());
        std::fs::write(&to, changed(&original, &image(&original))).unwrap();
        to
    };
    put(&mapped("libc.so"));
    let loader = put(&mapped("ld-linux"));
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&loader, mode).unwrap();
    let program = std::env::current_exe().unwrap();
    let said = Command::new(&loader)
        .arg("--library-path")
        .arg(&folder)
        .arg(program)
        .args([
            "--exact",
            "the_only_test_that_the_changed_library_runs",
            "--nocapture",
        ])
        .env("LD_BIND_NOW", "1")
        .output()
        .unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let text = String::from_utf8_lossy(&said.stdout);
    assert!(
        said.status.success() && text.contains("1 passed"),
        "{said:?}"
    );
    // Its own maps name the changed C library.
    assert!(text.contains(folder.to_str().unwrap()), "{text}");
}

#[test]
fn the_only_test_that_the_changed_library_runs() {
    let worker = std::thread::spawn(|| (0..1000_u64).map(|n| format!("{n}").len()).sum::<usize>());
    assert_eq!(worker.join().unwrap(), 2890);
    println!("\n{}", mapped("libc.so").display());
}

#[test]
fn a_place_that_differs_in_one_byte_around_it_is_not_taken_for_the_known_one() {
    let original = std::fs::read(mapped("ld-linux")).unwrap();
    let image = image(&original);
    let at = usize::try_from(image.changes()[0].offset).unwrap();
    // From the mask that is loaded to the instruction behind.
    for (offset, value) in [
        (at - 7, 0xb9),
        (at - 5, 0x02),
        (at - 2, 0x33),
        (at + 3, 0x23),
        (at + 5, 0x48),
    ] {
        let mut other = original.clone();
        assert_ne!(other[offset], value);
        other[offset] = value;
        let why = draft(&other).unwrap_err();
        assert!(matches!(why, Why::Find(_)), "{why:?} for {:#x}", offset);
    }
    // One that is missing: only its twin is left.
    let mut other = original.clone();
    other[at..at + 3].copy_from_slice(&[0x90; 3]);
    assert!(matches!(draft(&other), Err(Why::Count { found: 1, .. })));
}

fn code(bytes: &[u8]) -> Elf {
    let load = Load {
        address: 0x1000,
        offset: 0x1000,
        bytes: bytes.to_vec(),
        memory: None,
        flags: 5,
    };
    Elf {
        loads: vec![load],
        stack: Some(6),
        ..Elf::default()
    }
}

#[test]
fn a_clean_file_becomes_an_image_of_its_executable_pages_alone() {
    let mut elf = code(&[0x90; 5000]);
    elf.loads.push(Load {
        address: 0x8000,
        offset: 0x4000,
        bytes: b"secret".to_vec(),
        memory: None,
        flags: 4,
    });
    let file = elf.write();
    let image = image(&file);
    let sealed = keylane_sys::body::read(image.as_fd(), u64::MAX).unwrap();
    assert_eq!(sealed.len(), 2 * 4096);
    assert!(!sealed.windows(6).any(|bytes| bytes == b"secret"));
    assert_eq!(image.place(PAGE, PAGE), Some(0));
    assert_eq!(image.place(2 * PAGE, PAGE), Some(PAGE));
    for (start, length) in [
        (0, PAGE),
        (PAGE, 3 * PAGE),
        (PAGE, 0),
        (PAGE + 1, PAGE),
        (PAGE, 1),
        (u64::MAX, PAGE),
    ] {
        assert_eq!(image.place(start, length), None, "{start:#x} {length:#x}");
    }
}

#[test]
fn whatever_is_not_known_is_refused_with_file_symbol_offset_and_a_way_out() {
    let mut elf = code(&[&[0x90; 100][..], &[0x0f, 0x01, 0xef, 0x31, 0xc0, 0xc3]].concat());
    elf.symbols = vec![("open_sesame".into(), 0x1060, 0x20)];
    let file = elf.write();
    let refused = ClosedSet::make([("libodd.so", &&*file)], &mut Cache::default()).unwrap_err();
    let words = refused[0].to_string();
    for part in [
        "libodd.so: WRPKRU",
        "0x1064",
        "open_sesame+0x4",
        "isolation process",
    ] {
        assert!(words.contains(part), "{words}");
    }
    // The name alone does not do it either: nothing reads PKRU before.
    elf.symbols = vec![("pkey_set".into(), 0x1060, 0x20)];
    assert!(matches!(draft(&elf.write()), Err(Why::Find(_))));
}

#[test]
fn a_set_with_one_bad_file_is_no_set_at_all() {
    let (good, bad) = (code(&[0x90; 16]).write(), code(&[0x0f, 0x01, 0xef]).write());
    let mut cache = Cache::default();
    let files = [
        ("good", &&*good),
        ("bad", &&*bad),
        ("none", &&b"text, no ELF file at all"[..]),
    ];
    let refused = ClosedSet::make(files, &mut cache).unwrap_err();
    let names: Vec<&str> = refused.iter().map(|one| one.file.as_str()).collect();
    assert_eq!(names, ["bad", "none"]);
    let set = ClosedSet::make([("good", &&*good), ("again", &&*good)], &mut cache).unwrap();
    let key = *draft(&good).unwrap().key();
    assert_eq!(
        (
            set.len(),
            set.find(&key).is_some(),
            set.find(&[0; 32]).is_some()
        ),
        (1, true, false)
    );
}

#[test]
fn code_that_could_change_or_be_joined_by_other_code_is_refused() {
    let mut elf = code(&[0x90; 16]);
    elf.loads[0].flags = 7;
    assert!(matches!(draft(&elf.write()), Err(Why::Remark(_))));
    elf.loads[0].flags = 5;
    elf.loads[0].memory = Some(5000);
    assert!(matches!(draft(&elf.write()), Err(Why::Remark(_))));
    for end in [&[0x0f][..], &[0x0f, 0xae], &[0xf3, 0x48]] {
        let open = [&vec![0x90; 4096 - end.len()][..], end].concat();
        assert!(
            matches!(
                draft(&code(&open).write()),
                Err(Why::OpenEnd { offset: 0x2000 })
            ),
            "{end:x?}"
        );
    }
    let mut foreign = code(&[0x90; 16]).write();
    foreign[18] = 183;
    assert!(matches!(draft(&foreign), Err(Why::Machine(183))));
}

#[test]
fn the_slow_path_of_tls_descriptors_is_known_by_its_symbols_and_only_where_it_leaves_pkru_alone() {
    // mov $0xe00ee,%eax; xor %edx,%edx; xrstor 0x40(%rsp), twice, as glibc 2.41 is said to have it.
    let site = |mask: u8| {
        [
            0xb8, 0xee, mask, 0x0e, 0x00, 0x31, 0xd2, 0x0f, 0xae, 0x6c, 0x24, 0x40, 0xc3,
        ]
    };
    let mut elf = code(&[site(0), site(0)].concat());
    assert!(matches!(draft(&elf.write()), Err(Why::Find(_))));
    elf.symbols = vec![
        ("_dl_tlsdesc_dynamic_xsave".into(), 0x1000, 13),
        ("_dl_tlsdesc_dynamic_xsavec".into(), 0x100d, 13),
    ];
    assert_eq!(draft(&elf.write()).unwrap().changes().len(), 2);
    elf.loads[0].bytes = [site(2), site(2)].concat();
    assert!(matches!(draft(&elf.write()), Err(Why::Find(_))));
}
