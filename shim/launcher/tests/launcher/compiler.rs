//! Shared objects from sources of a few lines, by the machine's compiler.

use crate::tree::Tree;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of keylane.h.
pub(crate) fn include() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../include")
}

/// Compiles `source` in C with every warning an error.
pub(crate) fn compile(source: &Path, output: &Path, more: &[&str]) {
    let said = Command::new("gcc")
        .args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-g0"])
        .args(["-pthread", "-I"])
        .arg(include())
        .arg("-o")
        .arg(output)
        .arg(source)
        .args(more)
        .output()
        .unwrap();
    assert!(
        said.status.success(),
        "{}",
        String::from_utf8_lossy(&said.stderr)
    );
}

/// A tree with `libf.so`, made of `source`, before which everything that a test needs is included.
pub(crate) fn tree(source: &str) -> Tree {
    let prelude = "#define _GNU_SOURCE\n#include \"keylane.h\"\n#include <pthread.h>\n\
                   #include <stdio.h>\n#include <unistd.h>\n";
    let code = Tree::with(&[("f.c", &format!("{prelude}{source}"))]);
    let tree = Tree::with(&[]);
    let output = tree.path().join("libf.so");
    compile(&code.path().join("f.c"), &output, &["-shared", "-fPIC"]);
    tree
}
