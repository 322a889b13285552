//! Images: the executable pages of a file, copied, made harmless where that is known to be safe,
//! searched, and sealed, in this order.
//!
//! The file is read once; everything is decided on that copy, so that a change of the file while it is
//! read makes another image and no wrong one. What cannot be made harmless is refused.

use crate::finds::{Find, Findings, Remark, examine, runs};
use crate::known::{Change, SITES, recognise};
use crate::outline::{ElfError, Outline, PAGE};
use crate::source::{Source, piece};
use keylane_sys::body;
use sha2::{Digest, Sha256};
use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Bytes of a file of which an image is made. The largest libraries have some 200 MB.
const FILE_BYTES: u64 = 1024 * 1024 * 1024;

/// A file's bytes by their SHA-256: what a cache of images goes by. It says nothing about what is
/// in them.
pub type Key = [u8; 32];

/// A range of a file that is in an image, in whole pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Where it begins in the file.
    pub file: u64,
    /// Where it begins in the image.
    pub image: u64,
    /// How long it is.
    pub length: u64,
}

/// What is sealed, before it is.
#[derive(Debug)]
pub struct Draft {
    key: Key,
    content: Vec<u8>,
    runs: Vec<Run>,
    changes: Vec<Change>,
}

/// A sealed image. That there is one means that its bytes were searched and hold nothing that is
/// refused, and that nobody can change them.
#[derive(Debug)]
pub struct Image {
    memfd: OwnedFd,
    key: Key,
    runs: Vec<Run>,
    changes: Vec<Change>,
}

/// Why no image is made of a file.
#[derive(Debug)]
pub enum Why {
    /// It could not be read or understood.
    Elf(ElfError),
    /// It is no ELF file.
    NotElf,
    /// It is not for this machine.
    Machine(u16),
    /// It has more bytes than an image is made of.
    Large(u64),
    /// Its code could change, or be joined by other code.
    Remark(Remark),
    /// It holds a forbidden instruction where none is known.
    Find(Box<Find>),
    /// It holds more or fewer of a known place than any release.
    Count {
        /// Which place.
        site: &'static str,
        /// How many of it there are.
        found: usize,
    },
    /// More was found than is kept.
    Many(u64),
    /// Its code ends in the beginning of a forbidden instruction, which what is mapped behind it could complete.
    OpenEnd {
        /// The offset in the file at which it ends.
        offset: u64,
    },
    /// Making harmless did not: a bug of Keylane.
    Remains,
    /// Sealing failed.
    Seal(io::Error),
}

/// A file of which no image is made.
#[derive(Debug)]
pub struct Refused {
    /// Its name.
    pub file: String,
    /// The reason.
    pub why: Why,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file)?;
        match &self.why {
            Why::Elf(error) => error.fmt(f),
            Why::NotElf => f.write_str("not an ELF file"),
            Why::Machine(machine) => write!(f, "for machine {machine}, not for x86_64"),
            Why::Large(length) => write!(f, "{length} bytes, over the limit of {FILE_BYTES}"),
            Why::Remark(remark) => f.write_str(remark.words()),
            Why::Find(find) => {
                let name = find.pattern.name;
                write!(f, "{name} at offset {:#x} in ", find.offset)?;
                match &find.place.symbol {
                    Some((symbol, distance)) => write!(f, "{symbol}+{distance:#x}"),
                    None => f.write_str("no symbol"),
                }?;
                write!(f, ", which {}", find.pattern.effect)
            }
            Why::Count { site, found } => write!(f, "{found} times {site}, as no release has it"),
            Why::Many(count) => write!(f, "{count} forbidden instructions"),
            Why::OpenEnd { offset } => {
                write!(
                    f,
                    "the code ends at {offset:#x} in the middle of a forbidden instruction"
                )
            }
            Why::Remains => f.write_str("a forbidden instruction is left (a bug of Keylane)"),
            Why::Seal(error) => write!(f, "sealing its image failed: {error}"),
        }?;
        f.write_str("; run the function with isolation process, or use another build of the file")
    }
}

impl std::error::Error for Refused {}

