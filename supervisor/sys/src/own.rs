//! This process's own executable memory: what a lane must know of itself before it lets a guest in.

#![expect(
    unsafe_code,
    reason = "dl_iterate_phdr(3), reading and changing the process's own code"
)]

use crate::check;
use keylane_policy::memory::{PAGE, Pages};
use std::ffi::c_void;
use std::io;

/// Pages of this process that may be executed, as the kernel tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// Which pages.
    pub pages: Pages,
    /// Whether they may be written as well.
    pub writable: bool,
}

/// Every mapping of this process that may be executed (proc_pid_maps(5)). The vsyscall page, whose code the
/// kernel emulates, is none. An error where /proc does not tell, or tells what cannot be understood.
pub fn mapped() -> io::Result<Vec<Mapped>> {
    let maps = std::fs::read("/proc/self/maps")?;
    let mut found = Vec::new();
    for line in String::from_utf8_lossy(&maps).lines() {
        let strange = || io::Error::other(format!("/proc/self/maps: {line}"));
        let mut words = line.splitn(6, ' ');
        let (range, flags) = words.next().zip(words.next()).ok_or_else(strange)?;
        if !flags.contains('x') || words.nth(3).map(str::trim) == Some("[vsyscall]") {
            continue;
        }
        let number = |text| u64::from_str_radix(text, 16).ok();
        let (start, end) = range.split_once('-').ok_or_else(strange)?;
        let (start, end) = number(start).zip(number(end)).ok_or_else(strange)?;
        let length = end.checked_sub(start).ok_or_else(strange)?;
        found.push(Mapped {
            pages: Pages::new(start, length).ok_or_else(strange)?,
            writable: flags.contains('w'),
        });
    }
    Ok(found)
}

/// Whole pages of a loaded object that are executable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Code {
    pages: Pages,
}

impl Code {
    /// Which pages.
    pub fn pages(self) -> Pages {
        self.pages
    }

    /// A copy of their bytes.
    pub fn bytes(self) -> io::Result<Vec<u8>> {
        let length = usize::try_from(self.pages.length()).map_err(io::Error::other)?;
        let start = usize::try_from(self.pages.start()).map_err(io::Error::other)?;
        let from = std::ptr::with_exposed_provenance::<u8>(start);
        let mut bytes = vec![0; length];
        // SAFETY: the pages are an executable segment of an object that is loaded (only `executable` makes this
        // type), which linkers make readable; nothing of this process unloads one. The target is fresh.
        unsafe { std::ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), length) };
        Ok(bytes)
    }

    /// Writes over bytes of it. For a moment its pages are writable and executable, so it is done before there
    /// is any guest, and refused where new code is (`keys::refuse_new_code`).
    ///
    /// # Safety
    /// Nothing but a guest ever executes or reads the bytes at `offset`, or what is written there is right for
    /// whoever does.
    pub unsafe fn overwrite(self, offset: usize, bytes: &[u8]) -> io::Result<()> {
        let offset = u64::try_from(offset).map_err(io::Error::other)?;
        let length = u64::try_from(bytes.len()).map_err(io::Error::other)?;
        let at = self.pages.start().saturating_add(offset);
        let first = at / PAGE * PAGE;
        let touched = Pages::new(first, at.saturating_add(length).saturating_sub(first));
        let touched = touched.filter(|pages| self.pages.contains(*pages));
        let touched = touched.ok_or_else(|| io::Error::other("outside of the code"))?;
        let place = std::ptr::with_exposed_provenance_mut::<c_void>(
            usize::try_from(touched.start()).map_err(io::Error::other)?,
        );
        let whole = usize::try_from(touched.length()).map_err(io::Error::other)?;
        let runs = libc::PROT_READ | libc::PROT_EXEC;
        // SAFETY: the pages belong to a loaded object; they stay readable and executable throughout.
        check(unsafe { libc::mprotect(place, whole, runs | libc::PROT_WRITE) }.into())?;
        let to = std::ptr::with_exposed_provenance_mut::<u8>(
            usize::try_from(at).map_err(io::Error::other)?,
        );
        // SAFETY: the target lies in those pages, which are writable now and private to this process; that nobody
        // relies on what stood there is the caller's promise.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
        // SAFETY: as the first one.
        check(unsafe { libc::mprotect(place, whole, runs) }.into()).map(|_zero| ())
    }
}

