//! The answers to requests for memory.

use super::page::{Key, PAGE, Pages, Protection};
use super::request::{Advice, Backing, Errno, File, Place, Request};
use super::space::{Content, Entry, HEAP, Space};

/// What is to be done in the address space of the lane. Each range lies in the domain's slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Nothing,
    /// Map private memory: without access first, then the key, then the protection.
    Map {
        /// Where, in the place of whatever is there.
        pages: Pages,
        /// What may be done with it.
        protection: Protection,
        /// What it shows.
        backing: Backing,
        /// The key that it must carry.
        key: Key,
    },
    /// Map pages of the sealed image of this file, readable and executable, with the key.
    MapImage {
        /// Where, in the place of whatever is there.
        pages: Pages,
        /// The file that was asked for.
        file: File,
        /// Where in its image.
        offset: u64,
        /// The key that it must carry.
        key: Key,
    },
    /// Unmap.
    Unmap(Pages),
    /// Change protection, with the key (pkey_mprotect).
    Protect {
        /// Which pages; all of them are mapped.
        pages: Pages,
        /// To what. Never [`Protection::Execute`], unless they are that already.
        protection: Protection,
        /// The key that they must carry.
        key: Key,
    },
    /// Make one private mapping longer where it is (mremap without a flag).
    Grow {
        /// As it is.
        from: Pages,
        /// As it will be; nothing is mapped in what is added.
        to: Pages,
        /// The key that all must carry.
        key: Key,
    },
    /// Move one private mapping to where nothing is, longer (mremap to a fixed place).
    Move {
        /// From where.
        from: Pages,
        /// To where.
        to: Pages,
        /// The key that all must carry.
        key: Key,
    },
    /// Drop the contents of private pages.
    Drop {
        /// Which.
        pages: Pages,
        /// Whether at once (MADV_DONTNEED) or when memory is short (MADV_FREE).
        at_once: bool,
    },
}

/// An answer: what to do, what the caller gets if that succeeds, and how the space is then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What to do.
    pub action: Action,
    /// What the call answers.
    pub answer: u64,
    /// The space afterwards.
    pub after: Space,
}

/// A request that is not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What the caller gets.
    pub errno: Errno,
    /// Why, for the record.
    pub reason: &'static str,
}

fn refuse<T>(errno: Errno, reason: &'static str) -> Result<T, Refusal> {
    Err(Refusal { errno, reason })
}

const OUTSIDE: &str = "outside of the domain's slot";
const FIXED: &str = "pages that the supervisor gave";
const FULL: &str = "no room in the slot";

/// Answers a request. `image` says where in its sealed image a range of a file lies, for the
/// descriptor that was looked at and will be used; none if there is no image of it or the range is not whole in it.
pub fn decide(
    space: &Space,
    request: Request,
    image: impl Fn(File, u64) -> Option<u64>,
) -> Result<Decision, Refusal> {
    let mut after = space.clone();
    let (action, answer) = match request {
        Request::Map {
            place,
            length,
            protection,
            backing,
        } => {
            let pages = place_for(space, place, length)?;
            let action = map(space, pages, protection, backing, image)?;
            let content = match action {
                Action::MapImage { .. } => Content::Image,
                _ => Content::Private,
            };
            let origin = after.origin();
            after.put(Entry {
                pages,
                protection,
                content,
                origin,
            });
            (action, pages.start())
        }
        Request::Unmap(pages) => {
            changeable(space, pages)?;
            after.remove(pages);
            (Action::Unmap(pages), 0)
        }
        Request::Protect(None, _) | Request::Advise(None, _) => (Action::Nothing, 0),
        Request::Protect(Some(pages), protection) => {
            protect(space, pages, protection)?;
            for part in space.within(pages) {
                after.put(Entry { protection, ..part });
            }
            (
                Action::Protect {
                    pages,
                    protection,
                    key: space.key(),
                },
                0,
            )
        }
        Request::Resize {
            old,
            length,
            may_move,
        } => resize(space, &mut after, old, length, may_move)?,
        Request::Advise(Some(pages), advice) => (advise(space, pages, advice)?, 0),
        Request::Break(end) => grow(space, &mut after, end),
    };
    if after.is_within_quota() {
        Ok(Decision {
            action,
            answer,
            after,
        })
    } else if let Request::Break(_) = request {
        // brk(2) tells a failure by the end that stays.
        let answer = space.heap_end();
        Ok(Decision {
            action: Action::Nothing,
            answer,
            after: space.clone(),
        })
    } else {
        refuse(Errno::NoMemory, "more mappings than the domain may have")
    }
}

/// Whether a domain may change these pages: all lie in its slot, outside of its heap's room, and none was given.
fn changeable(space: &Space, pages: Pages) -> Result<(), Refusal> {
    if !space.slot().contains(pages) {
        return refuse(Errno::NotPermitted, OUTSIDE);
    }
    if space
        .within(pages)
        .any(|entry| entry.content == Content::Fixed)
    {
        return refuse(Errno::NotPermitted, FIXED);
    }
    Ok(())
}

