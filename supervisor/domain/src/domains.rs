//! All domains of a process.

use crate::error::{DomainError, host};
use crate::map::{What, clear, map};
use crate::report::{End, Owner, Report, page};
use crate::window::Window;
use keylane_gate::own::{self, Found};
use keylane_gate::{Birth, Fault, Phase, Thread};
use keylane_policy::confine::{WINDOW, filter, image};
use keylane_policy::kernel;
use keylane_policy::memory::{Content, Domain, Key, Ledger, PAGE, Pages, Protection};
use keylane_sys::region::Region;
use keylane_sys::{host as running, keys, thread};
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Mappings that a domain has at most, the filter's page among them. Two of the kernel's 65530 for a process
/// (vm.max_map_count) go to each of 15 domains' mappings and what lies between them, and leave half.
const MAPPINGS: usize = 1000;
/// How long a thread may take to end that was told to.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a wait lasts before the thread's fate is looked at: nobody wakes the word of one that ended.
const LOOK: Duration = Duration::from_millis(2);

static TAKEN: AtomicBool = AtomicBool::new(false);

/// What a wait ended by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waited {
    /// The word has another value.
    Changed(u32),
    /// The domain's thread has ended.
    Ended(End),
    /// Time was up.
    Late,
}

/// All domains of this process. It stays on the thread that took it, for which alone all keys are open.
#[derive(Debug)]
pub struct Domains {
    region: Region,
    ledger: Ledger,
    keys: u64,
    cleaned: Vec<Found>,
    ruleset: Arc<OwnedFd>,
    held: BTreeMap<Domain, Held>,
    /// Not Send: another thread has other rights.
    _here: PhantomData<*const ()>,
}

#[derive(Debug)]
struct Held {
    function: String,
    number: u64,
    window: Window,
    thread: Option<Thread>,
    end: Option<End>,
}

impl Domains {
    /// Makes this process one that can have domains. Cleans its code, refuses that other memory becomes code,
    /// searches all that can be executed, takes every key, and makes the gate the entry of its signals. None of it
    /// can be taken back, so a second call fails. The process must have one thread; it must load no library
    /// afterwards, which nothing would search ([`own::clean`]).
    pub fn take() -> Result<Domains, DomainError> {
        if TAKEN.swap(true, Ordering::AcqRel) {
            return Err(DomainError::Taken);
        }
        let (release, _machine) = running::kernel().map_err(host("asking for the kernel"))?;
        if kernel::version(&release).is_none_or(|version| version < kernel::MPK) {
            return Err(DomainError::Kernel(release));
        }
        let cleaned = own::clean().map_err(DomainError::Code)?;
        Ok(Domains {
            cleaned,
            ..Domains::prepared()?
        })
    }

    /// All of that but what the process's own code and the kernel's release decide: for a trial, whose guests are
    /// ours.
    pub(crate) fn prepared() -> Result<Domains, DomainError> {
        let mut taken = vec![keys::allocate().map_err(host("taking a protection key"))?];
        while let Ok(key) = keys::allocate() {
            taken.push(key);
        }
        let count = u64::try_from(taken.len()).unwrap_or(0);
        let taken = taken
            .into_iter()
            .filter_map(|number| Key::try_from(number).ok());
        let ledger = Ledger::new(taken);
        let region = Region::reserve(count * WINDOW, WINDOW);
        let region = region.map_err(host("setting address space aside"))?;
        let ruleset = thread::closed_ruleset().map_err(host("making a Landlock ruleset"))?;
        keylane_gate::install().map_err(host("installing the signals' entry"))?;
        Ok(Domains {
            region,
            ledger,
            keys: count,
            cleaned: Vec::new(),
            ruleset: Arc::new(ruleset),
            held: BTreeMap::new(),
            _here: PhantomData,
        })
    }

    /// How many domains there can be at once.
    pub fn most(&self) -> u64 {
        self.keys
    }

    /// What of the process's own code was made harmless.
    pub fn cleaned(&self) -> &[Found] {
        &self.cleaned
    }

