//! A domain reaches nothing but its own memory; what it does wrong ends it and nobody else.

#![expect(
    unsafe_code,
    reason = "the control runs a guest's code without its walls"
)]

use crate::world::{Do, MARK, Secret, World, alone, copy};
use keylane_domain::{End, Owner, Waited};
use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;
use std::time::Duration;

#[test]
fn a_function_computes_on_its_own_memory_and_answers() {
    alone(
        "containment::a_function_computes_on_its_own_memory_and_answers",
        || {
            let mut world = World::new();
            let mut guest = world.guest("honest");
            for _ in 0..10 {
                world.assert_works(&mut guest);
            }
            let key = world.domains.key(guest.domain).unwrap();
            let rights = world.ask(&mut guest, Do::Rights, &[]).unwrap();
            assert_eq!(rights, u64::from(key.alone()));
            assert_eq!(world.domains.end(guest.domain).unwrap(), Some(End::Told));
        },
    );
}

#[test]
fn what_is_anothers_is_neither_read_nor_written_and_the_report_says_whose_it_was() {
    let name = "containment::what_is_anothers_is_neither_read_nor_written_and_the_report_says_whose_it_was";
    alone(name, || {
        let mut world = World::new();
        let mut victim = world.guest("victim");
        let secret = Secret::new();
        let theirs = world.domains.key(victim.domain).unwrap();
        for (what, address, owner, key) in [
            (Do::Read, secret.address(), Owner::Supervisor, 0),
            (Do::Write, secret.address(), Owner::Supervisor, 0),
            (
                Do::Read,
                victim.heap,
                Owner::Domain("victim".to_owned()),
                theirs.number(),
            ),
            (
                Do::Write,
                victim.heap,
                Owner::Domain("victim".to_owned()),
                theirs.number(),
            ),
            (
                Do::Write,
                victim.channel,
                Owner::Domain("victim".to_owned()),
                theirs.number(),
            ),
        ] {
            let mut attacker = world.guest("attacker");
            world.assert_works(&mut attacker);
            let report = world.fault(&mut attacker, what, &[address, 0xbad]);
            assert_eq!(report.owner, owner, "{report}");
            assert_eq!(report.key(), Some(u32::from(key)), "{report}");
            assert_eq!(report.fault.address, address);
            let offset = report.place.expect("the instruction is the image's");
            assert!(offset < 4096 && report.function == "attacker", "{report}");
            assert_eq!(report.fault.error & 2 != 0, what == Do::Write, "{report}");
            secret.assert_whole();
            world.assert_works(&mut victim);
            world.domains.end(attacker.domain).unwrap();
        }
        world.domains.check().unwrap();
    });
}

/// The control: the same code on a thread that has key 0 and all others open reads and writes the secret. So
/// what stops it above is its rights and not that it would not work.
#[test]
fn with_key_0_left_open_the_same_attack_reads_and_writes_the_secret() {
    let name = "containment::with_key_0_left_open_the_same_attack_reads_and_writes_the_secret";
    alone(name, || {
        let mut world = World::new();
        let mut guest = world.prepare("unconfined");
        let secret = Secret::new();
        let (entry, channel) = (world.entry(&guest), guest.channel);
        std::thread::spawn(move || {
            let entry = std::ptr::with_exposed_provenance::<()>(usize::try_from(entry).unwrap());
            // SAFETY: `enter` of tests/native/domain.c takes the shared page's address and never returns; the image
            // is mapped and stays so for the life of this process.
            let enter: extern "C" fn(u64) -> ! = unsafe { std::mem::transmute(entry) };
            enter(channel)
        });
        assert_eq!(
            world.ask(&mut guest, Do::Read, &[secret.address()]),
            Ok(MARK)
        );
        assert_eq!(
            world.ask(&mut guest, Do::Write, &[secret.address(), MARK + 1]),
            Ok(0)
        );
        assert_eq!(
            world.ask(&mut guest, Do::Read, &[secret.address()]),
            Ok(MARK + 1)
        );
    });
}

#[test]
fn a_fault_with_the_stack_pointer_at_a_victims_page_writes_nothing_there() {
    let name = "containment::a_fault_with_the_stack_pointer_at_a_victims_page_writes_nothing_there";
    alone(name, || {
        let mut world = World::new();
        let mut victim = world.guest("victim");
        let secret = Secret::new();
        let before = world.shared(&victim, 0x800, 0x800);
        // Own memory, the supervisor's, another's, the kernel's half, nowhere, no address at all.
        for stack in [
            secret.address() + 2048,
            victim.channel + 4096,
            victim.heap + 8192,
            0xffff_8000_0000_0000,
            0x1000,
            0,
            1 << 63,
        ] {
            for target in [0, secret.address(), 1 << 63] {
                let mut attacker = world.guest("attacker");
                world.assert_works(&mut attacker);
                let report = world.fault(&mut attacker, Do::WildStack, &[stack, 0x1515, target]);
                assert_eq!(report.fault.pointer, stack, "{report}");
                secret.assert_whole();
                assert_eq!(world.shared(&victim, 0x800, 0x800), before);
                world.assert_works(&mut victim);
                world.domains.end(attacker.domain).unwrap();
            }
        }
    });
}

