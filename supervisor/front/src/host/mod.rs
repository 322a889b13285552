//! `doctor`: whether this host can run Keylane, point by point.
//!
//! `facts` asks, `trial` tries domains in a child, `judge` decides (pure), `show` writes it down.

pub mod facts;
pub mod judge;
mod show;
mod trial;

use facts::Facts;
use judge::Diagnosis;

/// Asks and judges this host. The process must have one thread.
pub fn examine() -> Diagnosis {
    judge::judge(&Facts::gather())
}
