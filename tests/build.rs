//! Makes what the suites carry, because they run where neither sources nor compilers are: the
//! sources of the packages that build and enforce the jail in one file, for the contract suite,
//! native functions in Rust, C and C++ as shared objects, and the image of a domain's code.

use keylane_image::{Draft, Outline};
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::{env, fs, io};

const PACKAGES: [&str; 5] = [
    "policy",
    "supervisor/sys",
    "supervisor/jail",
    "supervisor/builder",
    "supervisor/spawner",
];

/// The compiler, its source below `native/`, what becomes of it, and how.
const OBJECTS: [(&str, &str, &str, &[&str]); 5] = [
    (
        "gcc",
        "domain.c",
        "domain",
        &[
            "-std=gnu11",
            "-static-pie",
            "-fPIC",
            "-nostdlib",
            "-ffreestanding",
            "-fno-stack-protector",
            "-fcf-protection=none",
            "-fno-optimize-sibling-calls",
            "-mfsgsbase",
            "-mavx",
            "-Wno-infinite-recursion",
            "-Wl,-e,enter",
            "-Wl,-z,noexecstack",
            "-Wl,-z,separate-code",
        ],
    ),
    (
        "gcc",
        "functions.c",
        "libfunctions_c.so",
        &["-shared", "-fPIC", "-std=gnu11"],
    ),
    (
        "g++",
        "functions.cc",
        "libfunctions_cc.so",
        &["-shared", "-fPIC", "-std=c++17"],
    ),
    (
        "gcc",
        "attack.c",
        "libattack.so",
        &["-shared", "-fPIC", "-std=gnu11"],
    ),
    ("gcc", "attack.c", "attack", &["-DCONTROL", "-std=gnu11"]),
];

const FUNCTIONS: &str = "keylane-test-functions";
const TARGET: &str = "x86_64-unknown-linux-gnu";

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    let out = Path::new(&out);
    let mut text = String::new();
    for package in PACKAGES {
        let folder = root.join(package).join("src");
        println!("cargo::rerun-if-changed={}", folder.display());
        gather(&folder, &mut text)?;
    }
    fs::write(out.join("trusted.txt"), text)?;
    for source in [
        "tests/native",
        "shim/abi",
        "shim/macros",
        "shim/sdk",
        "shim/include",
        "Cargo.lock",
    ] {
        println!("cargo::rerun-if-changed={}", root.join(source).display());
    }
    for (compiler, source, object, flags) in OBJECTS {
        let mut command = Command::new(compiler);
        command
            .args(["-Wall", "-Wextra", "-Werror", "-O1", "-pthread", "-I"])
            .arg(root.join("shim/include"))
            .args(flags)
            .arg("-o")
            .arg(out.join(object))
            .arg(root.join("tests/native").join(source));
        finish(&mut command)?;
    }
    image(out)?;
    rust(&root, out)
}

/// Makes the image of a domain's code, as it is made of a deployment's before there is a lane, and a plan of
/// what is mapped where: for each segment a line of `x`, `r` or `w`, the address, the length in memory, and the
/// offset, in the image for `x` and else in the file. The suite's program does not do it itself: it may hold no
/// byte that could change PKRU, and SHA-256, which images are named by, compiles to some.
fn image(out: &Path) -> io::Result<()> {
    let code = fs::read(out.join("domain"))?;
    let wrong =
        |what: &dyn std::fmt::Debug| io::Error::other(format!("the domain's code: {what:?}"));
    let outline = Outline::read(&code.as_slice()).map_err(|error| wrong(&error))?;
    let outline = outline.ok_or_else(|| wrong(&"no ELF file"))?;
    let draft = Draft::read(&code.as_slice()).map_err(|why| wrong(&why))?;
    fs::write(out.join("domain.image"), draft.content())?;
    let image = draft.seal("domain").map_err(|why| wrong(&why))?;
    let mut plan = String::new();
    for segment in &outline.segments {
        let (file, at) = (segment.file_pages(), segment.address_pages());
        let (kind, offset) = if segment.executable {
            let place = image.place(file.start, file.end - file.start);
            ('x', place.ok_or_else(|| wrong(&segment))?)
        } else {
            (if segment.writable { 'w' } else { 'r' }, file.start)
        };
        plan += &format!("{kind} {} {} {offset}\n", at.start, at.end - at.start);
    }
    fs::write(out.join("domain.plan"), plan)
}

/// Builds the functions in Rust by a cargo of its own, beside the programs that the command line
/// carries, with which they share what they depend on.
fn rust(root: &Path, out: &Path) -> io::Result<()> {
    // OUT_DIR is TARGET/PROFILE/build/PACKAGE/out.
    let target = out.ancestors().nth(4).ok_or(io::ErrorKind::NotFound)?;
    let target = target.join("embedded/dynamic");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command
        .current_dir(root)
        .args(["build", "--release", "--locked", "--package", FUNCTIONS])
        .args(["--target", TARGET, "--target-dir"])
        .arg(&target);
    // What the outer cargo (or clippy) sets for itself would change what is built here.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let cargos = [
            "CARGO_ENCODED",
            "CARGO_PROFILE",
            "CARGO_BUILD",
            "CARGO_CFG",
            "CARGO_FEATURE",
        ];
        let others = [
            "CLIPPY",
            "RUSTFLAGS",
            "RUSTC_W",
            "CARGO_TARGET_DIR",
            "__CARGO",
        ];
        if cargos
            .iter()
            .chain(&others)
            .any(|start| text.starts_with(start))
        {
            command.env_remove(&name);
        }
    }
    let flags = "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS";
    finish(command.env(flags, "-C relocation-model=pic"))?;
    let built = target
        .join(TARGET)
        .join("release/libkeylane_test_functions.so");
    fs::copy(built, out.join("libfunctions_rust.so"))?;
    Ok(())
}

fn finish(command: &mut Command) -> io::Result<()> {
    let status = command.status().map_err(|error| {
        io::Error::other(format!(
            "{command:?}: {error}; `tests/setup/install test` installs it"
        ))
    })?;
    if status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("{command:?}: {status}")))
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
