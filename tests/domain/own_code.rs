//! The process's own code: what could change PKRU is made harmless before the first guest.

use crate::world::{Do, Secret, World, alone};
use keylane_domain::Domains;
use keylane_gate::{own, sites};

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