#[test]
fn every_kind_of_fault_ends_its_own_domain_with_a_report_and_no_other() {
    let name = "containment::every_kind_of_fault_ends_its_own_domain_with_a_report_and_no_other";
    alone(name, || {
        let mut world = World::new();
        let mut other = world.guest("other");
        for (what, signal, words) in [
            (Do::Illegal, 4, "illegal instruction"),
            (Do::Privileged, 11, "read"),
            (Do::Trap, 5, "trap"),
            (Do::Divide, 8, "no result"),
            (Do::Overflow, 11, "wrote to"),
            (Do::Replace, 11, "wrote to"),
            (Do::Execute, 11, "executed"),
        ] {
            let mut guest = world.guest("culprit");
            let heap = guest.heap;
            let report = world.fault(&mut guest, what, &[heap]);
            assert_eq!(report.fault.signal, signal, "{what:?}: {report}");
            let said = report.to_string();
            assert!(
                said.starts_with("culprit ") && said.contains(words),
                "{said}"
            );
            world.assert_works(&mut other);
            assert!(matches!(
                world.domains.end(guest.domain).unwrap(),
                Some(End::Fault(_))
            ));
        }
    });
}

#[test]
fn calls_that_end_a_process_or_forge_a_return_end_the_domain_with_the_calls_number() {
    let name = "containment::calls_that_end_a_process_or_forge_a_return_end_the_domain_with_the_calls_number";
    alone(name, || {
        let mut world = World::new();
        let mut other = world.guest("other");
        // exit_group, rt_sigreturn, an x32 call; then the 32-bit gate with mprotect's number there.
        for (what, number) in [
            (Do::Call, 231),
            (Do::Call, 15),
            (Do::Call, 0x4000_0000 + 39),
            (Do::Call32, 125),
        ] {
            let mut guest = world.guest("culprit");
            let report = world.fault(&mut guest, what, &[number]);
            assert_eq!(report.fault.signal, 31, "{report}");
            assert_eq!(report.fault.call & 0xffff_ffff, number, "{report}");
            world.assert_works(&mut other);
            world.domains.end(guest.domain).unwrap();
        }
        // exit alone ends the thread and says nothing.
        let mut guest = world.guest("leaver");
        assert_eq!(world.ask(&mut guest, Do::Call, &[60]), Err(End::Left));
        world.assert_works(&mut other);
    });
}

#[test]
fn every_other_system_call_is_refused_whatever_its_arguments() {
    let name = "containment::every_other_system_call_is_refused_whatever_its_arguments";
    alone(name, || {
        let mut world = World::new();
        let mut guest = world.guest("caller");
        let secret = Secret::new();
        let refused = (-1i64).cast_unsigned();
        for number in 0..600u64 {
            if [15, 24, 60, 186, 202, 228, 231].contains(&number) {
                continue;
            }
            // uretprobe and uprobe: the kernel looks at them before any filter, and answers who was not sent
            // there with SIGILL.
            if [335, 336].contains(&number) {
                let mut other = world.guest("prober");
                let answer = world.ask(&mut other, Do::Call, &[number]);
                let ended = |end: &End| matches!(end, End::Fault(one) if one.fault.signal == 4);
                assert!(
                    answer == Ok(refused) || answer.as_ref().is_err_and(ended),
                    "{answer:x?}"
                );
                world.domains.end(other.domain).unwrap();
                continue;
            }
            for given in [
                [0; 6],
                [secret.address(), 4096, 7, 0x32, u64::MAX, 0],
                [u64::MAX; 6],
            ] {
                let mut all = vec![number];
                all.extend(given);
                let answer = world.ask(&mut guest, Do::Call, &all);
                assert_eq!(answer, Ok(refused), "call {number} with {given:x?}");
            }
        }
        // What passes is followed under the domain's rights: EFAULT.
        let fault = (-14i64).cast_unsigned();
        let wait = |address| [202, address, 128, MARK & 0xffff_ffff, 0, 0, 0];
        assert_eq!(
            world.ask(&mut guest, Do::Call, &wait(secret.address())),
            Ok(refused)
        );
        let clock = [228, 0, secret.address()];
        assert_eq!(world.ask(&mut guest, Do::Call, &clock), Ok(fault));
        let timeout = [202, guest.heap, 128, 0, secret.address()];
        assert_eq!(world.ask(&mut guest, Do::Call, &timeout), Ok(fault));
        secret.assert_whole();
        world.assert_works(&mut guest);
    });
}

#[test]
fn an_endless_loop_ends_when_it_is_told_to_while_others_work() {
    let name = "containment::an_endless_loop_ends_when_it_is_told_to_while_others_work";
    alone(name, || {
        let mut world = World::new();
        let mut other = world.guest("other");
        let mut guest = world.guest("spinner");
        world.post(&mut guest, Do::Spin, &[]);
        world.assert_works(&mut other);
        let waited = world.domains.wait(
            guest.domain,
            guest.channel + 4,
            0,
            Duration::from_millis(50),
        );
        assert_eq!(waited.unwrap(), Waited::Late);
        assert_eq!(world.domains.end(guest.domain).unwrap(), Some(End::Told));
        world.assert_works(&mut other);
    });
}

/// A fault of the supervisor's own is no domain's: the process ends by it, as without the entry.
#[test]
fn a_fault_of_the_supervisor_ends_the_process_as_ever() {
    let name = "containment::a_fault_of_the_supervisor_ends_the_process_as_ever";
    alone(name, || {
        let ended = copy(|| {
            let mut world = World::new();
            let mut guest = world.guest("other");
            world.assert_works(&mut guest);
            let nowhere = std::ptr::without_provenance::<u64>(8);
            // SAFETY: nothing is mapped there, which is the point: the process ends here.
            unsafe { nowhere.read_volatile() };
        });
        assert!(
            matches!(ended, WaitStatus::Signaled(_, Signal::SIGSEGV, _)),
            "{ended:?}"
        );
    });
}