    /// A new domain for a function: a key, a window, and a page with its filter. [`DomainError::Full`] where every
    /// key is in use: then the function runs in a worker.
    pub fn admit(&mut self, function: &str) -> Result<Domain, DomainError> {
        let is_free = |number: &u64| self.held.values().all(|held| held.number != *number);
        let number = (0..self.keys).find(is_free).ok_or(DomainError::Full)?;
        let window = Window::of(self.region.pages(), number).ok_or(DomainError::Full)?;
        let (slot, heap, page) = (window.slot(), window.heap(), window.filter());
        let (slot, heap) = slot.zip(heap).ok_or(DomainError::Full)?;
        let page = page.ok_or(DomainError::Full)?;
        let program = filter(window.start()).ok_or(DomainError::Full)?;
        let program = image(&program, page.start()).ok_or(DomainError::Full)?;
        let domain = self.ledger.admit(slot, heap, MAPPINGS)?;
        self.held.insert(
            domain,
            Held {
                function: function.to_owned(),
                number,
                window,
                thread: None,
                end: None,
            },
        );
        match self.give(domain, page, What::Bytes(&program, false)) {
            Ok(()) => Ok(domain),
            Err(error) => {
                self.end(domain)?;
                Err(error)
            }
        }
    }

    /// The addresses in which a domain can be given memory, in its slot behind the filter's page.
    pub fn room(&self, domain: Domain) -> Result<Pages, DomainError> {
        let space = self.ledger.space(domain).ok_or(DomainError::Domain)?;
        let (slot, heap) = (space.slot(), space.heap());
        let start = slot.start() + PAGE;
        Pages::new(start, heap.start() - start).ok_or(DomainError::Domain)
    }

    /// A domain's key.
    pub fn key(&self, domain: Domain) -> Result<Key, DomainError> {
        Ok(self.ledger.space(domain).ok_or(DomainError::Domain)?.key())
    }

    /// Maps memory of a domain.
    pub fn give(
        &mut self,
        domain: Domain,
        pages: Pages,
        what: What<'_>,
    ) -> Result<(), DomainError> {
        map(&self.region, &mut self.ledger, domain, pages, what)
    }

    /// Enters a domain, which no thread has entered yet: at `entry`, with this stack pointer and argument.
    pub fn start(
        &mut self,
        domain: Domain,
        entry: u64,
        stack: u64,
        argument: u64,
    ) -> Result<(), DomainError> {
        let key = self.key(domain)?;
        let held = self.held.get_mut(&domain).ok_or(DomainError::Domain)?;
        let filter = held.window.filter().ok_or(DomainError::Domain)?.start();
        if held.thread.is_some() || held.end.is_some() {
            return Err(DomainError::Domain);
        }
        let birth = Birth {
            key,
            entry,
            stack,
            argument,
            filter,
        };
        let thread = Thread::start(birth, &self.ruleset);
        held.thread = Some(thread.map_err(host("making a domain's thread"))?);
        Ok(())
    }

    /// Whether the supervisor may use these bytes of a domain: a guest can neither unmap nor protect them.
    fn fixed(&self, domain: Domain, at: u64, count: usize) -> Result<(), DomainError> {
        let space = self.ledger.space(domain).ok_or(DomainError::Domain)?;
        let count = u64::try_from(count).map_err(|_| DomainError::NotFixed(at))?;
        let first = page(at);
        let pages = at
            .checked_add(count.max(1))
            .and_then(|end| Pages::new(first, end - first));
        let pages = pages.ok_or(DomainError::NotFixed(at))?;
        let is_fixed = space.is_mapped(pages)
            && space.within(pages).all(|entry| {
                entry.content == Content::Fixed && entry.protection == Protection::Write
            });
        if is_fixed {
            Ok(())
        } else {
            Err(DomainError::NotFixed(at))
        }
    }

    /// Copies bytes out of what was given as [`What::Shared`], or to be written.
    pub fn read(&self, domain: Domain, at: u64, count: usize) -> Result<Vec<u8>, DomainError> {
        self.fixed(domain, at, count)?;
        let bytes = self.region.read(at, count);
        bytes.map_err(host("reading memory of a domain"))
    }

    /// Copies bytes into it.
    pub fn write(&self, domain: Domain, at: u64, bytes: &[u8]) -> Result<(), DomainError> {
        self.fixed(domain, at, bytes.len())?;
        let written = self.region.write(at, bytes);
        written.map_err(host("writing memory of a domain"))
    }

