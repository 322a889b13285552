//! Keys, windows and mappings: what the kernel says is what the ledger says, and nothing is left over.

use crate::world::{World, alone};
use keylane_domain::{DomainError, Domains, Pages, What};
use std::collections::BTreeMap;
use std::fs;

/// Each page of this process's mappings with its key and its permissions, as /proc/self/smaps tells them.
fn smaps() -> BTreeMap<u64, (u64, u8, String)> {
    let mut found = BTreeMap::new();
    let mut last = None;
    for line in fs::read_to_string("/proc/self/smaps").unwrap().lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let Some((start, end)) = words[0].split_once('-')
            && let (Ok(start), Ok(end)) =
                (u64::from_str_radix(start, 16), u64::from_str_radix(end, 16))
        {
            last = Some((start, end, words[1].to_owned()));
        } else if words[0] == "ProtectionKey:" {
            let (start, end, flags) = last.take().unwrap();
            found.insert(start, (end, words[1].parse().unwrap(), flags));
        }
    }
    assert!(found.len() > 10, "smaps tells no keys");
    found
}

#[test]
fn every_page_carries_the_key_of_its_domain_and_no_page_is_writable_and_executable() {
    let name =
        "keys::every_page_carries_the_key_of_its_domain_and_no_page_is_writable_and_executable";
    alone(name, || {
        let mut world = World::new();
        let mut guests: Vec<_> = (0..3).map(|i| world.guest(&format!("f{i}"))).collect();
        for guest in &mut guests {
            world.assert_works(guest);
        }
        let maps = smaps();
        for (start, (end, key, flags)) in &maps {
            assert!(
                !(flags.contains('w') && flags.contains('x')),
                "{start:x}-{end:x} {flags}"
            );
            let owner = guests
                .iter()
                .find(|guest| guest.channel >> 32 == start >> 32);
            match owner {
                Some(guest) if !flags.starts_with("---") => {
                    let own = world.domains.key(guest.domain).unwrap().number();
                    assert_eq!(*key, own, "{start:x}-{end:x} {flags}");
                }
                _ => assert_eq!(*key, 0, "{start:x}-{end:x} {flags}"),
            }
        }
        for guest in &guests {
            for at in [guest.channel, guest.heap, guest.stack - 4096, guest.base] {
                let (start, (end, ..)) = maps.range(..=at).next_back().unwrap();
                assert!(*start <= at && at < *end, "{at:x} is not mapped");
            }
        }
        let gone: Vec<u64> = guests.iter().map(|guest| guest.channel >> 32).collect();
        for guest in guests {
            world.domains.end(guest.domain).unwrap();
        }
        for (start, (end, key, flags)) in smaps() {
            assert_eq!(key, 0, "{start:x}-{end:x} still carries a key");
            assert!(
                !gone.contains(&(start >> 32)) || flags.starts_with("---"),
                "{start:x}"
            );
        }
    });
}

#[test]
fn there_are_as_many_domains_as_keys_and_the_next_is_told_so() {
    alone(
        "keys::there_are_as_many_domains_as_keys_and_the_next_is_told_so",
        || {
            let mut world = World::new();
            // 15 keys beside key 0; the kernel takes none of its own, since nothing is executable alone.
            assert_eq!(world.domains.most(), 15);
            let mut guests: Vec<_> = (0..15).map(|i| world.guest(&format!("f{i}"))).collect();
            assert!(matches!(
                world.domains.admit("one more"),
                Err(DomainError::Full)
            ));
            for guest in &mut guests {
                world.assert_works(guest);
            }
            let last = guests.pop().unwrap();
            let key = world.domains.key(last.domain).unwrap();
            world.domains.end(last.domain).unwrap();
            let mut next = world.guest("one more");
            assert_eq!(world.domains.key(next.domain).unwrap(), key);
            world.assert_works(&mut next);
            world.domains.check().unwrap();
        },
    );
}

