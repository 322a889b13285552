//! How a domain ended, for people.

use keylane_gate::{END, Fault};
use keylane_policy::memory::PAGE;
use std::fmt;

/// Whose an address is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The domain's own: no key stood in the way, but the page's protection, or no page is there.
    Itself,
    /// Another domain's, by its function's name.
    Domain(String),
    /// Between two domains: nothing is ever mapped there.
    Guard,
    /// The supervisor's, or nobody's.
    Supervisor,
}

/// What ended a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its function.
    pub function: String,
    /// What the processor or the kernel said.
    pub fault: Fault,
    /// Whose the address is that was reached for.
    pub owner: Owner,
    /// The image in which the instruction lies and the offset in it, if it lies in one of the domain's.
    pub place: Option<u64>,
}

/// How a domain ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Its thread left by itself; or its filter could not be installed, which looks the same.
    Left,
    /// The supervisor ended it.
    Told,
    /// It did what it must not.
    Fault(Box<Report>),
    /// It could not be confined, and has never run: which step, and the error number.
    Unborn(u64, u64),
}

/// `si_code` of a SIGSEGV that a key caused (SEGV_PKUERR).
const BY_KEY: i32 = 4;
/// Bits of a page fault's error code.
const WRITE: u32 = 2;
const FETCH: u32 = 16;

impl Report {
    /// The key that stood in the way, if it was a key.
    pub fn key(&self) -> Option<u32> {
        (self.fault.signal == 11 && self.fault.code == BY_KEY).then_some(self.fault.key)
    }

    /// Whether the supervisor itself asked for the end.
    pub(crate) fn is_told(&self) -> bool {
        i32::try_from(self.fault.signal) == Ok(END)
    }

    fn doing(&self) -> &'static str {
        match (self.fault.signal, self.fault.error) {
            (11 | 7, error) if error & FETCH != 0 => "executed",
            (11 | 7, error) if error & WRITE != 0 => "wrote to",
            (11 | 7, _) => "read",
            (4, _) => "executed an illegal instruction",
            (5, _) => "stopped in a trap",
            (8, _) => "calculated what has no result",
            (31, _) => "made a system call that nothing makes by mistake",
            _ => "was ended by a signal",
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.function, self.doing())?;
        let fault = &self.fault;
        match fault.signal {
            11 | 7 => {
                write!(f, " {:#x}, ", fault.address)?;
                match &self.owner {
                    Owner::Itself => f.write_str("its own page, or none"),
                    Owner::Domain(name) => write!(f, "which belongs to {name}"),
                    Owner::Guard => f.write_str("between two domains"),
                    Owner::Supervisor => f.write_str("which belongs to the supervisor or nobody"),
                }?;
                if let Some(key) = self.key() {
                    write!(f, ", under key {key}")?;
                }
            }
            31 => write!(f, " (number {})", fault.call & u64::from(u32::MAX))?,
            _ => {}
        }
        write!(f, "; the instruction is at {:#x}", fault.instruction)?;
        match self.place {
            Some(offset) => write!(f, " ({offset:#x} in its image)"),
            None => f.write_str(" (in none of its images)"),
        }
    }
}

/// The page of an address.
pub(crate) fn page(address: u64) -> u64 {
    address / PAGE * PAGE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(signal: u32, code: i32, error: u32, owner: Owner) -> Report {
        Report {
            function: "f".to_owned(),
            fault: Fault {
                signal,
                code,
                address: 0x5000,
                call: 15,
                key: 3,
                error,
                instruction: 0x1000,
                pointer: 0,
            },
            owner,
            place: Some(0x40),
        }
    }

    #[test]
    fn a_report_says_who_did_what_to_whom_and_where() {
        let other = report(11, BY_KEY, 7 | 32, Owner::Domain("g".to_owned()));
        assert_eq!(
            other.to_string(),
            "f wrote to 0x5000, which belongs to g, under key 3; the instruction is at 0x1000 (0x40 in its image)"
        );
        assert_eq!(other.key(), Some(3));
        let unmapped = report(11, 1, 4, Owner::Guard);
        assert!(
            unmapped
                .to_string()
                .starts_with("f read 0x5000, between two domains;")
        );
        assert_eq!(unmapped.key(), None);
        let call = report(31, 1, 0, Owner::Itself).to_string();
        assert!(call.contains("(number 15)"), "{call}");
        assert!(report(63, 0, 0, Owner::Itself).is_told());
    }
}
