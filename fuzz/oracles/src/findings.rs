//! The findings of a file against a slow map of what its segments put into memory.
//!
//! From the data a file is made whose segments do not overlap in memory; whatever lies at executable addresses of
//! it, or across their borders, must be found with its address, and whatever is found must be there,
//! in memory or in the file. The data themselves, read as a file, must not end the process.

use crate::bytes::Bytes;
use crate::elf::{Elf, Load};
use crate::{Verdict, ensure, reference};
use keylane_image::{Findings, Segment, examine};
use std::collections::BTreeSet;

/// Pages: what a segment's bytes are put near the ends of.
const PAGE: u64 = 4096;
/// Pieces of patterns.
const PIECES: [&[u8]; 12] = [
    &[0x0f, 0x01, 0xef],
    &[0x0f],
    &[0x01, 0xef],
    &[0x0f, 0x01],
    &[0xef],
    &[0x0f, 0xae, 0x68],
    &[0xae, 0x2c],
    &[0xf3, 0x48, 0x0f, 0xae, 0xd8],
    &[0x48, 0x0f, 0xae, 0xd0],
    &[0xf3],
    &[0x0f, 0xc7, 0x58],
    &[0x90, 0x0f, 0xae, 0xe8],
];

/// What says the findings of a file.
pub type Finder = fn(&[u8]) -> Option<Findings>;

/// Checks Keylane's.
pub fn check(data: &[u8]) -> Verdict {
    // Any bytes, and any bytes behind a header that is read.
    let _ = examine(&data, &mut Vec::new());
    let mut cut = file(&[]).write();
    cut.truncate(64);
    cut.extend_from_slice(data);
    let _ = examine(&&*cut, &mut Vec::new());
    judge(data, |bytes| {
        examine(&bytes, &mut Vec::new()).ok().flatten()
    })
}

/// Judges a finder on the file that is made of the data.
pub fn judge(data: &[u8], finder: Finder) -> Verdict {
    let elf = file(data);
    let bytes = elf.write();
    let found = finder(&bytes).ok_or("a file that is well formed is refused")?;
    let memory = memory(&elf, &bytes);
    let code: Vec<Segment> = elf
        .loads
        .iter()
        .filter(|load| load.flags & 1 != 0)
        .map(segment)
        .collect();
    let expected: BTreeSet<(u64, &str)> = code
        .iter()
        .filter(|segment| segment.file > 0)
        .flat_map(|segment| {
            let pages = segment.address_pages();
            let byte = |at: i64| memory.get(usize::try_from(at).ok()?).copied().flatten();
            let memory = byte;
            (pages.start.saturating_sub(2)..pages.end)
                .filter_map(move |at| Some((at, reference::at(&memory, i64::try_from(at).ok()?)?)))
                .collect::<Vec<_>>()
        })
        .collect();
    let said: BTreeSet<(u64, &str)> = found
        .finds
        .iter()
        .map(|find| (find.address, find.pattern.name))
        .collect();
    for find in &expected {
        ensure(said.contains(find), || {
            format!("{find:x?} of {elf:x?} is missed: {found:x?}")
        })?;
    }
    let byte = |at: i64| bytes.get(usize::try_from(at).ok()?).copied();
    for find in &found.finds {
        let there = i64::try_from(find.offset)
            .ok()
            .and_then(|at| reference::at(&byte, at));
        let is_there = there == Some(find.pattern.name)
            || expected.contains(&(find.address, find.pattern.name));
        ensure(is_there, || format!("{find:x?} is not in {elf:x?}"))?;
    }
    let counted = found.refused + found.reported;
    ensure(
        counted == u64::try_from(found.finds.len()).unwrap_or(0),
        || format!("{counted} counted, {} told", found.finds.len()),
    )
}

fn segment(load: &Load) -> Segment {
    let file = u64::try_from(load.bytes.len()).unwrap_or(0);
    Segment {
        address: load.address,
        memory: load.memory.unwrap_or(file),
        offset: load.offset,
        file,
        writable: load.flags & 2 != 0,
        executable: load.flags & 1 != 0,
    }
}

