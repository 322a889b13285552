//! The answers one by one. What holds of any sequence of them is tested with the fuzz oracles.

use super::*;

const SLOT: u64 = 0x10_0000;
const EXEC_FILE: i32 = 9;

fn pages(start: u64, count: u64) -> Pages {
    Pages::new(start, count * PAGE).unwrap()
}

/// A domain with a slot of 64 pages, a heap of 8 at its end, and a birth stack of one at its start.
fn world() -> (Ledger, Domain) {
    let keys = [3, 4].map(|number| Key::try_from(number).unwrap());
    let mut ledger = Ledger::new(keys);
    let domain = ledger
        .admit(pages(SLOT, 64), pages(SLOT + 56 * PAGE, 8), 10)
        .unwrap();
    let mut space = ledger.space(domain).unwrap().clone();
    let origin = space.origin();
    let stack = pages(SLOT, 1);
    let (protection, content) = (Protection::Write, Content::Fixed);
    assert!(space.give(Entry {
        pages: stack,
        protection,
        content,
        origin
    }));
    ledger.commit(domain, space).unwrap();
    (ledger, domain)
}

/// Asks, and commits what was granted.
fn ask(
    ledger: &mut Ledger,
    domain: Domain,
    number: u64,
    arguments: [u64; 6],
) -> Result<(Action, u64), Errno> {
    let request = Request::try_from(Raw { number, arguments })?;
    let image = |file: File, _| (file.descriptor == EXEC_FILE).then_some(file.offset);
    let decision =
        decide(ledger.space(domain).unwrap(), request, image).map_err(|refusal| refusal.errno)?;
    ledger.commit(domain, decision.after).unwrap();
    ledger.check().unwrap();
    Ok((decision.action, decision.answer))
}

fn mmap(start: u64, count: u64, protection: u64, flags: u64, descriptor: i32) -> [u64; 6] {
    [
        start,
        count * PAGE,
        protection,
        flags,
        u64::from(descriptor.cast_unsigned()),
        0,
    ]
}

const ANONYMOUS: u64 = 0x22;
const FIXED: u64 = 0x10;

#[test]
fn memory_is_mapped_in_the_slot_with_the_domains_key() {
    let (mut ledger, domain) = world();
    let (action, answer) = ask(&mut ledger, domain, 9, mmap(0, 2, 3, ANONYMOUS, -1)).unwrap();
    assert_eq!(answer, SLOT + PAGE);
    let key = ledger.space(domain).unwrap().key();
    let expected = Action::Map {
        pages: pages(SLOT + PAGE, 2),
        protection: Protection::Write,
        backing: Backing::Anonymous,
        key,
    };
    assert_eq!(action, expected);
    assert_eq!(ledger.owner(SLOT + PAGE), Some((domain, Some(key))));
    assert_eq!(ledger.owner(SLOT + 20 * PAGE), Some((domain, None)));
    assert_eq!(ledger.owner(SLOT - 1), None);
}

