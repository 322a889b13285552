//! Is this thread the only one? A process with more cannot be forked soundly: the child would
//! hold locks whose owners do not exist in it.
//!
//! Without `/proc` nothing lists threads, but `unshare(CLONE_THREAD)` answers the question: it
//! does nothing in a process with one thread and is EINVAL in one with more (unshare(2)). Where
//! the filter denies it, only the threads that the runtime knows of are seen.

use crate::runtime::Runtime;
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use std::time::Duration;

/// How long a thread that was joined may take to be gone: pthread_join returns a moment before
/// the kernel forgets the thread.
const PATIENCE: u32 = 100;
const PAUSE: Duration = Duration::from_millis(1);

/// True once this thread is alone; false if it is not after a tenth of a second.
pub(crate) fn settled(runtime: &mut impl Runtime) -> bool {
    for _ in 0..PATIENCE {
        if alone(runtime) {
            return true;
        }
        runtime.idle(|| std::thread::sleep(PAUSE));
    }
    false
}

fn alone(runtime: &mut impl Runtime) -> bool {
    match unshare(CloneFlags::CLONE_THREAD) {
        Ok(()) => true,
        Err(Errno::EINVAL) => false,
        Err(_) => runtime.known_threads() == 1,
    }
}
