//! Requests for memory against a small kernel that does what the answers say: whatever domains ask, in whatever
//! order they come and go, the kernel's pages are what the ledger says, and no rule is broken.

use crate::bytes::Bytes;
use crate::{Verdict, ensure};
use keylane_policy::memory::{
    Action, Content, Decision, Domain, Entry, File, Key, Ledger, PAGE, Pages, Protection, Raw,
    Refusal, Request, Space, decide,
};
use std::collections::BTreeMap;

/// Keys of the lane: few, so that they run out.
const KEYS: [u8; 3] = [1, 2, 15];
/// Pages of a slot, and the most mappings in it.
const SLOT: u64 = 32;
const QUOTA: usize = 6;
/// Where slots are looked for.
const BASE: u64 = 0x40_0000;
/// The descriptor of a file of which there is an image, of eight pages.
const IMAGE: i32 = 7;

/// What answers a request.
pub type Decider = fn(&Space, Request) -> Result<Decision, Refusal>;

/// Checks Keylane's answers.
pub fn check(data: &[u8]) -> Verdict {
    judge(data, keylane)
}

fn keylane(space: &Space, request: Request) -> Result<Decision, Refusal> {
    decide(space, request, |file: File, length| {
        let end = file.offset.checked_add(length)?;
        (file.descriptor == IMAGE && end <= 8 * PAGE).then_some(file.offset)
    })
}

/// A page of the small kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Page {
    key: Key,
    protection: Protection,
    image: bool,
}

/// The small kernel: every page that is mapped, by its address.
type Kernel = BTreeMap<u64, Page>;

/// Judges answers by what the data make of them.
pub fn judge(data: &[u8], decider: Decider) -> Verdict {
    let mut bytes = Bytes::new(data);
    let mut ledger = Ledger::new(KEYS.into_iter().filter_map(|key| Key::try_from(key).ok()));
    let mut kernel = Kernel::new();
    let mut domains: Vec<Domain> = Vec::new();
    for _ in 0..64 {
        if bytes.is_empty() {
            break;
        }
        let chosen = domains.get(bytes.below(domains.len())).copied();
        match (bytes.below(10), chosen) {
            (0, _) | (_, None) => domains.extend(admit(&mut ledger, &mut kernel, &mut bytes)),
            (1, Some(domain)) => end(&mut ledger, &mut kernel, domain, &mut bytes)?,
            (_, Some(domain)) => ask(&mut ledger, &mut kernel, domain, &mut bytes, decider)?,
        }
        ledger.check()?;
        compare(&ledger, &domains, &kernel)?;
    }
    Ok(())
}

/// A new domain with a birth stack at its slot's start, if there is a key and room.
fn admit(ledger: &mut Ledger, kernel: &mut Kernel, bytes: &mut Bytes<'_>) -> Option<Domain> {
    let start = BASE + PAGE * 17 * u64::from(bytes.byte() % 16);
    let slot = Pages::new(start, SLOT * PAGE)?;
    let heap = Pages::new(start + (SLOT - 4) * PAGE, 4 * PAGE)?;
    let domain = ledger.admit(slot, heap, QUOTA).ok()?;
    let mut space = ledger.space(domain)?.clone();
    let origin = space.origin();
    let (protection, content) = (Protection::Write, Content::Fixed);
    let stack = Pages::new(start, PAGE)?;
    space.give(Entry {
        pages: stack,
        protection,
        content,
        origin,
    });
    kernel.insert(
        start,
        Page {
            key: space.key(),
            protection,
            image: false,
        },
    );
    ledger.commit(domain, space).ok()?;
    Some(domain)
}

/// Ends a domain and takes some or all of its pages; its key comes back only with the last of them.
fn end(ledger: &mut Ledger, kernel: &mut Kernel, domain: Domain, bytes: &mut Bytes<'_>) -> Verdict {
    let slot = ledger.space(domain).map(Space::slot);
    let _ = ledger.end(domain);
    let Some(slot) = slot else {
        // It has ended before: its pages are asked for by the owner of addresses.
        let left = kernel
            .keys()
            .copied()
            .find(|at| ledger.owner(*at).map(|owner| owner.0) == Some(domain));
        if let Some(pages) = left.and_then(|at| Pages::new(at, PAGE)) {
            kernel.remove(&pages.start());
            let _ = ledger.gone(domain, pages);
        }
        let _ = ledger.release(domain);
        return Ok(());
    };
    let cut = PAGE * u64::from(bytes.byte() % 40);
    if let Some(gone) = Pages::new(slot.start(), cut.clamp(PAGE, slot.length())) {
        kernel.retain(|at, _| *at < gone.start() || *at >= gone.end());
        ledger
            .gone(domain, gone)
            .map_err(|error| format!("{error:?}"))?;
    }
    if let Ok(key) = ledger.release(domain) {
        let left = kernel.iter().find(|(_, page)| page.key == key);
        return ensure(left.is_none(), || {
            format!("{key:?} is free and carried by {left:x?}")
        });
    }
    Ok(())
}