#[test]
fn nothing_is_writable_and_executable_by_any_way() {
    let (mut ledger, domain) = world();
    let at = SLOT + 4 * PAGE;
    for protection in [6, 7] {
        assert_eq!(
            ask(
                &mut ledger,
                domain,
                9,
                mmap(0, 1, protection, ANONYMOUS, -1)
            ),
            Err(Errno::Access)
        );
        assert_eq!(
            ask(&mut ledger, domain, 9, mmap(0, 1, protection, 2, EXEC_FILE)),
            Err(Errno::Access)
        );
    }
    // Executable memory of no image; of a file without one.
    for protection in [4, 5] {
        assert_eq!(
            ask(
                &mut ledger,
                domain,
                9,
                mmap(0, 1, protection, ANONYMOUS, -1)
            ),
            Err(Errno::Access)
        );
        assert_eq!(
            ask(&mut ledger, domain, 9, mmap(0, 1, protection, 2, 5)),
            Err(Errno::Access)
        );
    }
    // The control: of an image.
    let (action, _) = ask(&mut ledger, domain, 9, mmap(at, 2, 5, 2 | FIXED, EXEC_FILE)).unwrap();
    assert!(
        matches!(action, Action::MapImage { offset: 0, .. }),
        "{action:?}"
    );
    // And then no way to write it, nor to make other pages executable.
    assert_eq!(
        ask(&mut ledger, domain, 10, [at, PAGE, 3, 0, 0, 0]),
        Err(Errno::Access)
    );
    assert_eq!(
        ask(&mut ledger, domain, 10, [at, PAGE, 7, 0, 0, 0]),
        Err(Errno::Access)
    );
    ask(&mut ledger, domain, 10, [at, PAGE, 1, 0, 0, 0]).unwrap();
    assert_eq!(
        ask(&mut ledger, domain, 10, [at, PAGE, 5, 0, 0, 0]),
        Err(Errno::Access)
    );
    assert_eq!(
        ask(&mut ledger, domain, 10, [at, PAGE, 3, 0, 0, 0]),
        Err(Errno::Access)
    );
    ask(
        &mut ledger,
        domain,
        9,
        mmap(SLOT + 8 * PAGE, 1, 3, ANONYMOUS | FIXED, -1),
    )
    .unwrap();
    assert_eq!(
        ask(&mut ledger, domain, 10, [SLOT + 8 * PAGE, PAGE, 5, 0, 0, 0]),
        Err(Errno::Access)
    );
    assert_eq!(
        ask(&mut ledger, domain, 28, [at, PAGE, 4, 0, 0, 0]),
        Err(Errno::Invalid)
    );
    assert_eq!(
        ask(&mut ledger, domain, 25, [at, PAGE, 2 * PAGE, 1, 0, 0]),
        Err(Errno::NoMemory)
    );
}

#[test]
fn nothing_outside_of_the_slot_and_nothing_that_was_given_is_touched() {
    let (mut ledger, domain) = world();
    let wild = [
        0,
        SLOT - PAGE,
        SLOT + 64 * PAGE,
        SLOT + 63 * PAGE,
        0x7fff_ffff_f000,
        u64::MAX - 0xfff,
        SLOT,
    ];
    for start in wild {
        for (number, arguments) in [
            (9, mmap(start, 2, 3, ANONYMOUS | FIXED, -1)),
            (9, mmap(start, 2, 3, ANONYMOUS | 0x10_0000, -1)),
            (10, [start, 2 * PAGE, 3, 0, 0, 0]),
            (11, [start, 2 * PAGE, 0, 0, 0, 0]),
            (25, [start, 2 * PAGE, 3 * PAGE, 1, 0, 0]),
            (28, [start, 2 * PAGE, 4, 0, 0, 0]),
        ] {
            let said = ask(&mut ledger, domain, number, arguments);
            assert!(said.is_err(), "call {number} at {start:#x}: {said:?}");
        }
    }
    // The control: one page further.
    ask(
        &mut ledger,
        domain,
        9,
        mmap(SLOT + PAGE, 2, 3, ANONYMOUS | FIXED, -1),
    )
    .unwrap();
}

#[test]
fn what_is_not_known_is_refused() {
    let (mut ledger, domain) = world();
    let mapped = ask(&mut ledger, domain, 9, mmap(0, 2, 3, ANONYMOUS, -1))
        .unwrap()
        .1;
    // MAP_GROWSDOWN, MAP_LOCKED, MAP_POPULATE, MAP_HUGETLB, MAP_SYNC, MAP_32BIT, MAP_UNINITIALIZED.
    for flag in [
        0x100,
        0x2000,
        0x8000,
        0x4_0000,
        0x8_0000,
        0x40,
        0x400_0000,
        1 << 40,
    ] {
        assert_eq!(
            ask(&mut ledger, domain, 9, mmap(0, 1, 3, ANONYMOUS | flag, -1)),
            Err(Errno::Invalid)
        );
    }
    // Shared files, readable or writable; a type that does not exist.
    for protection in [1, 3] {
        assert_eq!(
            ask(&mut ledger, domain, 9, mmap(0, 1, protection, 1, 5)),
            Err(Errno::Access)
        );
    }
    assert_eq!(
        ask(&mut ledger, domain, 9, mmap(0, 1, 3, 0x20, -1)),
        Err(Errno::Invalid)
    );
    // PROT_GROWSDOWN and what has no name.
    assert_eq!(
        ask(
            &mut ledger,
            domain,
            10,
            [mapped, PAGE, 0x0100_0001, 0, 0, 0]
        ),
        Err(Errno::Invalid)
    );
    // Every advice but the ten that are named.
    for advice in 0..200 {
        let known = [0, 1, 2, 3, 4, 8, 14, 15, 16].contains(&advice);
        assert_eq!(
            ask(&mut ledger, domain, 28, [mapped, PAGE, advice, 0, 0, 0]).is_ok(),
            known,
            "{advice}"
        );
    }
    // MREMAP_FIXED, MREMAP_DONTUNMAP, and the old length of 0 that makes a second mapping.
    for flags in [3, 5, 7] {
        assert_eq!(
            ask(&mut ledger, domain, 25, [mapped, PAGE, PAGE, flags, 0, 0]),
            Err(Errno::Invalid)
        );
    }
    assert_eq!(
        ask(&mut ledger, domain, 25, [mapped, 0, PAGE, 1, 0, 0]),
        Err(Errno::Invalid)
    );
    for number in [0, 26, 27, 29, 329, 330, 331, 462, u64::MAX] {
        assert_eq!(
            ask(&mut ledger, domain, number, [mapped, PAGE, 0, 0, 0, 0]),
            Err(Errno::NotPermitted)
        );
    }
}