/// Every executable segment of every object of this process: the program, its libraries, the loader, the vdso.
/// The vsyscall page, whose code the kernel emulates, is none.
pub fn executable() -> io::Result<Vec<Code>> {
    unsafe extern "C" fn each(
        info: *mut libc::dl_phdr_info,
        _size: usize,
        found: *mut c_void,
    ) -> libc::c_int {
        // SAFETY: `found` is the vector that `executable` passes, which waits for this call.
        let found = unsafe { &mut *found.cast::<Vec<(u64, u64)>>() };
        // SAFETY: the C library passes a filled structure that lives during this call.
        let info = unsafe { &*info };
        // SAFETY: it has `dlpi_phnum` program headers at `dlpi_phdr` (dl_iterate_phdr(3)).
        let headers =
            unsafe { std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
        for header in headers {
            if header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_X != 0 {
                found.push((info.dlpi_addr.wrapping_add(header.p_vaddr), header.p_memsz));
            }
        }
        0
    }
    let mut found: Vec<(u64, u64)> = Vec::new();
    // SAFETY: the callback takes what is passed as the vector that it is, and neither unwinds nor keeps it.
    unsafe { libc::dl_iterate_phdr(Some(each), (&raw mut found).cast()) };
    found.extend(vdso()?);
    let mut code = found
        .into_iter()
        .map(|(start, length)| {
            let first = start / PAGE * PAGE;
            Pages::new(first, start.wrapping_sub(first).wrapping_add(length))
                .map(|pages| Code { pages })
                .ok_or_else(|| io::Error::other("a segment outside of user space"))
        })
        .collect::<io::Result<Vec<Code>>>()?;
    code.sort_unstable();
    code.dedup();
    Ok(code)
}

/// The vdso's executable segments: a static program's list of objects does not have it.
fn vdso() -> io::Result<Vec<(u64, u64)>> {
    // SAFETY: getauxval takes a number.
    let start = unsafe { libc::getauxval(libc::AT_SYSINFO_EHDR) };
    let place = usize::try_from(start).map_err(io::Error::other)?;
    if place == 0 {
        return Ok(Vec::new());
    }
    let head = std::ptr::with_exposed_provenance::<libc::Elf64_Ehdr>(place);
    // SAFETY: where the kernel says that there is a vdso, a whole ELF file is mapped, page-aligned and for good.
    let head = unsafe { &*head };
    let table = usize::try_from(head.e_phoff).map_err(io::Error::other)?;
    let first = std::ptr::with_exposed_provenance::<libc::Elf64_Phdr>(place + table);
    // SAFETY: its header says where its program headers are and how many.
    let headers = unsafe { std::slice::from_raw_parts(first, usize::from(head.e_phnum)) };
    let base = headers
        .iter()
        .find(|header| header.p_type == libc::PT_LOAD)
        .map_or(0, |header| header.p_vaddr.wrapping_sub(header.p_offset));
    Ok(headers
        .iter()
        .filter(|header| header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_X != 0)
        .map(|header| {
            (
                start.wrapping_sub(base).wrapping_add(header.p_vaddr),
                header.p_memsz,
            )
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_executable_page_that_the_kernel_knows_is_found_and_no_other() {
        let mapped = mapped().unwrap();
        assert!(mapped.iter().all(|one| !one.writable));
        let mut known: Vec<u64> = mapped
            .into_iter()
            .flat_map(|one| (one.pages.start()..one.pages.end()).step_by(4096))
            .collect();
        let mut found: Vec<u64> = executable()
            .unwrap()
            .into_iter()
            .flat_map(|code| (code.pages().start()..code.pages().end()).step_by(4096))
            .collect();
        found.sort_unstable();
        known.sort_unstable();
        assert!(known.len() > 50);
        assert_eq!(found, known);
    }

    #[test]
    fn code_is_read_as_it_is() {
        let at = code_is_read_as_it_is as *const () as u64;
        let code = executable().unwrap();
        let own = code
            .iter()
            .find(|code| (code.pages().start()..code.pages().end()).contains(&at));
        let offset = usize::try_from(at - own.unwrap().pages().start()).unwrap();
        let bytes = own.unwrap().bytes().unwrap();
        // SAFETY: a function has at least one byte of code, which is readable.
        let first = unsafe { *std::ptr::with_exposed_provenance::<u8>(at as usize) };
        assert_eq!(bytes[offset], first);
    }
}
