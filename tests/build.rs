//! Puts the sources of the packages that build and enforce the jail into one file, which the
//! contract suite carries: it runs where no sources are.

use std::path::Path;
use std::{env, fs, io};

const PACKAGES: [&str; 4] = [
    "policy",
    "supervisor/sys",
    "supervisor/jail",
    "supervisor/spawner",
];

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut text = String::new();
    for package in PACKAGES {
        let folder = root.join(package).join("src");
        println!("cargo::rerun-if-changed={}", folder.display());
        gather(&folder, &mut text)?;
    }
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&out).join("trusted.txt"), text)
}

fn gather(folder: &Path, text: &mut String) -> io::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<io::Result<_>>()?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        if entry.file_type()?.is_dir() {
            gather(&entry.path(), text)?;
        } else {
            text.push_str(&fs::read_to_string(entry.path())?);
        }
    }
    Ok(())
}
