//! The list of system calls by which a new thread confines itself, in their order.
//!
//! The thread makes them with nothing but registers: it has no TLS, so no Rust may run on it. Each must
//! answer 0, else the thread ends without having entered the domain.

use keylane_sys::thread::{Stack, number};
use std::os::fd::OwnedFd;

/// One system call: its number and six arguments.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Call {
    pub(crate) number: u64,
    pub(crate) arguments: [u64; 6],
}

/// `stack_t` (sigaltstack(2)).
#[derive(Debug)]
#[repr(C)]
struct Alternate {
    low: u64,
    flags: u32,
    size: u64,
}

/// What the calls point to, and the calls. It must stay where it is until the thread has entered the domain.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) calls: Vec<Call>,
    _alternate: Box<Alternate>,
    _mask: Box<u64>,
    _header: Box<[u32; 2]>,
    _sets: Box<[u32; 6]>,
}

/// SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS: what an instruction brings upon itself. A blocked one of
/// these would end the whole process (kernel/signal.c, force_sig_info_to_task).
pub(crate) const SYNCHRONOUS: [i32; 6] = [4, 5, 7, 8, 11, 31];

/// SS_AUTODISARM (sigaltstack(2)): without it, a stack pointer inside of the alternate stack would pass for
/// a handler that is at work, and the kernel would write its frame there.
const AUTODISARM: u32 = 1 << 31;

fn address<T>(of: &T) -> u64 {
    u64::try_from(std::ptr::from_ref(of).expose_provenance()).unwrap_or(0)
}

impl Script {
    pub(crate) fn new(stack: &Stack, ruleset: &OwnedFd, end: i32) -> Script {
        let low = u64::try_from(stack.low()).unwrap_or(0);
        let high = u64::try_from(stack.high()).unwrap_or(0);
        let alternate = Box::new(Alternate {
            low,
            flags: AUTODISARM,
            size: high.saturating_sub(low),
        });
        let open = SYNCHRONOUS.iter().chain([&end]);
        let mask = Box::new(open.fold(u64::MAX, |mask, signal| mask & !(1 << (signal - 1))));
        // _LINUX_CAPABILITY_VERSION_3 and the calling thread; no capability (capset(2)).
        let header = Box::new([0x2008_0522, 0]);
        let sets = Box::new([0; 6]);
        let call = |number: u64, given: &[u64]| {
            let mut arguments = [0; 6];
            for (argument, value) in arguments.iter_mut().zip(given) {
                *argument = *value;
            }
            Call { number, arguments }
        };
        let calls = vec![
            // sigaltstack: where frames are written, before anything can raise a signal.
            call(131, &[address(&*alternate), 0]),
            // rt_sigprocmask(SIG_SETMASK): what is blocked now is everything.
            call(14, &[2, address(&*mask), 0, 8]),
            // arch_prctl(ARCH_SET_FS) and (ARCH_SET_GS): the parent's addresses are no guest's business.
            call(158, &[0x1002, 0]),
            call(158, &[0x1001, 0]),
            // unshare(CLONE_FS): root, directory and mask of its own.
            call(272, &[0x200]),
            // capset: nothing.
            call(126, &[address(&*header), address(&*sets)]),
            // prctl(PR_SET_NO_NEW_PRIVS), without which the next one and the filter are refused.
            call(157, &[38, 1, 0, 0, 0]),
            // landlock_restrict_self: no file can be opened.
            call(446, &[number(ruleset), 0]),
            // close_range(0, ~0, CLOSE_RANGE_UNSHARE): a descriptor table of its own, and empty.
            call(436, &[0, u64::from(u32::MAX), 2]),
        ];
        Script {
            calls,
            _alternate: alternate,
            _mask: mask,
            _header: header,
            _sets: sets,
        }
    }

    /// Where the calls lie.
    pub(crate) fn start(&self) -> u64 {
        self.calls.first().map_or(0, address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a thread leaves behind before it enters a domain, in this order. Who takes one away, takes a wall.
    #[test]
    fn a_thread_confines_itself_by_these_calls_in_this_order() {
        let stack = Stack::new().unwrap();
        let ruleset = OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
        let script = Script::new(&stack, &ruleset, 63);
        let calls: Vec<(u64, &[u64])> = script
            .calls
            .iter()
            .map(|call| (call.number, &call.arguments[..]))
            .collect();
        let alternate = address(&*script._alternate);
        let (mask, header) = (address(&*script._mask), address(&*script._header));
        let wanted: [(u64, [u64; 6]); 9] = [
            (131, [alternate, 0, 0, 0, 0, 0]),
            (14, [2, mask, 0, 8, 0, 0]),
            (158, [0x1002, 0, 0, 0, 0, 0]),
            (158, [0x1001, 0, 0, 0, 0, 0]),
            (272, [0x200, 0, 0, 0, 0, 0]),
            (126, [header, address(&*script._sets), 0, 0, 0, 0]),
            (157, [38, 1, 0, 0, 0, 0]),
            (446, [number(&ruleset), 0, 0, 0, 0, 0]),
            (436, [0, u64::from(u32::MAX), 2, 0, 0, 0]),
        ];
        assert_eq!(
            calls,
            wanted
                .each_ref()
                .map(|(number, given)| (*number, &given[..]))
        );
        assert_eq!(*script._sets, [0; 6]);
        assert_eq!(script._alternate.flags, AUTODISARM);
    }
}
