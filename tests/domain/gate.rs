//! Jumps into the gate: to every byte of it, with registers and rights of the attacker's choice.

use crate::world::{Do, Guest, PAGE, Secret, World, alone};
use keylane_domain::{End, Pages, What};
use keylane_gate::{END, Phase, Routine, Thread, routines};
use keylane_policy::confine::{WINDOW, filter, image};
use keylane_sys::thread::closed_ruleset;
use std::sync::Arc;
use std::time::Duration;

/// Values of RAX at the jump, and so of PKRU where it leads to a WRPKRU: everything open, what a process begins
/// with, everything but key 0, the victim's rights, the own.
fn rights(victim: u32, own: u32) -> [u64; 5] {
    [0, 0x5555_5554, 3, victim.into(), own.into()]
}

/// What an attacker puts into the registers for a jump to `address`: the gate's way on, if it opens, leads to
/// `arrived` of `tests/native/domain.c`, with a filter that the kernel would take.
fn given(world: &World, guest: &Guest, address: u64, rax: u64) -> [u64; 7] {
    let filter = world.domains.room(guest.domain).unwrap().start() - PAGE;
    let arrived = world.arrived(guest);
    [
        address,
        rax,
        arrived,
        filter,
        guest.channel,
        0,
        guest.channel,
    ]
}

/// That a jump got its guest nothing: it ended, or came to its own code with its own rights.
#[track_caller]
fn assert_nothing_opened(world: &World, guest: &Guest, came: Result<u64, End>, place: &str) {
    let own = u64::from(world.domains.key(guest.domain).unwrap().alone());
    let arrived = world.arrived(guest)..world.entry(guest);
    match came {
        // The last instructions of `birth` jump on with the rights that whoever jumped to them has.
        Ok(rights) => assert_eq!(rights, own, "{place}"),
        Err(End::Left) => {}
        // Its own code faults where its own key is closed: then it came there with other rights.
        Err(End::Fault(report)) => {
            assert!(
                !arrived.contains(&report.fault.instruction),
                "{place}: {report}"
            );
        }
        Err(end) => panic!("{place}: {end:?}"),
    }
}

#[test]
fn a_jump_to_any_byte_of_the_gate_opens_nothing() {
    alone("gate::a_jump_to_any_byte_of_the_gate_opens_nothing", || {
        let mut world = World::new();
        let mut victim = world.guest("victim");
        let secret = Secret::new();
        let theirs = world.domains.key(victim.domain).unwrap().alone();
        let (mut jumps, mut arrivals) = (0u64, 0u64);
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
                let given = given(&world, &guest, start + offset, rax);
                let came = world.ask(&mut guest, Do::Jump, &given);
                arrivals += u64::from(came.is_ok());
                assert_nothing_opened(&world, &guest, came, &format!("{name}+{offset:#x}"));
                secret.assert_whole();
                world.domains.end(guest.domain).unwrap();
                jumps += 1;
            }
            world.assert_works(&mut victim);
        }
        assert!(jumps > 300, "only {jumps} jumps");
        // That the way on is walked at all: from its last byte on it is open.
        assert!(arrivals > 0);
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
                    let came = if stepped {
                        world.ask(&mut guest, Do::Step, &[rax, site])
                    } else {
                        let given = given(&world, &guest, site, rax);
                        world.ask(&mut guest, Do::Jump, &given)
                    };
                    match came {
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

/// The control: a thread whose filter lets it install another one gets through the same jump, to its own code
/// and with the rights that it chose. So what stops it above is the filter's answer.
#[test]
fn with_a_filter_that_allows_another_the_same_jump_opens_every_key() {
    let name = "gate::with_a_filter_that_allows_another_the_same_jump_opens_every_key";
    alone(name, || {
        let mut world = World::new();
        let mut guest = world.prepare("jumper");
        let window = guest.channel / WINDOW * WINDOW;
        let mut program = filter(window).unwrap();
        // Behind the look at the architecture and the number: SECCOMP passes.
        program.splice(4..4, [(0x15, 0, 1, 317), (0x06, 0, 0, 0x7fff_0000)]);
        let room = world.domains.room(guest.domain).unwrap();
        let page = Pages::new(room.end() - PAGE, PAGE).unwrap();
        let bytes = image(&program, page.start()).unwrap();
        let what = What::Bytes(&bytes, false);
        world.domains.give(guest.domain, page, what).unwrap();
        let birth = world.birth(&guest, page.start());
        let thread = Thread::start(birth, &Arc::new(closed_ruleset().unwrap())).unwrap();
        // Every key open but key 0, whose closing the gate looks at.
        let given = given(&world, &guest, keylane_gate::sites()[0], 3);
        let came = world.ask(&mut guest, Do::Jump, &given);
        assert_eq!(came, Ok(3));
        thread.end().unwrap();
        assert!(thread.ended(Duration::from_secs(10)).unwrap());
        assert!(matches!(thread.reap(), Ok(Phase::Faulted(_))));
        world.domains.end(guest.domain).unwrap();
    });
}

#[test]
fn the_signal_that_ends_a_domain_is_not_one_that_the_c_library_uses() {
    // 32 and 33 are glibc's (nptl(7)); 64 is the last.
    assert!((34..=64).contains(&END));
}