impl Draft {
    /// Reads a file, decides about it, and makes it harmless.
    pub fn read(source: &impl Source) -> Result<Draft, Why> {
        let length = source.length().map_err(|error| Why::Elf(error.into()))?;
        if length > FILE_BYTES {
            return Err(Why::Large(length));
        }
        let read = piece(source, 0, length, FILE_BYTES);
        let mut file = read.map_err(|error| Why::Elf(error.into()))?;
        let key = Sha256::digest(&file).into();
        let (outline, findings) = look(&file)?;
        if !outline.is_x86_64() {
            return Err(Why::Machine(outline.machine));
        }
        if let Some(remark) = findings.remarks.first() {
            return Err(Why::Remark(*remark));
        }
        let changes = changes(&findings, &file)?;
        for change in &changes {
            overwrite(&mut file, change)?;
        }
        let (outline, findings) = look(&file)?;
        if findings.refused > 0 {
            return Err(Why::Remains);
        }
        let (content, runs) = cut(&outline, &file)?;
        Ok(Draft {
            key,
            content,
            runs,
            changes,
        })
    }

    /// The hash of the file.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The bytes that will be executable.
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// What was changed in them.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Seals it.
    pub fn seal(self, name: &str) -> Result<Image, Why> {
        let memfd = body::sealed(name, &self.content).map_err(Why::Seal)?;
        Ok(Image {
            memfd,
            key: self.key,
            runs: self.runs,
            changes: self.changes,
        })
    }
}

impl Image {
    /// The hash of the file that it was made of.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// What differs from the file.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The ranges of the file that it holds.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Where a range of the file, in whole pages, lies in the image; none if any of it does not.
    pub fn place(&self, file: u64, length: u64) -> Option<u64> {
        let is_whole = length > 0 && file.is_multiple_of(PAGE) && length.is_multiple_of(PAGE);
        let end = file.checked_add(length).filter(|_| is_whole)?;
        let run = self
            .runs
            .iter()
            .find(|run| run.file <= file && end <= run.file + run.length)?;
        Some(run.image + (file - run.file))
    }
}

impl AsFd for Image {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.memfd.as_fd()
    }
}

fn look(file: &[u8]) -> Result<(Outline, Findings), Why> {
    let outline = Outline::read(&file).map_err(Why::Elf)?.ok_or(Why::NotElf)?;
    let findings = examine(&file, &mut Vec::new())
        .map_err(Why::Elf)?
        .ok_or(Why::NotElf)?;
    Ok((outline, findings))
}

/// The changes that make a file harmless, if all that it holds is known.
fn changes(findings: &Findings, file: &[u8]) -> Result<Vec<Change>, Why> {
    let kept = findings.finds.len() as u64;
    if kept < findings.refused + findings.reported {
        return Err(Why::Many(findings.refused));
    }
    let mut changes: Vec<Change> = Vec::new();
    for find in findings.refused_finds() {
        let Some(change) = recognise(find, file) else {
            return Err(Why::Find(Box::new(find.clone())));
        };
        // A file that maps its code twice has each find twice.
        if !changes.contains(&change) {
            changes.push(change);
        }
    }
    for site in &SITES {
        let found = changes
            .iter()
            .filter(|change| change.site == site.name)
            .count();
        if found != 0 && found != site.count {
            return Err(Why::Count {
                site: site.name,
                found,
            });
        }
    }
    Ok(changes)
}

fn overwrite(file: &mut [u8], change: &Change) -> Result<(), Why> {
    let start = usize::try_from(change.offset).map_err(|_| Why::Remains)?;
    let end = start.saturating_add(change.bytes.len());
    let place = file.get_mut(start..end).ok_or(Why::Remains)?;
    place.copy_from_slice(&change.bytes);
    Ok(())
}

/// The executable pages of a file, one run after the other, the last page filled with zeros.
fn cut(outline: &Outline, file: &[u8]) -> Result<(Vec<u8>, Vec<Run>), Why> {
    let (mut content, mut cut) = (Vec::new(), Vec::new());
    for run in runs(outline) {
        let range = usize::try_from(run.start)
            .ok()
            .zip(usize::try_from(run.end).ok());
        let bytes = range
            .and_then(|(start, end)| file.get(start..end))
            .ok_or(Why::Remains)?;
        let image = content.len();
        content.extend_from_slice(bytes);
        content.resize(content.len().next_multiple_of(PAGE as usize), 0);
        let held = content.get(image..).unwrap_or_default();
        if keylane_scan::is_open(held) {
            return Err(Why::OpenEnd { offset: run.end });
        }
        cut.push(Run {
            file: run.start,
            image: image as u64,
            length: held.len() as u64,
        });
    }
    Ok((content, cut))
}
