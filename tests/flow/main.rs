//! What works from end to end, through the command line: the examples, functions that fail in
//! every way that we know, workflows, limits, and what is left when a part is killed.
//!
//! What passing does not show: that a hostile function is kept in (the escape suite does), or how
//! fast anything is.

#[cfg(test)]
mod bench;
#[cfg(test)]
mod build;
#[cfg(test)]
mod build_native;
#[cfg(test)]
mod build_refused;
#[cfg(test)]
mod build_trust;
#[cfg(test)]
mod cancel;
#[cfg(test)]
mod cloud;
#[cfg(test)]
mod denials;
#[cfg(test)]
mod fanout;
#[cfg(test)]
mod finra;
#[cfg(test)]
mod healthcare;
#[cfg(test)]
mod histories;
#[cfg(test)]
mod idle;
#[cfg(test)]
mod image;
#[cfg(test)]
mod init;
#[cfg(test)]
mod interrupt;
#[cfg(test)]
mod isolation;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod language;
#[cfg(test)]
mod learn;
#[cfg(test)]
mod leftovers;
#[cfg(test)]
mod loading;
#[cfg(test)]
mod many;
#[cfg(test)]
mod misbehaviour;
#[cfg(test)]
mod native;
#[cfg(test)]
mod native_finra;
#[cfg(test)]
mod native_refused;
#[cfg(test)]
mod payload;
#[cfg(test)]
mod prediction;
#[cfg(test)]
mod reuse;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod sentiment;
#[cfg(test)]
mod siblings;
#[cfg(test)]
mod strays;
#[cfg(test)]
mod stream;
#[cfg(test)]
mod tmp;
