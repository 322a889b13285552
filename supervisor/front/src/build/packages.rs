//! A function's Python packages: which wheels, where from, and the tree that they make.
//!
//! Two workers, so that nothing that a wheel holds is near a network: one fetches wheels with pip's own
//! index and runs nothing of theirs; one unpacks exactly the wheels of the lock without a network.
//! Installing a wheel executes nothing of it; its scripts and `*.pth` files are only files.

use super::Desk;
use super::bench::Bench;
use super::cache::{Cache, Tree};
use super::digest::Digest;
use super::index::Index;
use super::lock::Package;
use super::pip::{self, PYTHON, Pip};
use super::seal;
use super::wheel::WheelName;
use crate::beneath::Folder;
use crate::requirements::Requirement;
use keylane_builder::Work;
use keylane_policy::blame::{Blame, Failure};
use keylane_policy::limit;
use keylane_policy::syscall::Job;
use rustix::fs::FileType;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long fetching one function's packages may take: gigabytes over a slow line.
const FETCH: Duration = Duration::from_secs(30 * 60);
/// How long unpacking may take.
const INSTALL: Duration = Duration::from_secs(10 * 60);
/// Bytes of address space of pip.
const MEMORY: u64 = 4 * 1024 * 1024 * 1024;
/// Runs pip, which the first argument names, in a child, and then makes bytecode of every module, which a
/// function's tree, being read-only, has no other way to get. What a wheel brought of it goes first: it need
/// not be what its source says. A file that does not compile stays without, as it would after an import that
/// fails. The same files give the same bytes: no time stands in it (PEP 552), and this process has done
/// nothing else.
const INSTALL_AND_COMPILE: &str = "\
import os, runpy, sys
pip = sys.argv.pop(1)
child = os.fork()
if not child:
    run = runpy.run_path if '/' in pip else runpy.run_module
    run(pip, run_name='__main__')
    sys.exit()
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
if status:
    sys.exit(1)
import compileall, py_compile, shutil
for folder, names, _ in os.walk('out'):
    if '__pycache__' in names:
        names.remove('__pycache__')
        shutil.rmtree(os.path.join(folder, '__pycache__'))
