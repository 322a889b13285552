//! Jumps into the gate: to every byte of it, with registers and rights of the attacker's choice.

use crate::world::{Do, Secret, World, alone};
use keylane_domain::End;
use keylane_gate::{END, Routine, routines};

/// Values of RAX at the jump, and so of PKRU where it leads to a WRPKRU: everything open, what a process begins
/// with, everything but key 0, the victim's rights, the own.
fn rights(victim: u32, own: u32) -> [u64; 5] {
    [0, 0x5555_5554, 3, victim.into(), own.into()]
}

#[test]
fn a_jump_to_any_byte_of_the_gate_opens_nothing() {
    alone("gate::a_jump_to_any_byte_of_the_gate_opens_nothing", || {
        let mut world = World::new();
        let mut victim = world.guest("victim");
        let secret = Secret::new();
        let theirs = world.domains.key(victim.domain).unwrap().alone();
        let mut jumps = 0u64;
        for Routine {
            name,
            start,
            length,
        } in routines()
        {
            for offset in 0..length {
                let mut guest = world.guest("jumper");
                let own = world.domains.key(guest.domain).unwrap().alone();
                // Every value at the sites' own bytes is the next test's; here they take turns.
                let rax = rights(theirs, own)[usize::try_from(offset % 5).unwrap()];
                // Where the gate jumps to if it believes that all is well: code of the attacker's that reads what RDI
                // points to, which `deep` of the guest does; R14 is its filter.
                let given = [
                    start + offset,
                    rax,
                    secret.address(),
                    guest.heap,
                    victim.heap,
                    0,
                ];
                let end = match world.ask(&mut guest, Do::Jump, &given) {
                    Err(end) => end,
                    Ok(answer) => panic!("{name}+{offset:#x}: it answered {answer:#x}"),
                };
                assert!(
                    matches!(end, End::Fault(_) | End::Left),
                    "{name}+{offset:#x}: {end:?}"
                );
                secret.assert_whole();
                world.domains.end(guest.domain).unwrap();
                jumps += 1;
            }
            world.assert_works(&mut victim);
        }
        assert!(jumps > 300, "only {jumps} jumps");
    });
}

#[test]
fn a_jump_to_a_wrpkru_with_any_rights_never_gets_to_the_attackers_code() {
    let name = "gate::a_jump_to_a_wrpkru_with_any_rights_never_gets_to_the_attackers_code";
    alone(name, || {
        let mut world = World::new();
        let mut victim = world.guest("victim");
        let secret = Secret::new();
        let theirs = world.domains.key(victim.domain).unwrap().alone();
        for site in keylane_gate::sites() {
            for number in 0..5 {
                for stepped in [false, true] {
                    let mut guest = world.guest("jumper");
                    let own = world.domains.key(guest.domain).unwrap().alone();
                    let rax = rights(theirs, own)[number];
                    // The way on, if there is one, leads back to the guest's own code, which would answer: R12 is its
                    // entry, RDI its channel.
                    let entry = world.entry(&guest);
                    let (what, given) = if stepped {
                        (Do::Step, vec![rax, site])
                    } else {
                        (
                            Do::Jump,
                            vec![site, rax, entry, guest.heap, guest.channel, 0],
                        )
                    };
                    match world.ask(&mut guest, what, &given) {
                        Err(End::Left) if !stepped => {}
                        // A single step raises SIGTRAP on the supervisor's stack, before or behind the WRPKRU.
                        Err(End::Fault(report)) if stepped && report.fault.signal == 5 => {}
                        other => panic!("{site:#x} with {rax:#x}: {other:x?}"),
                    }
                    secret.assert_whole();
                    world.assert_works(&mut victim);
                    world.domains.end(guest.domain).unwrap();
                }
            }
        }
    });
}

#[test]
fn the_signal_that_ends_a_domain_is_not_one_that_the_c_library_uses() {
    // 32 and 33 are glibc's (nptl(7)); 64 is the last.
    assert!((34..=64).contains(&END));
}