    /// Stores a word in it and wakes the domain, if it waits for that.
    pub fn post(&self, domain: Domain, at: u64, value: u32) -> Result<(), DomainError> {
        self.fixed(domain, at, 4)?;
        let stored = self.region.store(at, value);
        let woken = stored.and_then(|()| self.region.wake(at));
        woken.map_err(host("waking a domain"))
    }

    /// Waits until a word in it is not `expected` any more, the domain has ended, or time is up.
    pub fn wait(
        &mut self,
        domain: Domain,
        at: u64,
        expected: u32,
        patience: Duration,
    ) -> Result<Waited, DomainError> {
        self.fixed(domain, at, 4)?;
        let until = Instant::now() + patience;
        loop {
            // First the fate: what ended has written all that it ever will.
            let end = self.look(domain)?;
            let value = self.region.load(at).map_err(host("reading a word"))?;
            if value != expected {
                return Ok(Waited::Changed(value));
            }
            if let Some(end) = end {
                return Ok(Waited::Ended(end));
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Waited::Late);
            }
            let waited = self.region.wait(at, expected, left.min(LOOK));
            waited.map_err(host("waiting for a domain"))?;
        }
    }

    /// How a domain's thread ended, if it has.
    fn look(&mut self, domain: Domain) -> Result<Option<End>, DomainError> {
        let held = self.held.get_mut(&domain).ok_or(DomainError::Domain)?;
        if let Some(thread) = held.thread.take() {
            match thread.reap() {
                Err(runs) => held.thread = Some(runs),
                Ok(phase) => {
                    let function = held.function.clone();
                    let end = match phase {
                        Phase::Silent => End::Left,
                        Phase::Unborn { step, errno } => End::Unborn(step, errno),
                        Phase::Faulted(fault) => self.explain(domain, function, fault),
                    };
                    if let Some(held) = self.held.get_mut(&domain) {
                        held.end = Some(end);
                    }
                }
            }
        }
        Ok(self.held.get(&domain).and_then(|held| held.end.clone()))
    }

    fn explain(&self, domain: Domain, function: String, fault: Fault) -> End {
        let owner = match self.ledger.owner(fault.address) {
            Some((owner, _)) if owner == domain => Owner::Itself,
            Some((owner, _)) => self
                .held
                .get(&owner)
                .map_or(Owner::Guard, |held| Owner::Domain(held.function.clone())),
            None => {
                let here = Pages::new(page(fault.address), PAGE);
                let is_ours = here.is_some_and(|here| self.region.pages().contains(here));
                if is_ours {
                    Owner::Guard
                } else {
                    Owner::Supervisor
                }
            }
        };
        let code = Pages::new(page(fault.instruction), PAGE).and_then(|here| {
            let space = self.ledger.space(domain)?;
            let mut images = space.entries();
            images.find(|entry| entry.content == Content::Image && entry.pages.contains(here))
        });
        let report = Report {
            function,
            fault,
            owner,
            place: code.map(|entry| fault.instruction - entry.pages.start()),
        };
        if report.is_told() {
            End::Told
        } else {
            End::Fault(Box::new(report))
        }
    }

    /// Ends a domain: its thread first, then every page, then its key and its window are free again. If its
    /// thread cannot be ended, nothing is given back.
    pub fn end(&mut self, domain: Domain) -> Result<Option<End>, DomainError> {
        let until = Instant::now() + PATIENCE;
        loop {
            self.look(domain)?;
            let held = self.held.get(&domain).ok_or(DomainError::Domain)?;
            let Some(thread) = &held.thread else { break };
            if Instant::now() > until {
                return Err(DomainError::Endless);
            }
            thread.end().map_err(host("ending a domain's thread"))?;
            let ended = thread.ended(Duration::from_millis(20));
            ended.map_err(host("waiting for a domain's end"))?;
        }
        let held = self.held.get(&domain).ok_or(DomainError::Domain)?;
        let slot = held.window.slot().ok_or(DomainError::Domain)?;
        self.ledger.end(domain)?;
        clear(&self.region, &mut self.ledger, domain, slot)?;
        Ok(self.held.remove(&domain).and_then(|held| held.end))
    }

    /// What the ledger says of its own soundness.
    pub fn check(&self) -> Result<(), String> {
        self.ledger.check()
    }
}