/// What every address holds once the segments are mapped in whole pages; none where nothing is.
fn memory(elf: &Elf, bytes: &[u8]) -> Vec<Option<u8>> {
    let mut memory = Vec::new();
    for segment in elf.loads.iter().map(segment) {
        for address in segment.address_pages() {
            let (Ok(at), Ok(offset)) = (
                usize::try_from(address),
                usize::try_from(segment.offset_of(address)),
            ) else {
                continue;
            };
            if memory.len() <= at {
                memory.resize(at + 4096, None);
            }
            if let Some(place) = memory.get_mut(at) {
                // Behind the end of the file a page is filled with zeros.
                *place = Some(bytes.get(offset).copied().unwrap_or(0));
            }
        }
    }
    memory
}

/// A file of up to four segments, next to each other or with a page between.
fn file(data: &[u8]) -> Elf {
    let mut bytes = Bytes::new(data);
    let mut elf = Elf {
        stack: Some(6),
        ..Elf::default()
    };
    let mut address = PAGE * u64::try_from(bytes.below(3)).unwrap_or(0);
    for _ in 0..=bytes.below(4) {
        let skip = [0, 1, 0x18, 0xff0]
            .get(bytes.below(4))
            .copied()
            .unwrap_or(0);
        let size = [0, 16, 4096, 4095, 8192]
            .get(bytes.below(5))
            .copied()
            .unwrap_or(0);
        let page = PAGE * u64::try_from(1 + bytes.below(6)).unwrap_or(1);
        let mut content = vec![0x90; size];
        for _ in 0..bytes.below(4) {
            let piece = PIECES
                .get(bytes.below(PIECES.len()))
                .copied()
                .unwrap_or_default();
            // Near the start, near the end, or near the end of the first page.
            let room = size.saturating_sub(piece.len());
            let at = match bytes.below(3) {
                0 => bytes.below(4),
                1 => room.saturating_sub(bytes.below(3)),
                _ => 4094_usize.saturating_sub(bytes.below(8)),
            };
            let at = at.min(room);
            if let Some(place) = content.get_mut(at..at + piece.len()) {
                place.copy_from_slice(piece);
            }
        }
        let flags = u32::from(bytes.byte() % 8);
        let load = Load {
            address: address + skip,
            offset: page + skip,
            bytes: content,
            memory: None,
            flags,
        };
        let end = segment(&load).address_pages().end.max(address + PAGE);
        address = end + PAGE * u64::try_from(bytes.below(2)).unwrap_or(0);
        elf.loads.push(load);
    }
    elf
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutate::Mutator;

    fn is_found_out(finder: Finder) -> bool {
        let seeds = [
            include_bytes!("../../corpus/findings/inside").to_vec(),
            include_bytes!("../../corpus/findings/page").to_vec(),
            include_bytes!("../../corpus/findings/border").to_vec(),
            include_bytes!("../../corpus/findings/padding").to_vec(),
        ];
        if seeds.iter().any(|seed| judge(seed, finder).is_err()) {
            return true;
        }
        let mut mutator = Mutator::new(5);
        (0..1000).any(|_| judge(&mutator.next(&seeds), finder).is_err())
    }

    fn keylane(bytes: &[u8]) -> Option<Findings> {
        examine(&bytes, &mut Vec::new()).ok().flatten()
    }

    fn without(bytes: &[u8], across: keylane_image::Across) -> Option<Findings> {
        let mut findings = keylane(bytes)?;
        findings.finds.retain(|find| find.across != across);
        let count = u64::try_from(findings.finds.len()).ok()?;
        (findings.refused, findings.reported) = (count, 0);
        Some(findings)
    }

    #[test]
    fn finders_that_forget_a_border_or_the_padding_are_found_out() {
        use keylane_image::Across::{Nothing, Page, Segment};
        assert!(!is_found_out(keylane));
        assert!(is_found_out(|bytes| without(bytes, Page)));
        assert!(is_found_out(|bytes| without(bytes, Segment)));
        assert!(is_found_out(|bytes| without(bytes, Nothing)));
        // Only what the segments say, without the rest of their pages.
        assert!(is_found_out(|bytes| {
            let mut findings = keylane(bytes)?;
            findings.finds.retain(|find| find.offset % 4096 >= 0x18);
            let count = u64::try_from(findings.finds.len()).ok()?;
            (findings.refused, findings.reported) = (count, 0);
            Some(findings)
        }));
    }
}
