//! The 32-bit system call gate, which a filter that looks at numbers alone would mistake.

use keylane_tests::project::Project;
use keylane_tests::{PYTHON, run};
use std::process::Command;

/// `int 0x80` with the 32-bit number of getpid.
const GATE: &str = r#"
import ctypes, mmap
CODE = bytes([0xB8, 20, 0, 0, 0, 0xCD, 0x80, 0xC3])  # mov eax, 20; int 0x80; ret
def handler(event, context):
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(CODE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    return ctypes.CFUNCTYPE(ctypes.c_int)(address)()
if __name__ == "__main__":
    import os
    print(handler(None, None) == os.getpid())
"#;

#[test]
fn the_32_bit_gate_ends_the_process() {
    let project = Project::sequence(&[("gate", GATE)]);
    let said = run(["run", project.arg(), "--json"]);
    let report = said.json();
    assert_eq!(report["error"]["error"], "Lambda.Unknown", "{report}");
    assert!(
        said.err.contains("signal 31"),
        "the call was not stopped by the filter: {}",
        said.err
    );
}

#[test]
fn outside_the_32_bit_gate_is_open() {
    let project = Project::sequence(&[("gate", GATE)]);
    let output = Command::new(PYTHON)
        .arg(project.path().join("functions/gate/gate.py"))
        .output()
        .unwrap();
    // A kernel without IA32 emulation ends the control by a signal: then the wall is the kernel's,
    // and the test above would pass for that reason.
    assert!(
        String::from_utf8_lossy(&output.stdout).trim() == "True" || output.status.code().is_none(),
        "{output:?}"
    );
}