#[test]
fn changes_of_single_pages_end_at_the_quota_and_changes_back_free_it() {
    let (mut ledger, domain) = world();
    let start = ask(&mut ledger, domain, 9, mmap(0, 40, 3, ANONYMOUS, -1))
        .unwrap()
        .1;
    let change = |ledger: &mut Ledger, page: u64, protection| {
        ask(
            ledger,
            domain,
            10,
            [start + page * PAGE, PAGE, protection, 0, 0, 0],
        )
    };
    let granted = (0..20)
        .filter(|page| change(&mut ledger, page * 2 + 1, 1).is_ok())
        .count();
    // The stack and 9 parts: four changes make nine.
    assert_eq!(granted, 4);
    assert_eq!(change(&mut ledger, 31, 1), Err(Errno::NoMemory));
    for page in 0..4 {
        change(&mut ledger, page * 2 + 1, 3).unwrap();
    }
    assert_eq!(ledger.space(domain).unwrap().entries().count(), 2);
    // Neighbours that came with different calls stay apart, as the kernel may keep them.
    for _ in 0..8 {
        ask(&mut ledger, domain, 9, mmap(0, 1, 3, ANONYMOUS, -1)).unwrap();
    }
    assert_eq!(
        ask(&mut ledger, domain, 9, mmap(0, 1, 3, ANONYMOUS, -1)),
        Err(Errno::NoMemory)
    );
}

#[test]
fn the_heap_grows_and_shrinks_within_its_room() {
    let (mut ledger, domain) = world();
    let start = SLOT + 56 * PAGE;
    let mut brk = |end| ask(&mut ledger, domain, 12, [end, 0, 0, 0, 0, 0]).unwrap();
    assert_eq!(brk(0), (Action::Nothing, start));
    let (action, end) = brk(start + 100);
    assert!(
        matches!(action, Action::Map { pages, .. } if pages.length() == PAGE),
        "{action:?}"
    );
    assert_eq!(end, start + 100);
    assert_eq!(brk(start + 200), (Action::Nothing, start + 200));
    assert_eq!(brk(start + 9 * PAGE), (Action::Nothing, start + 200));
    assert_eq!(brk(start - 1), (Action::Nothing, start + 200));
    assert_eq!(brk(start + 8 * PAGE).1, start + 8 * PAGE);
    assert_eq!(brk(start), (Action::Unmap(pages(start, 8)), start));
}