fn ask(
    ledger: &mut Ledger,
    kernel: &mut Kernel,
    domain: Domain,
    bytes: &mut Bytes<'_>,
    decider: Decider,
) -> Verdict {
    let Some(space) = ledger.space(domain) else {
        return Ok(());
    };
    let raw = raw(space, bytes);
    let Ok(request) = Request::try_from(raw) else {
        return Ok(());
    };
    let Ok(decision) = decider(space, request) else {
        return Ok(());
    };
    let (slot, key) = (space.slot(), space.key());
    let said = |why: &str| format!("{why}: {raw:x?} is answered by {:x?}", decision.action);
    perform(kernel, slot, key, decision.action).map_err(&said)?;
    ledger
        .commit(domain, decision.after.clone())
        .map_err(|error| said(&format!("{error:?}")))
}

/// A call's arguments: mostly of mappings that there are and with meaning, now and then anything.
fn raw(space: &Space, bytes: &mut Bytes<'_>) -> Raw {
    let number = bytes.pick(9, &[10, 11, 12, 25, 28, 9, 10]);
    let starts: Vec<u64> = space.entries().map(|entry| entry.pages.start()).collect();
    let (slot, heap) = (space.slot(), space.heap());
    let near = match bytes.byte() {
        255 => bytes.number(),
        byte @ 230..255 => slot.start().wrapping_sub(2 * PAGE) + PAGE * u64::from(byte % 5),
        byte if number == 12 => heap.start() + 0x800 * u64::from(byte % 10),
        byte if byte % 3 == 0 => slot.start() + PAGE * u64::from(byte % 34),
        byte => {
            let place = usize::from(byte) % starts.len().max(1);
            starts.get(place).copied().unwrap_or(slot.start())
        }
    };
    let length = PAGE * u64::from(bytes.byte() % 5);
    let third = match number {
        25 => PAGE * u64::from(bytes.byte() % 9),
        28 => bytes.pick(4, &[8, 0, 9, 12]),
        _ => bytes.pick(3, &[1, 5, 0, 4, 3, 7, 2]),
    };
    let fourth = match number {
        25 => bytes.pick(1, &[0, 1, 3]),
        _ => bytes.pick(0x22, &[0x2, 0x32, 0x12, 0x10_0022, 0x22, 0x11]),
    };
    let fifth = bytes.pick(7, &[5, 7]);
    let sixth = PAGE * u64::from(bytes.byte() % 9);
    Raw {
        number,
        arguments: [near, length, third, fourth, fifth, sixth],
    }
}

fn perform(kernel: &mut Kernel, slot: Pages, key: Key, action: Action) -> Result<(), &'static str> {
    let each = |pages: Pages| (pages.start()..pages.end()).step_by(4096);
    let inside = |pages: Pages, wanted: Key| {
        if !slot.contains(pages) {
            return Err("outside of the slot");
        }
        if wanted == key {
            Ok(())
        } else {
            Err("another's key")
        }
    };
    match action {
        Action::Nothing => {}
        Action::Map {
            pages,
            protection,
            key: wanted,
            ..
        } => {
            inside(pages, wanted)?;
            for at in each(pages) {
                kernel.insert(
                    at,
                    Page {
                        key,
                        protection,
                        image: false,
                    },
                );
            }
        }
        Action::MapImage {
            pages, key: wanted, ..
        } => {
            inside(pages, wanted)?;
            for at in each(pages) {
                kernel.insert(
                    at,
                    Page {
                        key,
                        protection: Protection::Execute,
                        image: true,
                    },
                );
            }
        }
        Action::Unmap(pages) => {
            inside(pages, key)?;
            kernel.retain(|at, _| *at < pages.start() || *at >= pages.end());
        }
        Action::Protect {
            pages,
            protection,
            key: wanted,
        } => {
            inside(pages, wanted)?;
            for at in each(pages) {
                let page = kernel
                    .get_mut(&at)
                    .ok_or("protection of what is not mapped")?;
                page.protection = protection;
            }
        }
        Action::Grow {
            from,
            to,
            key: wanted,
        }
        | Action::Move {
            from,
            to,
            key: wanted,
        } => {
            inside(from, wanted)?;
            inside(to, wanted)?;
            let page = *kernel
                .get(&from.start())
                .ok_or("growth of what is not mapped")?;
            for at in each(from) {
                kernel.remove(&at).ok_or("growth of what is not mapped")?;
            }
            for at in each(to) {
                if kernel.insert(at, page).is_some() {
                    return Err("growth into what is mapped");
                }
            }
        }
        Action::Drop { pages, .. } => {
            inside(pages, key)?;
            for at in each(pages) {
                let page = kernel.get(&at).ok_or("advice on what is not mapped")?;
                if page.image {
                    return Err("advice that drops an image");
                }
            }
        }
    }
    Ok(())
}

