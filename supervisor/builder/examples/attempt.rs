//! Runs a Python program as a build worker, for the tests: `attempt JOB SECONDS FOLDER PORT PROGRAM
//! ARGUMENT...`. The folder is made, given to the worker and left. A program of its own, because starting a worker
//! needs a process of one thread.

#![forbid(unsafe_code)]

use keylane_builder::{Builder, Work};
use keylane_policy::blame::Blame;
use keylane_policy::syscall::Job;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

const PYTHON: &str = "/usr/bin/python3.11";
const READABLE: [&str; 8] = [
    "/lib64",
    "/usr/lib64",
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/etc/ld.so.cache",
    "/usr/lib/python3.11",
    "/dev/null",
    "/dev/urandom",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [job, seconds, folder, port, program, more @ ..] = arguments.as_slice() else {
        return Err("attempt JOB SECONDS FOLDER PORT PROGRAM ARGUMENT...".into());
    };
    let job = Job::ALL
        .into_iter()
        .find(|known| known.name() == job)
        .ok_or("no such job")?;
    let mut builder = Builder::new()?;
    std::fs::DirBuilder::new().mode(0o700).create(folder)?;
    if let Some(user) = builder.next_user() {
        std::os::unix::fs::chown(folder, Some(user), Some(user))?;
    }
    let start = [PYTHON, "-I", "-S", "-B", "-c", program];
    let work = Work {
        job,
        doing: "attempting".to_owned(),
        blame: Blame::Bug,
        program: Path::new(PYTHON),
        arguments: start
            .map(str::to_owned)
            .into_iter()
            .chain(more.iter().cloned())
            .collect(),
        environment: Vec::new(),
        folder: Path::new(folder),
        readable: READABLE
            .map(PathBuf::from)
            .into_iter()
            .filter(|path| path.exists())
            .collect(),
        executable: vec![PathBuf::from(PYTHON)],
        ports: vec![port.parse()?],
        memory: 4 << 30,
        time: Duration::from_secs(seconds.parse()?),
    };
    let done = builder.run(&work, &mut || Ok(()))?;
    print!("{}", done.output);
    if done.succeeded {
        Ok(())
    } else {
        Err(done.ended.into())
    }
}
