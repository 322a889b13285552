//! Shared objects of native functions, as far as they are looked at before anything runs: is it one
//! for this kind of machine, and does it export what will be called?
//!
//! The file is a tenant's. It is read in pieces by a parser without unsafe code of ours, and nothing
//! depends on the answer but the message: what is wrong here is wrong when it is loaded, inside the
//! jail, as well.

use crate::suggest;
use keylane_abi::VERSION_SYMBOL;
use object::elf::{DF_1_PIE, DT_FLAGS_1, EM_X86_64, ET_DYN, ET_EXEC, ET_REL, FileHeader64};
use object::read::elf::{Dyn, FileHeader, Sym};
use object::{LittleEndian, ReadCache, ReadRef};
use std::collections::BTreeSet;
use std::fs::File;

/// What is wrong with a shared object, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong, in words that follow the file's name.
    pub wrong: String,
    /// What to do.
    pub advice: String,
}

/// Names that a message lists.
const LISTED: usize = 8;

/// How to build one, in one line.
const BUILD: &str =
    "build it with `gcc -shared -fPIC`, or in Rust with `crate-type = [\"cdylib\"]`, for x86_64";

fn fault<T>(wrong: impl Into<String>, advice: impl Into<String>) -> Result<T, Fault> {
    Err(Fault {
        wrong: wrong.into(),
        advice: advice.into(),
    })
}

/// Whether `file` is a shared object that exports `symbol`.
pub fn check(file: File, symbol: &str) -> Result<(), Fault> {
    let cache = ReadCache::new(file);
    let exported = exports(&cache)?;
    if !exported.contains(VERSION_SYMBOL) {
        let wrong = format!("exports no `{VERSION_SYMBOL}`: it is no function for Keylane");
        return fault(
            wrong,
            "include keylane.h, or use the Rust SDK; docs/NATIVE.md shows both",
        );
    }
    if exported.contains(symbol) {
        return Ok(());
    }
    let others: Vec<&str> = exported
        .iter()
        .map(String::as_str)
        .filter(|name| *name != VERSION_SYMBOL)
        .take(LISTED)
        .collect();
    let others = if others.is_empty() {
        "nothing else".to_owned()
    } else {
        others.join(", ")
    };
    let meant = suggest::nearest(symbol, exported.iter().map(String::as_str));
    let advice = match meant {
        Some(meant) => format!("write `:{meant}` after the file's name, if that was meant"),
        None => "name one of them after the file's name and a colon, or begin the function with \
                 the macro of keylane.h, or with #[keylane::function] in Rust"
            .to_owned(),
    };
    fault(
        format!("exports no `{symbol}`; it exports {others}"),
        advice,
    )
}

/// The names of everything that an object defines for others.
fn exports<'data, R: ReadRef<'data>>(data: R) -> Result<BTreeSet<String>, Fault> {
    let unreadable = |error: object::Error| Fault {
        wrong: format!("is a damaged shared object: {error}"),
        advice: BUILD.to_owned(),
    };
    let Ok(header) = FileHeader64::<LittleEndian>::parse(data) else {
        return fault("is no shared object of 64 bits", BUILD);
    };
    let endian = header.endian().map_err(unreadable)?;
    if header.e_machine(endian) != EM_X86_64 {
        return fault("is built for another kind of processor", BUILD);
    }
    match header.e_type(endian) {
        ET_DYN => {}
        ET_REL => return fault("is an object file that was not linked yet", BUILD),
        ET_EXEC => return fault("is a program and no shared object", BUILD),
        _ => return fault("is no shared object", BUILD),
    }
    let sections = header.sections(endian, data).map_err(unreadable)?;
    if let Some((entries, _)) = sections.dynamic(endian, data).map_err(unreadable)? {
        let is_program = entries
            .iter()
            .any(|entry| entry.tag(endian) == DT_FLAGS_1 && entry.val(endian) & DF_1_PIE.0 != 0);
        if is_program {
            return fault("is a program and no shared object", BUILD);
        }
    }
    let symbols = sections
        .symbols(endian, data, object::elf::SHT_DYNSYM)
        .map_err(unreadable)?;
    let mut names = BTreeSet::new();
    for symbol in symbols.iter().filter(|symbol| !symbol.is_undefined(endian)) {
        let name = symbol.name(endian, symbols.strings()).map_err(unreadable)?;
        names.insert(String::from_utf8_lossy(name).into_owned());
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TempFolder;

    const LIBRARY: &str = "/lib/x86_64-linux-gnu/libc.so.6";

    fn wrong(path: &str) -> String {
        check(File::open(path).unwrap(), "keylane_function")
            .unwrap_err()
            .wrong
    }

    #[test]
    fn what_is_no_shared_object_is_told_apart() {
        let temp = TempFolder::new();
        let library = std::fs::read(LIBRARY).unwrap();
        let mut other = library.clone();
        // e_machine: 183 is AArch64.
        other[18] = 183;
        let mut unlinked = library.clone();
        // e_type: 1 is a relocatable file.
        unlinked[16] = 1;
        for (name, bytes, expected) in [
            (
                "text",
                b"#!/usr/bin/python3\n".as_slice(),
                "no shared object of 64 bits",
            ),
            ("empty", b"", "no shared object of 64 bits"),
            ("other", &other, "another kind of processor"),
            ("unlinked", &unlinked, "not linked yet"),
            ("cut", &library[..4096], "damaged"),
        ] {
            std::fs::write(temp.path().join(name), bytes).unwrap();
            let told = wrong(temp.path().join(name).to_str().unwrap());
            assert!(told.contains(expected), "{name}: {told}");
        }
        // This test is a position-independent program.
        assert_eq!(wrong("/proc/self/exe"), "is a program and no shared object");
    }

    #[test]
    fn a_library_that_knows_nothing_of_keylane_is_told_so() {
        assert!(wrong(LIBRARY).contains("exports no `keylane_abi`"));
    }
}
