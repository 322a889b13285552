//! Is this thread the only one? A process with more cannot be forked soundly: the child would
//! hold locks whose owners do not exist in it.
//!
//! Without `/proc` nothing lists threads, but `unshare(CLONE_THREAD)` answers the question: it
//! does nothing in a process with one thread and is EINVAL in one with more (unshare(2)). Where
//! the filter denies it, only the threads that Python knows of are seen.

use crate::python::Interpreter;
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use std::time::Duration;

/// How long a thread that was joined may take to be gone: pthread_join returns a moment before
/// the kernel forgets the thread.
const PATIENCE: u32 = 100;
const PAUSE: Duration = Duration::from_millis(1);

/// True once this thread is alone; false if it is not after a tenth of a second.
pub(crate) fn settled(interpreter: &mut Interpreter) -> bool {
    for _ in 0..PATIENCE {
        if alone(interpreter) {
            return true;
        }
        interpreter.idle(|| std::thread::sleep(PAUSE));
    }
    false
}

fn alone(interpreter: &mut Interpreter) -> bool {
    match unshare(CloneFlags::CLONE_THREAD) {
        Ok(()) => true,
        Err(Errno::EINVAL) => false,
        Err(_) => interpreter.python_threads() == 1,
    }
}
