//! What a guest finds in its registers, and what its thread is allowed.

use crate::world::{PAGE, World, alone};
use keylane_gate::{Phase, Thread};
use keylane_sys::thread::closed_ruleset;
use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

#[test]
fn a_guest_finds_nothing_of_the_supervisor_in_any_register() {
    alone(
        "birth::a_guest_finds_nothing_of_the_supervisor_in_any_register",
        || {
            let mut world = World::new();
            // Something that would be seen: numbers in vector and x87 registers.
            let marks = std::hint::black_box([3.25f64, 7.5, 9.125]);
            assert!(marks.iter().sum::<f64>().sqrt() > 1.0);
            let mut guest = world.guest("looker");
            world.assert_works(&mut guest);
            let word =
                |bytes: &[u8], at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
            let registers = world.shared(&guest, 0x200, 0x90);
            let entry = world.entry(&guest);
            for (at, name) in (0..14).zip([
                "rax", "rbx", "rcx", "rdx", "rsi", "rbp", "r8", "r9", "r10", "r11", "r12", "r13",
                "r14", "r15",
            ]) {
                let wanted = if name == "r12" { entry } else { 0 };
                assert_eq!(word(&registers, at * 8), wanted, "{name}");
            }
            let flags = word(&registers, 0x70);
            // The status flags are the last XOR's: ZF and PF.
            assert_eq!(flags & !0x44, 0x202, "flags {flags:#x}");
            assert_eq!(word(&registers, 0x78), 0, "the base of FS");
            assert_eq!(word(&registers, 0x80), 0, "the base of GS");
            let key = world.domains.key(guest.domain).unwrap();
            assert_eq!(word(&registers, 0x88), u64::from(key.alone()), "PKRU");
            // FXSAVE64 (SDM vol. 1, 10.5.1): control and status words, instruction and data pointers, MXCSR, then the
            // registers from offset 32.
            let state = world.shared(&guest, 0x400, 416);
            assert_eq!(
                word(&state, 0) & 0xffff_ffff,
                0x037f,
                "x87 control and status"
            );
            assert_eq!((word(&state, 8), word(&state, 16)), (0, 0), "x87 pointers");
            assert_eq!(word(&state, 24) & 0xffff_ffff, 0x1f80, "MXCSR");
            assert!(
                state[32..].iter().all(|byte| *byte == 0),
                "x87 or SSE registers"
            );
            let vectors = world.shared(&guest, 0x600, 512);
            assert!(vectors.iter().all(|byte| *byte == 0), "AVX registers");
        },
    );
}

#[test]
fn a_domains_thread_has_a_filter_no_privileges_and_no_capability() {
    alone(
        "birth::a_domains_thread_has_a_filter_no_privileges_and_no_capability",
        || {
            let mut world = World::new();
            let own = std::process::id().to_string();
            let threads = || {
                let folder = fs::read_dir("/proc/self/task").unwrap();
                folder
                    .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                    .collect::<Vec<_>>()
            };
            let before = threads();
            let mut guest = world.guest("confined");
            world.assert_works(&mut guest);
            let new: Vec<_> = threads()
                .into_iter()
                .filter(|one| !before.contains(one))
                .collect();
            let [thread] = new.as_slice() else {
                panic!("{new:?}");
            };
            let status = fs::read_to_string(format!("/proc/{own}/task/{thread}/status")).unwrap();
            let line = |name: &str| {
                let line = status.lines().find(|line| line.starts_with(name)).unwrap();
                line.split_once(':').unwrap().1.trim().to_owned()
            };
            assert_eq!(line("Seccomp:"), "2");
            assert_eq!(line("Seccomp_filters:"), "1");
            assert_eq!(line("NoNewPrivs:"), "1");
            for set in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
                assert_eq!(line(set), "0000000000000000", "{set}");
            }
            // SIGILL, TRAP, BUS, FPE, SEGV, SYS and the signal that ends it are open; KILL and STOP cannot be blocked.
            let blocked = u64::from_str_radix(&line("SigBlk:"), 16).unwrap();
            let open = [4, 5, 7, 8, 11, 31, 63, 9, 19].map(|signal| 1u64 << (signal - 1));
            assert_eq!(
                blocked,
                !open.iter().fold(0, |all, one| all | one),
                "{blocked:x}"
            );
            // Whoever reads this file looks through the thread's own descriptor table.
            let descriptors = fs::read_dir(format!("/proc/{own}/task/{thread}/fd"));
            assert_eq!(descriptors.unwrap().count(), 0);
            assert!(fs::read_dir("/proc/self/fd").unwrap().count() > 3);
        },
    );
}

/// A thread for which a step of its confinement is refused never enters the domain.
#[test]
fn a_thread_that_cannot_be_confined_ends_before_its_first_instruction() {
    let name = "birth::a_thread_that_cannot_be_confined_ends_before_its_first_instruction";
    alone(name, || {
        let mut world = World::new();
        let good = Arc::new(closed_ruleset().unwrap());
        // No ruleset: EBADFD (landlock_restrict_self(2)), in the eighth step.
        let bad = Arc::new(OwnedFd::from(File::open("/dev/null").unwrap()));
        for (ruleset, wanted) in [
            (&good, None),
            (&bad, Some(Phase::Unborn { step: 7, errno: 77 })),
        ] {
            let guest = world.prepare("unborn");
            let filter = world.domains.room(guest.domain).unwrap().start() - PAGE;
            let thread = Thread::start(world.birth(&guest, filter), ruleset).unwrap();
            // Its first instructions note registers, of which PKRU is never 0.
            let has_run = |world: &World| world.shared(&guest, 0x288, 8) != [0; 8];
            while !has_run(&world) && !thread.ended(Duration::from_millis(10)).unwrap() {}
            assert_eq!(has_run(&world), wanted.is_none());
            thread.end().unwrap();
            assert!(thread.ended(Duration::from_secs(10)).unwrap());
            let phase = thread.reap().unwrap();
            assert_eq!(wanted.unwrap_or(phase), phase);
            world.domains.end(guest.domain).unwrap();
        }
    });
}
