//! The lane's column of the table, tried with real calls from inside a lane's jail.
//!
//! A child of this process enters the jail as the spawner's child does (`supervisor/jail`), and then
//! makes the calls itself instead of executing a lane. As for instances (`rows.rs`), EPERM stands for
//! a refusal, and what passing does not show is that a refusal is the filter's where the kernel,
//! too, would refuse.

#![expect(
    unsafe_code,
    reason = "what runs between fork and exec, and system calls by number"
)]

use crate::rows::{BY_THE_KERNEL, LAST, Trial, impatient, landlock_abi, name};
use crate::rules::{FULL, Host, Verdict, combinations_of, verdict_of};
use keylane_jail::{Filters, Plan, enter};
use keylane_policy::syscall::table::TABLE;
use keylane_policy::syscall::{Groups, Role};
use keylane_sys::jail::Limits;
use nix::errno::Errno;
use nix::libc;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// A user that no host gives to anybody, for a test that root runs: the jail does not stay root.
const NOBODY: u32 = 0x6FFF_FFF0;
/// A call that hangs was not refused. Seconds; enough for a slow machine to get to the call.
const HANGS: u32 = 10;
/// What stands for a call that ended or hung its process.
const ENDED: i32 = -1;
/// Exit status of a child whose jail could not be built.
const UNJAILED: i32 = 125;

/// A lane's jail, but that its limits leave room for the tests that run beside this one as the same
/// user.
fn plan() -> Plan {
    Plan {
        role: Role::Lane,
        groups: Groups::of([]),
        name: "trial".into(),
        user: keylane_tests::is_root().then_some(NOBODY),
        namespaces: false,
        limits: Limits {
            memory: 1 << 36,
            processes: 4096,
            descriptors: 4096,
            file: 1 << 36,
        },
        readable: Vec::new(),
        directory: None,
        build: None,
        root: None,
        ports: Vec::new(),
        unfiltered: false,
    }
}

/// Makes the calls one after the other in one jail: for each the error's number, 0 where it worked,
/// or [`ENDED`].
fn inside(filters: &Filters, trials: &[Trial]) -> Vec<i32> {
    let image = File::open("/dev/null").unwrap();
    let (plan, filters, calls) = (plan(), filters.clone(), trials.to_vec());
    let mut command = Command::new("/nonexistent");
    command
        // Writable, because the kernel itself answers EPERM for seals on what is not.
        .stdin(
            File::options()
                .read(true)
                .write(true)
                .open("/dev/null")
                .unwrap(),
        )
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let work = move || -> std::io::Result<()> {
        nix::unistd::alarm::set(HANGS);
        if let Err(error) = enter(
            &plan,
            false,
            &filters,
            &[0, 1, 2],
            image.as_raw_fd(),
            |_listener| Ok(()),
        ) {
            writeln!(std::io::stderr(), "{error}")?;
            // SAFETY: as below.
            unsafe { libc::_exit(UNJAILED) }
        }
        for (number, a) in &calls {
            Errno::clear();
            // SAFETY: this process does nothing after these calls but report: whatever one of them
            // makes of its memory and descriptors harms its own test alone, and what it could do
            // to others is what the jail is there for.
            let answer =
                unsafe { libc::syscall(i64::from(*number), a[0], a[1], a[2], a[3], a[4], a[5]) };
            let error = if answer == -1 { Errno::last_raw() } else { 0 };
            std::io::stdout().write_all(&error.to_ne_bytes())?;
            std::io::stdout().flush()?;
        }
        // SAFETY: ends this process at once, without what its parent registered for its own end.
        unsafe { libc::_exit(0) }
    };
    // SAFETY: the closure runs in a child of a process with several threads. It takes no lock that
    // one of them could hold, but the allocator's, which glibc's fork leaves free in the child, and
    // standard output's, which nobody here writes to.
    unsafe { command.pre_exec(work) };
    let output = match command.spawn() {
        Ok(child) => child.wait_with_output().unwrap(),
        Err(error) => panic!("no child: {error}"),
    };
    let words = String::from_utf8_lossy(&output.stderr);
    assert_ne!(output.status.code(), Some(UNJAILED), "no jail: {words}");
    let mut outcomes: Vec<i32> = output
        .stdout
        .chunks_exact(4)
        .map(|bytes| i32::from_ne_bytes(bytes.try_into().unwrap()))
        .collect();
    outcomes.resize(trials.len(), ENDED);
    outcomes
}

