//! A process with domains, and guests that do as they are told (`tests/native/domain.c`).

#![expect(unsafe_code, reason = "a process of one thread, by fork")]

use keylane_domain::{Domain, Domains, End, Pages, Report, Waited, What};
use keylane_gate::Birth;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use std::os::fd::{AsFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::time::Duration;

pub(crate) const PAGE: u64 = 4096;
const MIB: u64 = 1 << 20;

/// What a guest does, in the order of the enum in `tests/native/domain.c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
#[allow(
    dead_code,
    reason = "the order counts, and not every test file uses every one"
)]
pub(crate) enum Do {
    Sum,
    Read,
    Write,
    Call,
    Spin,
    Jump,
    Illegal,
    Privileged,
    Trap,
    Divide,
    WildStack,
    Overflow,
    Call32,
    Step,
    Rights,
    Replace,
    Execute,
}

const ALONE: &str = "KEYLANE_TESTS_ALONE";

/// Runs a test's body in a process that does nothing else; `name` is the test's, with its module.
pub(crate) fn alone(name: &str, body: impl FnOnce()) {
    if !keylane_tests::skip::has_keys(name) {
        return;
    }
    if std::env::var_os(ALONE).is_some() {
        let ended = copy(body);
        assert!(matches!(ended, WaitStatus::Exited(_, 0)), "{ended:?}");
        return;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--test-threads=1", "--nocapture"])
        .env(ALONE, name)
        // What resolves calls lazily is made harmless: everything is bound at the start, as for a lane.
        .env("LD_BIND_NOW", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{name} alone: {}\n{said}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Does it in a copy of this process, which has one thread, as whoever takes domains must; and says how
/// the copy ended.
pub(crate) fn copy(body: impl FnOnce()) -> WaitStatus {
    // SAFETY: fork leaves the child what other threads hold locked. There is one at most, the harness's, which
    // waits for this one and holds nothing meanwhile.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            let done = catch_unwind(AssertUnwindSafe(body));
            keylane_sys::process::exit(i32::from(done.is_err()))
        }
        ForkResult::Parent { child } => waitpid(child, None).unwrap(),
    }
}

/// All domains, and the image of the guests' code.
pub(crate) struct World {
    pub(crate) domains: Domains,
    image: OwnedFd,
    entry: u64,
}

/// One guest.
#[derive(Debug)]
pub(crate) struct Guest {
    pub(crate) domain: Domain,
    /// Where its shared page lies.
    pub(crate) channel: u64,
    /// 16 pages that it may read and write.
    pub(crate) heap: u64,
    /// Where its stack begins to grow down, 16 pages; before it lies nothing.
    pub(crate) stack: u64,
    /// Where address 0 of its image lies.
    pub(crate) base: u64,
    asked: u32,
}

impl World {
    pub(crate) fn new() -> World {
        let code = keylane_tests::native::DOMAIN;
        World {
            domains: Domains::take().unwrap(),
            image: keylane_sys::body::sealed("guest", keylane_tests::native::DOMAIN_IMAGE).unwrap(),
            // e_entry (elf(5)).
            entry: u64::from_le_bytes(code[24..32].try_into().unwrap()),
        }
    }

    /// A domain with everything mapped, and nobody in it.
    pub(crate) fn prepare(&mut self, name: &str) -> Guest {
        let domain = self.domains.admit(name).unwrap();
        let start = self
            .domains
            .room(domain)
            .unwrap()
            .start()
            .next_multiple_of(MIB);
        let pages = |at: u64, count: u64| Pages::new(at, count * PAGE).unwrap();
        let mut give = |at: Pages, what| self.domains.give(domain, at, what).unwrap();
        let (channel, heap, stack) = (start, start + MIB, start + 2 * MIB);
        give(pages(channel, 1), What::Shared);
        give(pages(heap, 16), What::Memory);
        give(pages(stack - 16 * PAGE, 16), What::Memory);
        let base = start + 16 * MIB;
        let code = keylane_tests::native::DOMAIN;
        for line in keylane_tests::native::DOMAIN_PLAN.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let number = |at: usize| words[at].parse::<u64>().unwrap();
            let (at, length, offset) = (number(1), number(2), number(3));
            let place = Pages::new(base + at, length).unwrap();
            if words[0] == "x" {
                give(place, What::Image(self.image.as_fd(), offset));
            } else {
                let end = usize::try_from(offset + length).unwrap().min(code.len());
                let bytes = &code[usize::try_from(offset).unwrap()..end];
                give(place, What::Bytes(bytes, words[0] == "w"));
            }
        }
        Guest {
            domain,
            channel,
            heap,
            stack,
            base,
            asked: 0,
        }
    }

    /// A guest that runs.
    pub(crate) fn guest(&mut self, name: &str) -> Guest {
        let guest = self.prepare(name);
        let entry = guest.base + self.entry;
        self.domains
            .start(guest.domain, entry, guest.stack - 8, guest.channel)
            .unwrap();
        guest
    }

    /// Where a guest's code begins.
    pub(crate) fn entry(&self, guest: &Guest) -> u64 {
        guest.base + self.entry
    }

    /// The code of a guest that answers with the rights it has.
    pub(crate) fn arrived(&self, guest: &Guest) -> u64 {
        self.entry(guest) - 64
    }

    /// With what a prepared guest's domain is entered, under a filter of the test's.
    pub(crate) fn birth(&self, guest: &Guest, filter: u64) -> Birth {
        Birth {
            key: self.domains.key(guest.domain).unwrap(),
            entry: self.entry(guest),
            stack: guest.stack - 8,
            argument: guest.channel,
            filter,
        }
    }

    /// Asks a guest for something without waiting.
    pub(crate) fn post(&self, guest: &mut Guest, what: Do, given: &[u64]) {
        let mut bytes = Vec::from(u64::from(what as u32).to_le_bytes());
        for value in given {
            bytes.extend_from_slice(&value.to_le_bytes());
        }
        self.domains
            .write(guest.domain, guest.channel + 8, &bytes)
            .unwrap();
        guest.asked += 1;
        self.domains
            .post(guest.domain, guest.channel, guest.asked)
            .unwrap();
    }

    /// Asks it, and waits for its answer or its end.
    pub(crate) fn ask(&mut self, guest: &mut Guest, what: Do, given: &[u64]) -> Result<u64, End> {
        self.post(guest, what, given);
        let (patience, before) = (Duration::from_secs(60), guest.asked - 1);
        let at = guest.channel + 4;
        match self
            .domains
            .wait(guest.domain, at, before, patience)
            .unwrap()
        {
            Waited::Changed(_) => {
                let bytes = self
                    .domains
                    .read(guest.domain, guest.channel + 72, 8)
                    .unwrap();
                Ok(u64::from_le_bytes(bytes.try_into().unwrap()))
            }
            Waited::Ended(end) => Err(end),
            Waited::Late => panic!("{what:?} takes longer than {patience:?}"),
        }
    }

    /// Asks for what must end the guest by a fault.
    #[track_caller]
    pub(crate) fn fault(&mut self, guest: &mut Guest, what: Do, given: &[u64]) -> Report {
        match self.ask(guest, what, given) {
            Err(End::Fault(report)) => *report,
            other => panic!("{what:?} {given:x?} was not stopped by a fault: {other:x?}"),
        }
    }

    /// That a guest still does honest work.
    #[track_caller]
    pub(crate) fn assert_works(&mut self, guest: &mut Guest) {
        let heap = guest.heap;
        let answer = self.ask(guest, Do::Sum, &[heap, 1000]);
        assert_eq!(answer, Ok((0..1000).map(|i| i * i).sum()));
    }

    /// What a guest has at an address of its shared page.
    pub(crate) fn shared(&self, guest: &Guest, offset: u64, count: usize) -> Vec<u8> {
        self.domains
            .read(guest.domain, guest.channel + offset, count)
            .unwrap()
    }
}

/// A page of the supervisor's with a secret in each word.
pub(crate) struct Secret {
    page: Box<[u64; 1024]>,
}

pub(crate) const MARK: u64 = 0x5ec2_e75e_c2e7_0001;

impl Secret {
    pub(crate) fn new() -> Secret {
        Secret {
            page: Box::new([MARK; 1024]),
        }
    }

    pub(crate) fn address(&self) -> u64 {
        // In the middle, so that pages of it have nothing else.
        (&raw const self.page[512]).expose_provenance() as u64
    }

    /// That nothing of it has changed.
    #[track_caller]
    pub(crate) fn assert_whole(&self) {
        let page = std::hint::black_box(&self.page);
        assert!(
            page.iter().all(|word| *word == MARK),
            "the secret's page was changed"
        );
    }
}
