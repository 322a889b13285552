//! What of a file is forbidden: every pattern in a byte that its mapping makes executable, or that
//! lies across the border of such bytes.
//!
//! Looked at are all pages of every segment with PF_X, whatever its name, in whole pages as they are
//! mapped: also what stands before and after the segment in its first and last page. Zeros
//! that the loader adds complete no pattern. At each end of such a run what follows counts as well, both in
//! the file (a loader may map more of it) and at the next address (what another segment puts there).

use crate::names::{Place, places};
use crate::outline::{ElfError, Outline, PAGE, Segment, Stack};
use crate::source::Source;
use keylane_policy::instruction::{OPCODE_BYTES, PREFIX_BYTES, Pattern, Standing};
use keylane_scan::{Neighbours, each, region};
use std::collections::BTreeSet;
use std::ops::Range;

/// Finds of one file that are kept; of more only the number is told. Nothing real has a hundred.
const FINDS: usize = 1000;
/// Bytes that are read at once: they stay in the processor's second cache.
const CHUNK: usize = 256 * 1024;
/// Bytes before and after the start of a find that are shown.
const CONTEXT: u64 = 8;
/// Bytes before a border that can belong to an instruction across it, and bytes after it.
const LEAD: u64 = (PREFIX_BYTES + OPCODE_BYTES - 1) as u64;
const TAIL: u64 = (OPCODE_BYTES - 1) as u64;

/// What a find lies across.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Across {
    /// Nothing: its bytes lie in one page.
    Nothing,
    /// The border of two pages of one segment.
    Page,
    /// The border of what becomes executable.
    Segment,
}

/// A forbidden instruction in a file.
#[derive(Clone, Debug)]
pub struct Find {
    /// Which.
    pub pattern: &'static Pattern,
    /// Offset in the file of the escape byte 0F.
    pub offset: u64,
    /// The address of that byte, before the file is moved to where it is mapped.
    pub address: u64,
    /// What it lies across.
    pub across: Across,
    /// Section and symbol.
    pub place: Place,
    /// The bytes from eight before that one to eight after, as far as the file has them.
    pub context: Vec<u8>,
}

/// Something about a file, besides finds, for which no image is made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remark {
    /// A segment is writable and executable.
    WritableCode,
    /// It asks for executable stacks.
    ExecutableStack,
    /// It does not say that stacks need not be executable, and so ld.so makes them so.
    UnsaidStack,
    /// Its code is changed when it is loaded.
    TextRelocations,
    /// An executable segment has more bytes in memory than in the file.
    ExecutableZeros,
    /// A segment reaches beyond the end of the file.
    Cut,
    /// A segment's offset and address have different places in a page.
    Misaligned,
}

impl Remark {
    /// It in words.
    pub fn words(self) -> &'static str {
        match self {
            Remark::WritableCode => "a segment is writable and executable",
            Remark::ExecutableStack => "asks for executable stacks",
            Remark::UnsaidStack => "has no PT_GNU_STACK: ld.so makes stacks executable for it",
            Remark::TextRelocations => "its code is changed when it is loaded (text relocations)",
            Remark::ExecutableZeros => "an executable segment is larger in memory than in the file",
            Remark::Cut => "an executable segment reaches beyond the end of the file",
            Remark::Misaligned => "a segment's offset and address differ within a page",
        }
    }
}

/// What was found in a file.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Bytes of the file that become executable, each counted once.
    pub executable: u64,
    /// Finds in the order of the file, at most a thousand.
    pub finds: Vec<Find>,
    /// Finds of refused instructions, all of them.
    pub refused: u64,
    /// Finds of instructions that are only reported, all of them.
    pub reported: u64,
    /// What else is wrong with it.
    pub remarks: Vec<Remark>,
}

impl Findings {
    /// Whether nothing forbids an image of it.
    pub fn is_clean(&self) -> bool {
        self.refused == 0 && self.remarks.is_empty()
    }

    /// The finds of refused instructions among those that are kept.
    pub fn refused_finds(&self) -> impl Iterator<Item = &Find> {
        let is_refused = |find: &&Find| find.pattern.standing == Standing::Refused;
        self.finds.iter().filter(is_refused)
    }
}

/// What a find is before it has names: the order is that of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Spot {
    offset: u64,
    address: u64,
    across: Across,
    row: usize,
}

