//! What of the process's own code could change PKRU: made harmless where it is known, and nothing else but the
//! gate's sites may be left.
//!
//! Protection keys do not stop instruction fetch, so every executable page of the process is a guest's to
//! jump to: the program's, its C library's, the loader's, the vdso's. A page that may be executed and is none of
//! these is not searched but refused.

#![expect(unsafe_code, reason = "changing the known places of the own code")]

use crate::sites;
use keylane_policy::instruction::{Instruction, Pattern, Standing};
use keylane_policy::memory::PAGE;
use keylane_scan::{Neighbours, Place, context, region};
use keylane_sys::own::{Code, Mapped, executable, mapped};
use keylane_sys::{keys, process};
use std::fmt;
use std::io;

/// A forbidden instruction in the process's own code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where its escape byte lies.
    pub address: u64,
    /// Which instruction.
    pub name: &'static str,
}

/// Why no guest may be let in.
#[derive(Debug)]
pub enum Unclean {
    /// The kernel did not answer, or did not let the code be changed.
    Kernel(io::Error),
    /// So many threads: another one could map or write code while it is searched.
    Threads(usize),
    /// Pages that may be executed and belong to no object that is loaded, or that may be written as well.
    Foreign(Mapped),
    /// A forbidden instruction is where none is known.
    Left(Found),
    /// The gate's own sites were not all found: the search is wrong.
    SiteNotFound(u64),
}

impl fmt::Display for Unclean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unclean::Kernel(error) => write!(f, "changing the program's own code failed: {error}"),
            Unclean::Threads(count) => write!(
                f,
                "the process has {count} threads; domains are taken while it has one (a bug of Keylane)"
            ),
            Unclean::Foreign(Mapped { pages, writable }) => write!(
                f,
                "memory of the process at {:#x}-{:#x} can be executed and {}",
                pages.start(),
                pages.end(),
                if *writable {
                    "written"
                } else {
                    "is no loaded object's code"
                }
            ),
            Unclean::Left(found) => write!(
                f,
                "the program's own code holds {} at {:#x}, where none is known",
                found.name, found.address
            ),
            Unclean::SiteNotFound(address) => {
                write!(
                    f,
                    "the search did not find the gate at {address:#x} (a bug of Keylane)"
                )
            }
        }
    }
}

impl std::error::Error for Unclean {}

/// A find: in which of the codes, at which offset of it if it lies whole inside, and the rest.
struct Find {
    code: usize,
    inside: Option<usize>,
    found: Found,
    instruction: Instruction,
}

fn offset(place: Place, start: u64) -> (Option<usize>, u64) {
    let at = |offset: usize| start.saturating_add(u64::try_from(offset).unwrap_or(u64::MAX));
    match place {
        Place::Inside(offset) => (Some(offset), at(offset)),
        Place::AcrossStart { before, at: offset } => {
            let before = u64::try_from(before).unwrap_or(0);
            (None, at(offset).saturating_sub(before))
        }
        Place::AcrossEnd(offset) => (None, at(offset)),
    }
}

/// Everything refused in these codes, in order. Code that lies right before or behind other code is
/// searched across the border; pages that are not executable stay so (`keys::refuse_new_code`).
fn search(codes: &[(Code, Vec<u8>)]) -> Vec<Find> {
    let mut finds = Vec::new();
    let beside = |wanted: &dyn Fn(Code) -> bool| {
        codes
            .iter()
            .find(|(code, _)| wanted(*code))
            .map_or(&[][..], |(_, bytes)| bytes.as_slice())
    };
    for (index, (code, bytes)) in codes.iter().enumerate() {
        let pages = code.pages();
        let neighbours = Neighbours {
            before: beside(&|other| other.pages().end() == pages.start()),
            after: beside(&|other| other.pages().start() == pages.end()),
        };
        region(bytes, neighbours, |place, pattern: &'static Pattern| {
            if pattern.standing == Standing::Refused {
                let (inside, address) = offset(place, pages.start());
                finds.push(Find {
                    code: index,
                    inside,
                    found: Found {
                        address,
                        name: pattern.name,
                    },
                    instruction: pattern.instruction,
                });
            }
        });
    }
    finds
}

