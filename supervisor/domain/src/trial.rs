//! Whether this host carries domains: tried, not asked.
//!
//! The process that tries is spoilt for anything else: it belongs in a child that ends afterwards. If the host fails
//! in a way that ends the process, that end is the answer.

use crate::domains::Domains;
use crate::map::What;
use crate::report::End;
use crate::{Pages, Report};
use keylane_gate::rights::{outlives_a_signal, rights};
use keylane_policy::memory::PAGE;
use keylane_sys::body::sealed;
use keylane_sys::keys;
use std::os::fd::AsFd;
use std::time::Duration;

/// `mov %rdi,%rsp; mov (%rdi),%rax; hlt`: reads what it must not, with the stack pointer there as well.
const READS: [u8; 7] = [0x48, 0x89, 0xfc, 0x48, 0x8b, 0x07, 0xf4];
/// `mov $15,%eax; syscall; hlt`: a forged return from a signal.
const FORGES: [u8; 8] = [0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05, 0xf4];
/// Where each begins in the page of code.
const AT: [u64; 2] = [0, 64];

/// Words of the supervisor's page that is attacked.
const WORDS: usize = 2048;
const MARK: u64 = 0x7e57_7e57_7e57_7e57;

/// How long a domain may take to be stopped.
const PATIENCE: Duration = Duration::from_secs(20);

fn page() -> Vec<u8> {
    let mut code = READS.to_vec();
    code.resize(64, 0xf4);
    code.extend_from_slice(&FORGES);
    code.resize(4096, 0xf4);
    code
}

/// Tries, and says how many domains a process of this host could have, or what does not hold.
pub fn trial() -> Result<u64, String> {
    if rights().is_none() {
        return Err("the processor or the kernel has no protection keys".to_owned());
    }
    match outlives_a_signal() {
        Ok(true) => {}
        Ok(false) => {
            return Err("the kernel resumes a thread with other rights after a signal".to_owned());
        }
        Err(error) => return Err(format!("trying a signal: {error}")),
    }
    let told = |error: crate::DomainError| error.to_string();
    keys::refuse_new_code().map_err(|error| format!("refusing new code: {error}"))?;
    let mut domains = Domains::prepared().map_err(told)?;
    let secret = Box::new([MARK; WORDS]);
    let middle = secret.get(WORDS / 2).map_or(0, address);
    let read = attack(&mut domains, AT[0], middle)?;
    if secret.iter().any(|word| *word != MARK) {
        return Err(
            "the kernel wrote a signal's frame to where a guest's stack pointed".to_owned(),
        );
    }
    if read.key() != Some(0) || read.fault.address != middle || read.fault.pointer != middle {
        return Err(format!(
            "a guest that read the supervisor's memory was told as: {read}"
        ));
    }
    let forged = attack(&mut domains, AT[1], 0)?;
    if forged.fault.signal != 31 {
        return Err(format!(
            "a forged return from a signal was told as: {forged}"
        ));
    }
    Ok(domains.most())
}

fn address(word: &u64) -> u64 {
    u64::try_from(std::ptr::from_ref(word).expose_provenance()).unwrap_or(0)
}

/// Runs one of the pieces of code in a domain that comes and goes, and says what stopped it.
fn attack(domains: &mut Domains, at: u64, argument: u64) -> Result<Report, String> {
    let told = |error: crate::DomainError| error.to_string();
    let image = sealed("keylane-trial", &page()).map_err(|error| error.to_string())?;
    let domain = domains.admit("the trial").map_err(told)?;
    let start = domains.room(domain).map_err(told)?.start();
    let pages = |number: u64| Pages::new(start + number * PAGE, PAGE).ok_or("no room");
    domains
        .give(domain, pages(1)?, What::Image(image.as_fd(), 0))
        .map_err(told)?;
    domains
        .give(domain, pages(3)?, What::Shared)
        .map_err(told)?;
    let (word, stack) = (start + 3 * PAGE, start + 4 * PAGE - 8);
    domains
        .start(domain, start + PAGE + at, stack, argument)
        .map_err(told)?;
    let waited = domains.wait(domain, word, 0, PATIENCE).map_err(told)?;
    let end = domains.end(domain).map_err(told)?;
    match end {
        Some(End::Fault(report)) => Ok(*report),
        other => Err(format!("a guest was not stopped: {waited:?}, {other:?}")),
    }
}