/// Tries all of `trials` inside and compares each with the table's word.
#[track_caller]
fn expect_as_the_table_says(trials: &[Trial]) {
    let host = Host {
        landlock_abi: landlock_abi(),
        ..FULL
    };
    let filters = Filters::compile(host.landlock_abi, false).unwrap();
    let wanted = |(number, arguments): &Trial| verdict_of(Role::Lane, *number, arguments, host);
    // What the table refuses does nothing, so that one process can try it all. What it passes may
    // end the process or change what later calls do.
    let (passed, refused): (Vec<Trial>, Vec<Trial>) = trials
        .iter()
        .partition(|trial| wanted(trial) == Verdict::Pass || by_the_kernel(trial));
    let mut outcomes: Vec<(Trial, i32)> = passed
        .iter()
        .map(|trial| (*trial, inside(&filters, &[*trial])[0]))
        .collect();
    let answers = inside(&filters, &refused);
    outcomes.extend(refused.into_iter().zip(answers));
    let wrong: Vec<String> = outcomes
        .iter()
        .filter(|(trial, outcome)| {
            !match wanted(trial) {
                Verdict::Pass => *outcome != libc::EPERM,
                Verdict::Fail(libc::EPERM) if by_the_kernel(trial) => {
                    [libc::EPERM, libc::ENXIO, ENDED].contains(outcome)
                }
                Verdict::Fail(errno) => *outcome == errno,
            }
        })
        .map(|(trial, outcome)| {
            let ((number, arguments), wanted) = (trial, wanted(trial));
            format!(
                "{} ({number}) with {arguments:x?}: the table says {wanted:?}, the kernel {outcome}",
                name(*number)
            )
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} differ: {wrong:#?}",
        wrong.len(),
        trials.len()
    );
}

fn by_the_kernel((number, _): &Trial) -> bool {
    BY_THE_KERNEL.contains(number)
}

#[test]
fn every_row_of_a_lane_is_passed_to_the_kernel_where_it_has_no_conditions() {
    let trials: Vec<Trial> = TABLE
        .iter()
        .filter(|row| row.rule(Role::Lane).is_some())
        .map(|row| (row.number.into(), impatient(row.name)))
        .filter(|(number, arguments)| {
            verdict_of(Role::Lane, *number, arguments, FULL) == Verdict::Pass
        })
        .collect();
    assert!(trials.len() > 30, "{} rows only", trials.len());
    expect_as_the_table_says(&trials);
}

#[test]
fn every_condition_of_a_lanes_rows_decides_as_the_table_says_met_and_missed() {
    let trials: Vec<Trial> = TABLE
        .iter()
        .filter(|row| row.rule(Role::Lane).is_some())
        .flat_map(|row| {
            combinations_of(Role::Lane, row)
                .into_iter()
                .map(|all| (row.number.into(), all))
        })
        .filter(|(_, arguments)| arguments.iter().any(|value| *value != 0))
        .collect();
    assert!(trials.len() > 50, "{} trials only", trials.len());
    expect_as_the_table_says(&trials);
}

#[test]
fn a_lane_is_refused_every_number_without_a_row_for_it() {
    let mut trials: Vec<Trial> = (0..=LAST)
        .chain([500, 511, 512, 547, 1000, 4096, 65_535, 0x7FFF_FFFF])
        .filter(|number| {
            !TABLE
                .iter()
                .any(|row| u32::from(row.number) == *number && row.lane.is_some())
        })
        .map(|number| (number, [0; 6]))
        .collect();
    trials.extend((0..=LAST).map(|number| (number | 0x4000_0000, [0; 6])));
    expect_as_the_table_says(&trials);
}

#[test]
fn a_lane_opens_no_file_makes_no_socket_forks_nothing_and_starts_no_program() {
    let path = c"/etc/passwd".as_ptr() as u64;
    let at = libc::AT_FDCWD as u64;
    let trials: Vec<Trial> = vec![
        (2, [path, 0, 0, 0, 0, 0]),
        (257, [at, path, 0, 0, 0, 0]),
        (437, [at, path, 0, 0, 0, 0]),
        (41, [1, 1, 0, 0, 0, 0]),
        (41, [2, 1, 0, 0, 0, 0]),
        (42, [1, path, 16, 0, 0, 0]),
        (57, [0; 6]),
        (58, [0; 6]),
        (56, [17, 0, 0, 0, 0, 0]),
        (59, [path, 0, 0, 0, 0, 0]),
        (62, [1, 0, 0, 0, 0, 0]),
        (434, [1, 0, 0, 0, 0, 0]),
        (272, [0x1000_0000, 0, 0, 0, 0, 0]),
    ];
    let filters = Filters::compile(landlock_abi(), false).unwrap();
    for (trial, outcome) in trials.iter().zip(inside(&filters, &trials)) {
        assert_eq!(outcome, libc::EPERM, "{trial:x?}");
    }
}

#[test]
fn a_call_that_ends_its_process_is_told_from_one_that_is_refused() {
    let filters = Filters::compile(landlock_abi(), false).unwrap();
    // getpid works or is refused; exit_group ends; what comes after it was never made.
    let outcomes = inside(
        &filters,
        &[(0xFFFF, [0; 6]), (231, [0; 6]), (0xFFFF, [0; 6])],
    );
    assert_eq!(outcomes, [libc::EPERM, ENDED, ENDED]);
}