/// Spots, counted beyond what is kept.
#[derive(Default)]
struct Spots {
    kept: BTreeSet<Spot>,
    refused: u64,
    reported: u64,
}

impl Spots {
    fn add(&mut self, offset: u64, address: u64, across: Across, pattern: &'static Pattern) {
        let rows = keylane_policy::instruction::PATTERNS.iter();
        let row = rows.take_while(|one| *one != pattern).count();
        let spot = Spot {
            offset,
            address,
            across,
            row,
        };
        // What a file says about a border, and what the addresses say about it, are often the same.
        let same = |one: &Spot| (one.offset, one.address) == (offset, address);
        if across == Across::Segment && self.kept.iter().any(same) {
            return;
        }
        match pattern.standing {
            Standing::Refused => self.refused += 1,
            Standing::Reported => self.reported += 1,
        }
        if self.kept.len() < FINDS {
            self.kept.insert(spot);
        }
    }
}

/// Looks through a file; none if it is no ELF file. Takes as much memory as `buffer` and the finds.
pub fn examine(source: &impl Source, buffer: &mut Vec<u8>) -> Result<Option<Findings>, ElfError> {
    let Some(outline) = Outline::read(source)? else {
        return Ok(None);
    };
    let mut spots = Spots::default();
    let runs = runs(&outline);
    for run in &runs {
        search(source, &outline, run.clone(), buffer, &mut spots)?;
    }
    let executable: Vec<&Segment> = outline.executable().collect();
    for code in executable {
        for other in outline.segments.iter().filter(|other| *other != code) {
            join(source, &outline, code, other, &mut spots)?;
        }
    }
    let remarks = remarks(&outline);
    Ok(Some(Findings {
        executable: runs.iter().map(|run| run.end - run.start).sum(),
        finds: name(source, &outline, &spots.kept)?,
        refused: spots.refused,
        reported: spots.reported,
        remarks,
    }))
}

/// What of the file becomes executable: ranges without overlap, in order.
pub fn runs(outline: &Outline) -> Vec<Range<u64>> {
    let clamp = |range: Range<u64>| range.start.min(outline.length)..range.end.min(outline.length);
    let mut ranges: Vec<_> = outline
        .executable()
        .map(|code| clamp(code.file_pages()))
        .collect();
    ranges.sort_by_key(|range| range.start);
    let mut runs: Vec<Range<u64>> = Vec::new();
    for range in ranges.into_iter().filter(|range| !range.is_empty()) {
        match runs.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => runs.push(range),
        }
    }
    runs
}

/// Searches a range of the file and what stands right before and after it there.
fn search(
    source: &impl Source,
    outline: &Outline,
    run: Range<u64>,
    buffer: &mut Vec<u8>,
    spots: &mut Spots,
) -> Result<(), ElfError> {
    let stop = run.end.saturating_add(TAIL).min(outline.length);
    let mut from = run.start.saturating_sub(LEAD);
    let lead = LEAD as usize;
    buffer.resize(lead + CHUNK, 0);
    let mut carried = 0;
    while from < stop {
        let size = usize::try_from(stop - from)
            .unwrap_or(usize::MAX)
            .min(CHUNK);
        let held = carried + size;
        let fresh = buffer.get_mut(carried..held).unwrap_or_default();
        source.read_at(from, fresh)?;
        let start = from - carried as u64;
        each(buffer.get(..held).unwrap_or_default(), |at, pattern| {
            // What ends in the carried bytes was told with the chunk before.
            let offset = start + at as u64;
            let touches = offset + OPCODE_BYTES as u64 > run.start && offset < run.end;
            if at + OPCODE_BYTES > carried && touches {
                locate(outline, offset, pattern, spots);
            }
        });
        let keep = held.min(lead);
        buffer.copy_within(held - keep..held, 0);
        carried = keep;
        from += size as u64;
    }
    Ok(())
}

/// Adds a find at an offset of the file, once for each segment that maps it.
fn locate(outline: &Outline, offset: u64, pattern: &'static Pattern, spots: &mut Spots) {
    let last = offset + TAIL;
    let mut is_whole = false;
    for code in outline.executable() {
        let pages = code.file_pages();
        if pages.contains(&offset) && pages.contains(&last) {
            let same = offset / PAGE == last / PAGE;
            let across = if same { Across::Nothing } else { Across::Page };
            spots.add(offset, code.address_of(offset), across, pattern);
            is_whole = true;
        }
    }
    for code in outline.executable().filter(|_| !is_whole) {
        let pages = code.file_pages();
        if (offset..=last).any(|one| pages.contains(&one)) {
            spots.add(offset, code.address_of(offset), Across::Segment, pattern);
        }
    }
}

