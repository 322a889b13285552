//! Running a definition: a machine that is asked for its next wish and told what came of it.
//!
//! No thread, clock or I/O: time is an argument, and a call is a value that the host carries out.
//! Functions control the results that come in; a result can fail its branch, never the machine.
//!
//! A branch is a walk through one machine; the execution's root is a branch too. A fan-out (Map,
//! Parallel) belongs to a branch and starts branches one at a time, only when nothing that has
//! started can go on. Everything is found by key, so a step costs the same however many branches
//! there are; ending a branch's fan-outs is a loop, not a recursion.

mod branch;
mod choice;
mod context;
mod event;
mod execution;
mod fail;
mod fan;
mod finish;
mod loan;
mod scope;
mod slab;
mod start;
mod step;
mod stop;

pub use event::{Detail, Event};
pub use execution::{Call, CallId, Context, Execution, Failed, Poll};
pub use fan::{Fan, FanId};
pub use loan::{Loan, LoanBranch};
