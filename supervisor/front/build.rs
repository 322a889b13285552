//! Builds the programs that the command line carries: spawner, lane and the two launchers.
//!
//! One file is the product. Spawner and lane are static, so that nothing of the host's C library
//! gets into them; the launchers stay dynamic, because one loads the host's libpython and the other
//! shared objects. Each is built
//! by a nested cargo with its own target directory, shared by all profiles of the outer build, and
//! always in release mode: what tests run is what ships.

#![allow(missing_docs, reason = "a build script has no callers")]

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "x86_64-unknown-linux-gnu";
const STATIC: &str = "-C target-feature=+crt-static -C relocation-model=static";
const DYNAMIC: &str = "-C relocation-model=pic";

/// What the programs are built from, relative to the workspace.
const SOURCES: [&str; 10] = [
    "Cargo.toml",
    "Cargo.lock",
    "policy",
    "supervisor/sys",
    "supervisor/jail",
    "supervisor/spawner",
    "supervisor/lane",
    "supervisor/workflow",
    "shim/abi",
    "shim/launcher",
];

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let root = variable("CARGO_MANIFEST_DIR")?
        .join("../..")
        .canonicalize()?;
    let out = variable("OUT_DIR")?;
    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", root.join(source).display());
    }
    println!("cargo::rerun-if-env-changed=CARGO_TARGET_DIR");
    // OUT_DIR is TARGET/PROFILE/build/PACKAGE/out.
    let target = out
        .ancestors()
        .nth(4)
        .ok_or("OUT_DIR is not inside a target directory")?;
    build(
        &root,
        &target.join("embedded/static"),
        STATIC,
        &["keylane-spawner", "keylane-lane"],
        &["keylane-spawner", "keylane-lane"],
        &out,
    )?;
    build(
        &root,
        &target.join("embedded/dynamic"),
        DYNAMIC,
        &["keylane-launcher"],
        &["keylane-launcher", "keylane-native"],
        &out,
    )?;
    function_that_does_nothing(&root, &out)
}

/// Compiles what `keylane bench` calls in machine code, with the compiler that rustc links with.
fn function_that_does_nothing(root: &Path, out: &Path) -> Outcome<()> {
    let source = root.join("supervisor/front/src/bench/noop.c");
    let header = root.join("shim/include");
    for path in [&source, &header] {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    let mut command = Command::new("cc");
    command
        .args(["-shared", "-fPIC", "-O2", "-s", "-I"])
        .arg(header)
        .arg("-o")
        .arg(out.join("noop.so"))
        .arg(source);
    let status = command.status()?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("{command:?}: {status}").into()),
    }
}

fn variable(name: &str) -> Outcome<PathBuf> {
    Ok(PathBuf::from(
        env::var_os(name).ok_or_else(|| format!("{name} is not set"))?,
    ))
}

/// Builds `packages` and copies their `programs` into `out`.
fn build(
    root: &Path,
    target: &Path,
    flags: &str,
    packages: &[&str],
    programs: &[&str],
    out: &Path,
) -> Outcome<()> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command
        .current_dir(root)
        .args(["build", "--release", "--locked", "--target", TARGET]);
    command.arg("--target-dir").arg(target);
    for package in packages {
        command.args(["--package", package]);
    }
    // What the outer cargo (or clippy) sets for itself would change what is built here.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_ENCODED")
            || text.starts_with("CARGO_PROFILE")
            || text.starts_with("CARGO_BUILD")
            || text.starts_with("CARGO_CFG")
            || text.starts_with("CARGO_FEATURE")
            || text.starts_with("CLIPPY")
            || matches!(
                &*text,
                "RUSTFLAGS"
                    | "RUSTC_WRAPPER"
                    | "RUSTC_WORKSPACE_WRAPPER"
                    | "CARGO_TARGET_DIR"
                    | "__CARGO_DEFAULT_LIB_METADATA"
            )
        {
            command.env_remove(&name);
        }
    }
    command.env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS", flags);
    let status = command.status()?;
    if !status.success() {
        return Err(format!("building {} failed: {status}", packages.join(", ")).into());
    }
    for program in programs {
        let built = target.join(TARGET).join("release").join(program);
        fs::copy(built, out.join(program))?;
    }
    Ok(())
}
