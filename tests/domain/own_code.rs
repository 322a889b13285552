//! The process's own code: what could change PKRU is made harmless before the first guest.

#![expect(
    unsafe_code,
    reason = "memory that a process with domains must not have"
)]

use crate::world::{Do, Secret, World, alone, copy};
use keylane_domain::{DomainError, Domains};
use keylane_gate::own::{self, Unclean};
use keylane_gate::sites;
use nix::libc;
use nix::sys::wait::WaitStatus;

#[test]
fn nothing_of_the_process_changes_pkru_but_the_gate() {
    alone(
        "own_code::nothing_of_the_process_changes_pkru_but_the_gate",
        || {
            // The control: the C library and the loader hold such instructions, and the search finds them.
            let before = own::examine().unwrap();
            assert!(
                before.iter().filter(|found| found.name == "WRPKRU").count() > 2,
                "{before:x?}"
            );
            assert!(
                before.iter().any(|found| found.name == "XRSTOR"),
                "{before:x?}"
            );
            let domains = Domains::take().unwrap();
            let mut left: Vec<u64> = own::examine()
                .unwrap()
                .iter()
                .map(|one| one.address)
                .collect();
            let mut gate = sites();
            left.sort_unstable();
            gate.sort_unstable();
            assert_eq!(left, gate);
            assert_eq!(domains.cleaned().len() + gate.len(), before.len());
        },
    );
}

#[test]
fn a_jump_to_what_was_made_harmless_ends_the_domain() {
    alone(
        "own_code::a_jump_to_what_was_made_harmless_ends_the_domain",
        || {
            let mut world = World::new();
            let secret = Secret::new();
            let cleaned: Vec<u64> = world
                .domains
                .cleaned()
                .iter()
                .map(|one| one.address)
                .collect();
            assert!(!cleaned.is_empty());
            for address in cleaned {
                let mut guest = world.guest("jumper");
                let report = world.fault(&mut guest, Do::Jump, &[address, 0, 0, 0, 0, 0]);
                assert_eq!(
                    (report.fault.signal, report.fault.instruction),
                    (4, address),
                    "{report}"
                );
                secret.assert_whole();
                world.domains.end(guest.domain).unwrap();
            }
        },
    );
}

/// A page of zeros with this protection, and where it lies.
fn zeros(protection: i32) -> u64 {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: without MAP_FIXED the kernel takes an unused range.
    let page = unsafe { libc::mmap(std::ptr::null_mut(), 4096, protection, flags, -1, 0) };
    assert_ne!(page, libc::MAP_FAILED);
    page.expose_provenance() as u64
}

#[test]
fn a_process_that_can_execute_what_is_no_objects_code_takes_no_domains() {
    let name = "own_code::a_process_that_can_execute_what_is_no_objects_code_takes_no_domains";
    alone(name, || {
        let (read, write, run) = (libc::PROT_READ, libc::PROT_WRITE, libc::PROT_EXEC);
        for (protection, writable) in [(read | run, false), (read | write | run, true)] {
            let ended = copy(|| {
                let at = zeros(protection);
                match Domains::take() {
                    Err(DomainError::Code(Unclean::Foreign(found))) => {
                        assert!((found.pages.start()..found.pages.end()).contains(&at));
                        assert_eq!(found.writable, writable);
                    }
                    other => panic!("{other:?}"),
                }
            });
            assert!(matches!(ended, WaitStatus::Exited(_, 0)), "{ended:?}");
        }
        // The control: the same page without leave to execute it. Nor can it get that afterwards.
        let at = zeros(read | write);
        let _domains = Domains::take().unwrap();
        let page = std::ptr::with_exposed_provenance_mut(usize::try_from(at).unwrap());
        // SAFETY: the page is this test's, and nothing points into it.
        let answer = unsafe { libc::mprotect(page, 4096, read | run) };
        let error = std::io::Error::last_os_error();
        assert_eq!((answer, error.raw_os_error()), (-1, Some(libc::EACCES)));
    });
}

#[test]
fn a_process_with_a_second_thread_takes_no_domains() {
    alone(
        "own_code::a_process_with_a_second_thread_takes_no_domains",
        || {
            let (go, wait) = std::sync::mpsc::channel::<()>();
            let other = std::thread::spawn(move || wait.recv());
            assert!(matches!(
                Domains::take(),
                Err(DomainError::Code(Unclean::Threads(2)))
            ));
            go.send(()).unwrap();
            other.join().unwrap().unwrap();
        },
    );
}
