//! Domains on a processor with protection keys: what they can do, and what stops them.
//!
//! Each test has a process of its own, because a process takes its domains once and for good: the test starts
//! this program again for itself alone (`world::alone`). Where there are no keys the tests are skipped, loudly.
//! In the rig keys and their kernel are real and the processor is emulated: no test here shows what depends on
//! timing, speculation, or the initial states of XSAVE.

#[cfg(test)]
mod birth;
#[cfg(test)]
mod containment;
#[cfg(test)]
mod gate;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod own_code;
#[cfg(test)]
mod world;