/// Compares every page with what the ledger says, and both with the rules.
fn compare(ledger: &Ledger, domains: &[Domain], kernel: &Kernel) -> Verdict {
    for (at, page) in kernel {
        let key = ledger.owner(*at).and_then(|(_, key)| key);
        ensure(key == Some(page.key), || {
            format!("{page:?} at {at:#x}, the ledger says {key:?}")
        })?;
        let sound = match page.protection {
            Protection::Execute => page.image,
            Protection::Write => !page.image,
            Protection::None | Protection::Read => true,
        };
        ensure(sound, || format!("{page:?} at {at:#x}"))?;
    }
    for space in domains.iter().filter_map(|domain| ledger.space(*domain)) {
        for entry in space.entries() {
            for at in (entry.pages.start()..entry.pages.end()).step_by(4096) {
                let wanted = Page {
                    key: space.key(),
                    protection: entry.protection,
                    image: entry.content == Content::Image,
                };
                let page = kernel.get(&at);
                ensure(page == Some(&wanted), || {
                    format!("{entry:x?}, the kernel has {page:?} at {at:#x}")
                })?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutate::Mutator;

    fn is_found_out(decider: Decider) -> bool {
        let seeds = [
            (0..200_u8).collect::<Vec<u8>>(),
            (0..200_u8).map(|n| n.wrapping_mul(83)).collect(),
        ];
        let mut mutator = Mutator::new(9);
        (0..4000).any(|_| judge(&mutator.next(&seeds), decider).is_err())
    }

    /// An answer with another action.
    fn with(
        space: &Space,
        request: Request,
        change: fn(Action) -> Action,
    ) -> Result<Decision, Refusal> {
        let decision = keylane(space, request)?;
        Ok(Decision {
            action: change(decision.action),
            ..decision
        })
    }

    #[test]
    fn answers_that_break_a_rule_are_found_out() {
        assert!(!is_found_out(keylane));
        // Any file has an image, and so has what is private.
        assert!(is_found_out(|space, request| {
            with(space, request, |action| match action {
                Action::Map {
                    pages,
                    backing: keylane_policy::memory::Backing::File(file),
                    key,
                    ..
                } => Action::MapImage {
                    pages,
                    file,
                    offset: 0,
                    key,
                },
                other => other,
            })
        }));
        // The key is forgotten.
        assert!(is_found_out(|space, request| {
            with(space, request, |action| match (action, Key::try_from(14)) {
                (
                    Action::Map {
                        pages,
                        protection,
                        backing,
                        ..
                    },
                    Ok(key),
                ) => Action::Map {
                    pages,
                    protection,
                    backing,
                    key,
                },
                (other, _) => other,
            })
        }));
        // The space is not brought up to date; or nothing is done.
        assert!(is_found_out(|space, request| {
            Ok(Decision {
                after: space.clone(),
                ..keylane(space, request)?
            })
        }));
        assert!(is_found_out(|space, request| with(space, request, |_| {
            Action::Nothing
        })));
    }

    #[test]
    fn seeds_and_mutations_reach_every_kind_of_answer() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        static KINDS: [AtomicUsize; 9] = [const { AtomicUsize::new(0) }; 9];
        fn counting(space: &Space, request: Request) -> Result<Decision, Refusal> {
            let said = keylane(space, request);
            let kind = match said.as_ref().map(|decision| decision.action) {
                Ok(Action::Nothing) => 0,
                Ok(Action::Map { .. }) => 1,
                Ok(Action::MapImage { .. }) => 2,
                Ok(Action::Unmap(_)) => 3,
                Ok(Action::Protect { .. }) => 4,
                Ok(Action::Grow { .. }) => 5,
                Ok(Action::Move { .. }) => 6,
                Ok(Action::Drop { .. }) => 7,
                Err(_) => 8,
            };
            KINDS[kind].fetch_add(1, Ordering::Relaxed);
            said
        }
        let seeds = [
            include_bytes!("../../corpus/memory/mixed0").to_vec(),
            include_bytes!("../../corpus/memory/mixed1").to_vec(),
        ];
        let mut mutator = Mutator::new(2);
        for _ in 0..4000 {
            assert_eq!(judge(&mutator.next(&seeds), counting), Ok(()));
        }
        let counts: Vec<usize> = KINDS
            .iter()
            .map(|kind| kind.load(Ordering::Relaxed))
            .collect();
        assert!(counts.iter().all(|count| *count > 20), "{counts:?}");
    }
}