compileall.compile_dir('out', force=True, quiet=2, stripdir='out',
    invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
";

/// What fetching and installing needs.
#[derive(Debug)]
pub(super) struct Tools {
    bench: Bench,
    pip: Pip,
    index: Index,
}

impl Tools {
    pub(super) fn new(project: &Folder) -> Result<Tools, Failure> {
        Ok(Tools {
            pip: Pip::find()?,
            bench: Bench::new(project)?,
            index: Index::of_operator()?,
        })
    }

    /// Fetches wheels for `lines` into the cache: with what they need in turn, or `exactly` them, each
    /// with its hash.
    pub(super) fn fetch(
        &mut self,
        function: &str,
        lines: &[String],
        exactly: bool,
        desk: &mut Desk<'_>,
    ) -> Result<Vec<Package>, Failure> {
        let doing = format!("fetching the packages of function {function:?}");
        let place = self.bench.place(&doing, &["tmp", "wheels"])?;
        let inside = self.bench.inside(&place);
        place.write("requirements.txt", (lines.join("\n") + "\n").as_bytes())?;
        let mut environment = self.index.environment.clone();
        environment.push(format!("TMPDIR={}/tmp", inside.display()));
        if let Some(bytes) = &self.index.config {
            place.write("pip.conf", bytes)?;
            environment.push(format!("PIP_CONFIG_FILE={}/pip.conf", inside.display()));
        }
        let mut arguments = self.pip.arguments(&[
            "download",
            "--no-input",
            "--no-cache-dir",
            "--disable-pip-version-check",
            "--progress-bar=off",
            "--only-binary=:all:",
            "--dest=wheels",
            "--requirement=requirements.txt",
        ]);
        if exactly {
            arguments.extend(["--no-deps", "--require-hashes"].map(str::to_owned));
        }
        let mut readable = self.pip.readable(true);
        readable.extend(self.index.readable.iter().cloned());
        let work = Work {
            job: Job::Fetch,
            doing: doing.clone(),
            blame: Blame::Host,
            program: Path::new(PYTHON),
            arguments,
            environment,
            folder: &place.folder,
            readable,
            executable: vec![PathBuf::from(PYTHON)],
            ports: self.index.ports.clone(),
            memory: MEMORY,
            time: FETCH,
        };
        let what = format!("fetching packages of {function}");
        let done = self.bench.run(&work, &what, desk)?;
        if !done.succeeded {
            return Err(pip::failure(&doing, &done.output));
        }
        let wheels = place.left("wheels")?;
        let strange = |name: &dyn std::fmt::Debug, why: &str| {
            Failure::new(
                Blame::Host,
                doing.as_str(),
                format!("pip fetched {name:?}: {why}"),
            )
        };
        let entries = wheels.entries();
        let mut packages = Vec::new();
        for entry in entries.map_err(|refused| strange(&"wheels", &refused.to_string()))? {
            let name = entry.name.to_string_lossy();
            let wheel = WheelName::try_from(&*name).map_err(|why| strange(&name, why))?;
            if entry.kind != FileType::RegularFile {
                return Err(strange(&name, "it is no file"));
            }
            let opened = wheels.file(Path::new(wheel.file()));
            let (file, _) = opened.map_err(|refused| strange(&name, &refused.to_string()))?;
            let sha256 = desk.cache.keep_wheel(file.take(limit::TREE_BYTES))?;
            packages.push(Package { wheel, sha256 });
        }
        packages.sort();
        Ok(packages)
    }

    /// Makes the tree of exactly these wheels, which are in the cache.
    pub(super) fn install(
        &mut self,
        function: &str,
        packages: &[Package],
        key: &Digest,
        desk: &mut Desk<'_>,
    ) -> Result<Tree, Failure> {
        let doing = format!("installing the packages of function {function:?}");
        let place = self.bench.place(&doing, &["tmp", "wheels", "out"])?;
        for package in packages {
            let bytes = read(package, desk.cache, &doing)?;
            place.write(&format!("wheels/{}", package.wheel.file()), &bytes)?;
        }
        let exact: Vec<String> = packages
            .iter()
            .map(|package| format!("{}=={}", package.wheel.name(), package.wheel.version()))
            .collect();
        // Isolated, but for the seed in its environment.
        let start = [PYTHON, "-P", "-s", "-B", "-c", INSTALL_AND_COMPILE];
        let mut arguments: Vec<String> = start
            .into_iter()
            .chain([self.pip.entry()])
            .map(str::to_owned)
            .collect();
        arguments.extend(
            [
                "--isolated",
                "install",
                "--no-input",
                "--no-index",
                "--find-links=wheels",
                "--no-deps",
                "--no-compile",
                "--no-cache-dir",
                "--disable-pip-version-check",
                "--no-warn-script-location",
                "--root-user-action=ignore",
                "--progress-bar=off",
                "--only-binary=:all:",
                "--target=out",
            ]
            .map(str::to_owned),
        );
        arguments.extend(exact);
        let inside = self.bench.inside(&place);
        let work = Work {
            job: Job::Install,
            doing: doing.clone(),
            blame: Blame::Workflow,
            program: Path::new(PYTHON),
            arguments,
            environment: vec![
                format!("TMPDIR={}/tmp", inside.display()),
                "PIP_CONFIG_FILE=/dev/null".to_owned(),
                "PYTHONHASHSEED=0".to_owned(),
            ],
            folder: &place.folder,
            readable: self.pip.readable(false),
            executable: vec![PathBuf::from(PYTHON)],
            ports: Vec::new(),
            memory: MEMORY,
            time: INSTALL,
        };
        let what = format!("installing packages of {function}");
        let done = self.bench.run(&work, &what, desk)?;
        if !done.succeeded {
            let cause = pip::last_words(&done.output);
            return Err(Failure::new(Blame::Workflow, doing, cause)
                .advise("a package is broken, or needs another one that is not named"));
        }
        let out = place.left("out")?;
        let cache = desk.cache;
        cache.keep_tree(key, |path| seal::copy(&out, path, &doing, Blame::Workflow))
    }
}

/// The bytes of a wheel in the cache, which are what the lock says or are forgotten.
fn read(package: &Package, cache: &Cache, doing: &str) -> Result<Vec<u8>, Failure> {
    let file = package.wheel.file();
    let failed =
        |cause: String| Failure::new(Blame::Host, doing, cause).advise("run `keylane build` again");
    let mut wheel = cache
        .wheel(&package.sha256)
        .ok_or_else(|| failed(format!("{file} has left the cache")))?;
    let mut bytes = Vec::new();
    wheel
        .read_to_end(&mut bytes)
        .map_err(|error| failed(format!("{file}: {error}")))?;
    if Digest::of(&bytes) != package.sha256 {
        cache.forget_wheel(&package.sha256);
        return Err(failed(format!("{file} was changed in the cache")));
    }
    Ok(bytes)
}

/// What a lock's entry was made for: the same lines in the same order are the same.
pub(super) fn fingerprint(requirements: &[Requirement]) -> Digest {
    let lines: Vec<&str> = requirements.iter().map(|one| one.line.as_str()).collect();
    Digest::of(lines.join("\n").as_bytes())
}

/// What the tree of these wheels is kept under.
pub(super) fn key(packages: &[Package]) -> Digest {
    let mut text = "packages 2 python3.11\n".to_owned();
    for Package { wheel, sha256 } in packages {
        text.push_str(&format!("{} {sha256}\n", wheel.file()));
    }
    Digest::of(text.as_bytes())
}

/// A locked package as a line for pip.
pub(super) fn exact(package: &Package) -> String {
    let Package { wheel, sha256 } = package;
    format!(
        "{}=={} --hash=sha256:{sha256}",
        wheel.name(),
        wheel.version()
    )
}
