//! Makes what the suites carry, because they run where neither sources nor compilers are: the
//! sources of the packages that build and enforce the jail in one file, for the contract suite, and
//! native functions in Rust, C and C++ as shared objects.

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
const OBJECTS: [(&str, &str, &str, &[&str]); 4] = [
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
    rust(&root, out)
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