fn place_for(space: &Space, place: Place, length: u64) -> Result<Pages, Refusal> {
    let (Place::Instead(start) | Place::Free(start)) = place else {
        return space
            .gap(length)
            .map_or_else(|| refuse(Errno::NoMemory, FULL), Ok);
    };
    let Some(pages) = Pages::new(start, length) else {
        return refuse(Errno::Invalid, "no pages of user space");
    };
    changeable(space, pages)?;
    if matches!(place, Place::Free(_)) && space.within(pages).next().is_some() {
        return refuse(Errno::Exists, "something is mapped there");
    }
    Ok(pages)
}

fn map(
    space: &Space,
    pages: Pages,
    protection: Protection,
    backing: Backing,
    image: impl Fn(File, u64) -> Option<u64>,
) -> Result<Action, Refusal> {
    let key = space.key();
    match (protection, backing) {
        (Protection::Execute, Backing::Anonymous) => {
            refuse(Errno::Access, "executable memory that is no image's")
        }
        (Protection::Execute, Backing::File(file)) => match image(file, pages.length()) {
            Some(offset) => Ok(Action::MapImage {
                pages,
                file,
                offset,
                key,
            }),
            None => refuse(
                Errno::Access,
                "code that is not in the deployment's set of images",
            ),
        },
        _ => Ok(Action::Map {
            pages,
            protection,
            backing,
            key,
        }),
    }
}

fn protect(space: &Space, pages: Pages, protection: Protection) -> Result<(), Refusal> {
    changeable(space, pages)?;
    if !space.is_mapped(pages) {
        return refuse(Errno::NoMemory, "pages that are not mapped");
    }
    for entry in space.within(pages) {
        match (protection, entry.content) {
            (Protection::Execute, _) if entry.protection != Protection::Execute => {
                return refuse(Errno::Access, "protection that adds execution");
            }
            (Protection::Write, Content::Image) => {
                return refuse(Errno::Access, "an image that would be writable");
            }
            _ => {}
        }
    }
    Ok(())
}

fn advise(space: &Space, pages: Pages, advice: Advice) -> Result<Action, Refusal> {
    changeable(space, pages)?;
    let at_once = match advice {
        Advice::Hint => return Ok(Action::Nothing),
        Advice::DontNeed => true,
        Advice::Free => false,
    };
    if !space.is_mapped(pages) {
        return refuse(Errno::NoMemory, "pages that are not mapped");
    }
    if space
        .within(pages)
        .any(|entry| entry.content != Content::Private)
    {
        return refuse(Errno::Invalid, "contents that are not the domain's to drop");
    }
    Ok(Action::Drop { pages, at_once })
}

fn resize(
    space: &Space,
    after: &mut Space,
    old: Pages,
    length: u64,
    may_move: bool,
) -> Result<(Action, u64), Refusal> {
    changeable(space, old)?;
    let mut parts = space.within(old);
    // The kernel wants one mapping; and what lies in the heap grows by brk.
    let one = parts
        .next()
        .filter(|entry| entry.pages == old && entry.content == Content::Private);
    let (Some(entry), None) = (one, parts.next()) else {
        return refuse(
            Errno::NoMemory,
            "not one mapping of the domain's own memory",
        );
    };
    let Some(new) = Pages::new(old.start(), length) else {
        return refuse(Errno::NoMemory, FULL);
    };
    let answer = old.start();
    if new.end() == old.end() {
        return Ok((Action::Nothing, answer));
    }
    if let Some(rest) = old.from(new.end()) {
        after.remove(rest);
        return Ok((Action::Unmap(rest), answer));
    }
    let key = space.key();
    if let Some(more) = new.from(old.end())
        && space.slot().contains(more)
        && space.within(more).next().is_none()
        && space.heap().overlap(more).is_none()
    {
        after.put(Entry {
            pages: new,
            ..entry
        });
        return Ok((
            Action::Grow {
                from: old,
                to: new,
                key,
            },
            answer,
        ));
    }
    if !may_move {
        return refuse(Errno::NoMemory, FULL);
    }
    let Some(to) = space.gap(new.length()) else {
        return refuse(Errno::NoMemory, FULL);
    };
    after.remove(old);
    after.put(Entry { pages: to, ..entry });
    Ok((Action::Move { from: old, to, key }, to.start()))
}

/// brk: the end of the heap, moved where that is possible, and where it is then.
fn grow(space: &Space, after: &mut Space, end: u64) -> (Action, u64) {
    let (heap, now) = (space.heap(), space.heap_end());
    if end < heap.start() || end > heap.end() {
        return (Action::Nothing, now);
    }
    let [old_top, new_top] = [now, end].map(|end| end.next_multiple_of(PAGE));
    let changed = Pages::new(old_top.min(new_top), old_top.abs_diff(new_top));
    let Some(pages) = changed else {
        after.set_heap_end(end);
        return (Action::Nothing, end);
    };
    let is_given = |entry: Entry| entry.content == Content::Fixed;
    if space.within(pages).any(is_given)
        || (new_top > old_top && space.within(pages).next().is_some())
    {
        return (Action::Nothing, now);
    }
    after.set_heap_end(end);
    if new_top < old_top {
        after.remove(pages);
        return (Action::Unmap(pages), end);
    }
    let protection = Protection::Write;
    after.put(Entry {
        pages,
        protection,
        content: Content::Private,
        origin: HEAP,
    });
    let (key, backing) = (space.key(), Backing::Anonymous);
    (
        Action::Map {
            pages,
            protection,
            backing,
            key,
        },
        end,
    )
}