fn read() -> io::Result<Vec<(Code, Vec<u8>)>> {
    let codes = executable()?;
    codes
        .into_iter()
        .map(|code| Ok((code, code.bytes()?)))
        .collect()
}

/// The length of a find's instruction, if it is one of the places of the C library that are known.
fn known(find: &Find, bytes: &[u8]) -> Option<usize> {
    let (before, from) = bytes.split_at_checked(find.inside?)?;
    match find.instruction {
        Instruction::Wrpkru => context::pkey_set(before, from),
        Instruction::Xrstor => {
            context::lazy_resolver(before, from).or_else(|| context::behind_mask(before, from))
        }
        Instruction::Xrstors | Instruction::Wrfsbase | Instruction::Wrgsbase => None,
    }
}

/// The first pages that may be executed though they lie in none of these codes, or be written as well.
fn foreign(codes: &[(Code, Vec<u8>)], mapped: Vec<Mapped>) -> Option<Mapped> {
    let is_ours = |page: u64| {
        let inside = |code: &Code| (code.pages().start()..code.pages().end()).contains(&page);
        codes.iter().any(|(code, _)| inside(code))
    };
    let step = usize::try_from(PAGE).unwrap_or(usize::MAX);
    mapped.into_iter().find(|one| {
        let mut pages = (one.pages.start()..one.pages.end()).step_by(step);
        one.writable || !pages.all(is_ours)
    })
}

/// Makes the known places of the process's own code harmless and says which they were; from then on no memory
/// becomes executable that was not mapped so (`keys::refuse_new_code`). Then it looks at all that can be executed. An
/// error if that is more than the code of loaded objects, if it can be written, or if anything is left in it but the
/// gate's sites. The process must have one thread and /proc.
///
/// What this does not keep out: a library that is loaded afterwards (dlopen(3), name services, iconv). It is
/// mapped executable from the start and never searched.
pub fn clean() -> Result<Vec<Found>, Unclean> {
    match process::threads().map_err(Unclean::Kernel)? {
        1 => {}
        count => return Err(Unclean::Threads(count)),
    }
    let codes = read().map_err(Unclean::Kernel)?;
    let mut made = Vec::new();
    for find in search(&codes) {
        if sites().contains(&find.found.address) {
            continue;
        }
        let place = codes
            .get(find.code)
            .and_then(|(code, bytes)| Some((code, find.inside?, known(&find, bytes)?)));
        let (code, at, length) = place.ok_or(Unclean::Left(find.found))?;
        // SAFETY: by the instructions around it (`known`), it is `pkey_set` or a lazy resolver of a C library:
        // nothing of ours calls pkey_set, and a program that is bound at its start, as ours are, resolves
        // nothing lazily. Whoever gets there is ended by SIGILL.
        unsafe { code.overwrite(at, &context::harmless(length)) }.map_err(Unclean::Kernel)?;
        made.push(find.found);
    }
    // No search is worth anything that comes before the last change of what can be executed.
    keys::refuse_new_code().map_err(Unclean::Kernel)?;
    let codes = read().map_err(Unclean::Kernel)?;
    let all = mapped().map_err(Unclean::Kernel)?;
    if let Some(one) = foreign(&codes, all) {
        return Err(Unclean::Foreign(one));
    }
    let left = search(&codes);
    if let Some(find) = left
        .iter()
        .find(|find| !sites().contains(&find.found.address))
    {
        return Err(Unclean::Left(find.found));
    }
    let is_found = |site: &u64| left.iter().any(|find| find.found.address == *site);
    match sites().iter().find(|site| !is_found(site)) {
        Some(site) => Err(Unclean::SiteNotFound(*site)),
        None => Ok(made),
    }
}

/// What of the process's own code is forbidden now, the gate's sites among it.
pub fn examine() -> io::Result<Vec<Found>> {
    Ok(search(&read()?)
        .into_iter()
        .map(|find| find.found)
        .collect())
}