/// Searches across the borders of code where another segment is mapped next to it.
fn join(
    source: &impl Source,
    outline: &Outline,
    code: &Segment,
    other: &Segment,
    spots: &mut Spots,
) -> Result<(), ElfError> {
    let (here, there) = (code.address_pages(), other.address_pages());
    let file = code.file_pages();
    let read = |range: Range<u64>| -> Result<Vec<u8>, ElfError> {
        let end = range.end.min(outline.length);
        let size = end.saturating_sub(range.start);
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
        source.read_at(range.start, &mut bytes)?;
        Ok(bytes)
    };
    if here.start > 0 && there.contains(&(here.start - 1)) {
        let end = other.offset_of(here.start);
        // Where the file has ended there are zeros, which complete nothing.
        if end <= outline.length {
            let before = read(end.saturating_sub(LEAD)..end)?;
            let head = read(file.start..file.start.saturating_add(LEAD + TAIL))?;
            let after = &[][..];
            region(
                &head,
                Neighbours {
                    before: &before,
                    after,
                },
                |place, pattern| {
                    if let keylane_scan::Place::AcrossStart { before, at } = place {
                        let (before, at) = (before as u64, at as u64);
                        let offset = if before > 0 {
                            end - before
                        } else {
                            file.start + at
                        };
                        spots.add(offset, here.start + at - before, Across::Segment, pattern);
                    }
                },
            );
        }
    }
    if there.contains(&here.end) && file.end <= outline.length {
        let start = other.offset_of(here.end);
        let after = read(start..start.saturating_add(TAIL))?;
        let first = file.end - LEAD;
        let before = &[][..];
        region(
            &read(first..file.end)?,
            Neighbours {
                before,
                after: &after,
            },
            |place, pattern| {
                if let keylane_scan::Place::AcrossEnd(at) = place {
                    let offset = first + at as u64;
                    spots.add(offset, code.address_of(offset), Across::Segment, pattern);
                }
            },
        );
    }
    Ok(())
}

fn name(
    source: &impl Source,
    outline: &Outline,
    spots: &BTreeSet<Spot>,
) -> Result<Vec<Find>, ElfError> {
    let addresses: Vec<u64> = spots.iter().map(|spot| spot.address).collect();
    let places = places(source, outline, &addresses);
    let mut finds = Vec::new();
    for (spot, place) in spots.iter().zip(places) {
        let Some(pattern) = keylane_policy::instruction::PATTERNS.get(spot.row) else {
            continue;
        };
        let from = spot.offset.saturating_sub(CONTEXT);
        let to = spot.offset.saturating_add(CONTEXT).min(outline.length);
        let mut context = vec![0; usize::try_from(to - from).unwrap_or(0)];
        source.read_at(from, &mut context)?;
        finds.push(Find {
            pattern,
            offset: spot.offset,
            address: spot.address,
            across: spot.across,
            place,
            context,
        });
    }
    Ok(finds)
}

fn remarks(outline: &Outline) -> Vec<Remark> {
    let code = || outline.executable();
    let checks = [
        (
            Remark::WritableCode,
            outline
                .segments
                .iter()
                .any(|one| one.writable && one.executable),
        ),
        (Remark::ExecutableStack, outline.stack == Stack::Executable),
        (
            Remark::UnsaidStack,
            outline.stack == Stack::Unsaid && !outline.segments.is_empty(),
        ),
        (Remark::TextRelocations, outline.text_relocations),
        (
            Remark::ExecutableZeros,
            outline
                .segments
                .iter()
                .any(|one| one.executable && one.memory > one.file),
        ),
        (
            Remark::Cut,
            code().any(|one| one.offset + one.file > outline.length),
        ),
        (
            Remark::Misaligned,
            outline.segments.iter().any(|one| !one.is_aligned()),
        ),
    ];
    checks
        .into_iter()
        .filter(|(_, holds)| *holds)
        .map(|(remark, _)| remark)
        .collect()
}