#[test]
fn a_mapping_shrinks_grows_where_it_is_or_moves() {
    let (mut ledger, domain) = world();
    let at = ask(&mut ledger, domain, 9, mmap(0, 4, 3, ANONYMOUS, -1))
        .unwrap()
        .1;
    let mut resize = |start, old, new, flags| {
        ask(
            &mut ledger,
            domain,
            25,
            [start, old * PAGE, new * PAGE, flags, 0, 0],
        )
    };
    assert_eq!(
        resize(at, 4, 2, 0),
        Ok((Action::Unmap(pages(at + 2 * PAGE, 2)), at))
    );
    let (action, _) = resize(at, 2, 4, 0).unwrap();
    assert!(matches!(action, Action::Grow { .. }), "{action:?}");
    assert_eq!(resize(at, 4, 40, 0).unwrap().1, at);
    assert_eq!(resize(at, 40, 60, 1), Err(Errno::NoMemory));
    assert_eq!(resize(at, 40, 2, 0).unwrap().1, at);
    let blocker = ask(
        &mut ledger,
        domain,
        9,
        mmap(at + 2 * PAGE, 1, 3, ANONYMOUS | FIXED, -1),
    )
    .unwrap()
    .1;
    let mut resize = |start, old, new, flags| {
        ask(
            &mut ledger,
            domain,
            25,
            [start, old * PAGE, new * PAGE, flags, 0, 0],
        )
    };
    assert_eq!(resize(at, 2, 3, 0), Err(Errno::NoMemory));
    assert_eq!(resize(at, 2, 3, 1).unwrap().1, blocker + PAGE);
}

#[test]
fn a_key_is_given_out_again_only_when_nothing_carries_it() {
    let (mut ledger, first) = world();
    let key = ledger.space(first).unwrap().key();
    let slot = |number: u64| pages(SLOT + number * 0x10_0000, 4);
    let admit = |ledger: &mut Ledger, number| {
        let slot = slot(number);
        ledger.admit(slot, pages(slot.start(), 1), 4)
    };
    let second = admit(&mut ledger, 1).unwrap();
    assert_eq!(admit(&mut ledger, 2), Err(LedgerError::NoKey));
    assert_eq!(
        ledger.release(first),
        Err(LedgerError::NoDomain),
        "it lives"
    );
    ledger.end(first).unwrap();
    assert!(ledger.space(first).is_none());
    assert_eq!(ledger.release(first), Err(LedgerError::Carried));
    assert_eq!(admit(&mut ledger, 2), Err(LedgerError::NoKey));
    ledger.gone(first, pages(SLOT, 64)).unwrap();
    assert_eq!(ledger.release(first), Ok(key));
    let third = admit(&mut ledger, 2).unwrap();
    assert_eq!(ledger.space(third).unwrap().key(), key);
    assert_ne!(third, first);
    assert_eq!(
        ledger.gone(second, slot(1)),
        Err(LedgerError::NoDomain),
        "it lives"
    );
    ledger.check().unwrap();
}

#[test]
fn slots_keep_their_distance_and_a_space_is_put_back_where_it_belongs_alone() {
    let (mut ledger, domain) = world();
    for start in [SLOT, SLOT + 63 * PAGE, SLOT + 64 * PAGE, SLOT - PAGE] {
        let slot = pages(start, 1);
        assert_eq!(
            ledger.admit(slot, slot, 4),
            Err(LedgerError::SlotTaken),
            "{start:#x}"
        );
    }
    let far = pages(SLOT + 65 * PAGE, 1);
    let other = ledger.admit(far, far, 4).unwrap();
    let space = ledger.space(other).unwrap().clone();
    assert_eq!(
        ledger.commit(domain, space.clone()),
        Err(LedgerError::Unsound)
    );
    assert_eq!(ledger.commit(Domain(99), space), Err(LedgerError::NoDomain));
}

#[test]
fn what_the_supervisor_gives_is_never_executable_of_no_image_nor_outside() {
    let (ledger, domain) = world();
    let mut space = ledger.space(domain).unwrap().clone();
    let mut give = |start, protection, content| {
        space.give(Entry {
            pages: pages(start, 1),
            protection,
            content,
            origin: 7,
        })
    };
    let at = SLOT + 9 * PAGE;
    assert!(!give(at, Protection::Execute, Content::Private));
    assert!(!give(at, Protection::Execute, Content::Fixed));
    assert!(!give(at, Protection::Write, Content::Image));
    assert!(
        !give(SLOT, Protection::Write, Content::Private),
        "something is there"
    );
    assert!(!give(SLOT + 64 * PAGE, Protection::Write, Content::Private));
    assert!(give(at, Protection::Execute, Content::Image));
}

#[test]
fn a_keys_rights_open_that_key_alone_and_never_key_0() {
    for number in 1..=15u8 {
        let rights = Key::try_from(number).unwrap().alone();
        for other in 0..=15u8 {
            let denied = rights >> (2 * other) & 3;
            assert_eq!(denied, if other == number { 0 } else { 3 });
        }
    }
}