#[test]
fn what_lies_outside_of_the_slot_or_on_other_memory_is_not_mapped() {
    alone(
        "keys::what_lies_outside_of_the_slot_or_on_other_memory_is_not_mapped",
        || {
            let mut world = World::new();
            let (one, two) = (world.guest("one"), world.guest("two"));
            let before = smaps();
            let room = world.domains.room(one.domain).unwrap();
            for at in [
                one.channel,
                one.heap + 4096,
                room.start() - 4096,
                room.start() - 8192,
                room.end() + (1 << 30),
                two.channel,
                two.channel + 8192,
                0x10_0000,
            ] {
                let pages = Pages::new(at, 4096).unwrap();
                for what in [What::Memory, What::Shared, What::Bytes(b"x", true)] {
                    assert!(
                        world.domains.give(one.domain, pages, what).is_err(),
                        "{at:x}"
                    );
                }
            }
            assert!(world.domains.read(one.domain, two.channel, 8).is_err());
            assert!(
                world.domains.read(one.domain, one.heap, 8).is_err(),
                "a guest could unmap it"
            );
            assert!(
                world
                    .domains
                    .read(one.domain, one.channel + 4090, 8)
                    .is_err()
            );
            assert!(
                world
                    .domains
                    .write(one.domain, room.start() - 4096, b"x")
                    .is_err(),
                "the filter"
            );
            assert_eq!(smaps().len(), before.len());
        },
    );
}

#[test]
fn code_that_is_not_sealed_or_could_open_keys_is_not_mapped() {
    alone(
        "keys::code_that_is_not_sealed_or_could_open_keys_is_not_mapped",
        || {
            let mut world = World::new();
            let guest = world.guest("honest");
            let at = world.domains.room(guest.domain).unwrap().end() - 4096;
            let pages = Pages::new(at, 4096).unwrap();
            let page = |at: usize, bytes: &[u8]| {
                let mut page = vec![0x90; 4096];
                page[at..at + bytes.len()].copy_from_slice(bytes);
                keylane_sys::body::sealed("code", &page).unwrap()
            };
            // Made here, so that this program holds none of it.
            let wrpkru = [0x0f, 0x01, std::hint::black_box(0xee) + 1];
            let open = keylane_sys::body::fixed_size("code", 4096).unwrap();
            for (why, code, offset) in [
                ("WRPKRU", page(0, &wrpkru), 0),
                ("WRPKRU at the end", page(4093, &wrpkru), 0),
                ("two thirds at the end", page(4094, &wrpkru[..2]), 0),
                ("XRSTOR", page(77, &[0x0f, 0xae, 0x6c, 0x24]), 0),
                ("beyond the end", page(0, &[]), 4096),
                ("not sealed", open, 0),
            ] {
                let what = What::Image(std::os::fd::AsFd::as_fd(&code), offset);
                assert!(
                    world.domains.give(guest.domain, pages, what).is_err(),
                    "{why}"
                );
            }
            // The control: with nothing wrong about it, it is mapped.
            let code = page(0, &[]);
            let what = What::Image(std::os::fd::AsFd::as_fd(&code), 0);
            world.domains.give(guest.domain, pages, what).unwrap();
        },
    );
}

#[test]
fn a_process_takes_its_domains_once() {
    alone("keys::a_process_takes_its_domains_once", || {
        let _world = World::new();
        assert!(matches!(Domains::take(), Err(DomainError::Taken)));
    });
}

#[test]
fn three_hundred_domains_leave_no_thread_mapping_descriptor_or_key_behind() {
    let name = "keys::three_hundred_domains_leave_no_thread_mapping_descriptor_or_key_behind";
    alone(name, || {
        let mut world = World::new();
        let count = |folder: &str| fs::read_dir(folder).unwrap().count();
        let look = || {
            (
                count("/proc/self/task"),
                count("/proc/self/fd"),
                smaps().values().filter(|(_, key, _)| *key != 0).count(),
            )
        };
        let mappings = || {
            fs::read_to_string("/proc/self/maps")
                .unwrap()
                .lines()
                .count()
        };
        let resident = || {
            let status = fs::read_to_string("/proc/self/statm").unwrap();
            status.split(' ').nth(1).unwrap().parse::<u64>().unwrap()
        };
        let cycle = |world: &mut World, i: u32| {
            let mut guest = world.guest("passing");
            world.assert_works(&mut guest);
            if i.is_multiple_of(3) {
                world.fault(&mut guest, crate::world::Do::Read, &[8]);
            }
            world.domains.end(guest.domain).unwrap();
        };
        (0..20).for_each(|i| cycle(&mut world, i));
        let (before, maps, pages) = (look(), mappings(), resident());
        (0..300).for_each(|i| cycle(&mut world, i));
        assert_eq!(look(), before);
        assert_eq!(mappings(), maps);
        // 300 domains that kept one page each would be 300.
        let grown = resident().saturating_sub(pages);
        assert!(grown < 100, "{grown} pages more");
    });
}
