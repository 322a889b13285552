//! The command line as a process: what it prints where, and with which exit code.

#[cfg(test)]
mod command;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod history;
#[cfg(test)]
mod manual;
#[cfg(test)]
mod run_refused;
#[cfg(test)]
mod validate;
