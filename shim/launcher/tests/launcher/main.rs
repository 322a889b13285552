//! The launcher under test as a process, with this program as its spawner and as its lane.
//!
//! What passing does not show: that the launcher works inside the jail (the jail's tests do), and
//! anything about isolation, which does not rest on the launcher.

#[cfg(test)]
mod calls;
#[cfg(test)]
mod compiler;
#[cfg(test)]
mod ends;
#[cfg(test)]
mod lane;
#[cfg(test)]
mod loading;
#[cfg(test)]
mod native;
#[cfg(test)]
mod siblings;
#[cfg(test)]
mod spawner;
#[cfg(test)]
mod tree;
