//! A native function that is made from its sources: by the host's compiler, in the jail of a build worker
//! that compiles. The worker reads the function's own files, the compiler's and the C library's, writes
//! to a folder of its own and has no network; what it makes is sealed and kept by what it was made from.
//!
//! An attacker controls: the sources, and with them whatever a compiler can be made to do.

use super::bench::Bench;
use super::cache::Tree;
use super::compiler::{Compiler, GCC};
use super::digest::Digest;
use super::{Desk, seal};
use crate::beneath::{Folder, Refused};
use crate::project::name::NativeHandler;
use crate::render::escape;
use crate::scaffold::HEADER;
use crate::shared_object;
use crate::stage::plan::{Item, Plan};
use crate::stage::write;
use keylane_builder::Work;
use keylane_policy::blame::{Blame, Failure};
use keylane_policy::syscall::Job;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// How a source file's name ends.
pub(crate) const C: &str = "c";
/// How long compiling one function may take.
const COMPILE: Duration = Duration::from_secs(10 * 60);
/// Bytes of address space of each part of the compiler.
const MEMORY: u64 = 4 * 1024 * 1024 * 1024;
/// Lines of a compiler's words that are told.
const TOLD: usize = 40;

/// What compiling needs.
#[derive(Debug)]
pub(super) struct Shop<'p> {
    project: &'p Folder,
    compiler: Compiler,
    /// Made when something is to be compiled.
    bench: Option<Bench>,
}

impl<'p> Shop<'p> {
    pub(super) fn new(project: &'p Folder) -> Result<Shop<'p>, Failure> {
        Ok(Shop {
            project,
            compiler: Compiler::find()?,
            bench: None,
        })
    }

    /// The tree with a function's shared object alone, and whether it was there.
    pub(super) fn make(
        &mut self,
        plan: &Plan,
        handler: &NativeHandler,
        desk: &mut Desk<'_>,
    ) -> Result<(Tree, bool), Failure> {
        let doing = format!("compiling function \"{}\"", plan.function);
        let sources = digest(self.project, plan, Item::source, &doing)?;
        let key = Digest::of(
            format!(
                "native 1 c\n{} {} {sources}\n{}\n",
                self.compiler.identity,
                Digest::of(HEADER.as_bytes()),
                handler.file()
            )
            .as_bytes(),
        );
        let kept = |desk: &Desk<'_>| desk.cache.tree(&key);
        let mut found = kept(desk);
        let cached = found.is_some();
        if found.is_none() {
            // Another build may be making it now.
            let _lock = desk.cache.lock(&key, || desk.interrupt.look())?;
            found = match kept(desk) {
                Some(tree) => Some(tree),
                None => Some(self.compile(plan, handler, &sources, &key, &doing, desk)?),
            };
        }
        let tree = found.ok_or_else(|| Failure::new(Blame::Bug, doing.as_str(), "no tree"))?;
        check(&tree, handler, &doing)?;
        Ok((tree, cached))
    }

    fn compile(
        &mut self,
        plan: &Plan,
        handler: &NativeHandler,
        sources: &Digest,
        key: &Digest,
        doing: &str,
        desk: &mut Desk<'_>,
    ) -> Result<Tree, Failure> {
        let bench = match self.bench.take() {
            Some(bench) => bench,
            None => Bench::new(self.project)?,
        };
        let bench = self.bench.insert(bench);
        let place = bench.place(doing, &["tmp", "out", "include"])?;
        place.write("include/keylane.h", HEADER.as_bytes())?;
        write(self.project, plan, &place.folder.join("src"))?;
        let copied = place.left("src")?;
        if digest(&copied, plan, Item::copied, doing)? != *sources {
            let cause = "its files changed while they were read";
            return Err(Failure::new(Blame::Workflow, doing, cause).advise("build it again"));
        }
        let mut arguments: Vec<String> = [
            GCC,
            "-shared",
            "-fPIC",
            "-O2",
            "-Wall",
            "-Iinclude",
            "-Isrc",
            "-o",
        ]
        .map(str::to_owned)
        .into();
        arguments.push(format!("out/{}", handler.file()));
        for source in plan.sources(C) {
            let name = source.to_str().ok_or_else(|| {
                let cause = format!("{}: its name is not UTF-8", source.display());
                Failure::new(Blame::Function, doing, cause).advise("rename it")
            })?;
            arguments.push(format!("src/{name}"));
        }
        arguments.push("-lm".to_owned());
        let work = Work {
            job: Job::Compile,
            doing: doing.to_owned(),
            blame: Blame::Function,
            program: Path::new(GCC),
            arguments,
            environment: vec![
                format!("TMPDIR={}/tmp", bench.inside(&place).display()),
                // The same sources give the same bytes at any time (__DATE__, __TIME__).
                "SOURCE_DATE_EPOCH=0".to_owned(),
            ],
            folder: &place.folder,
            readable: self.compiler.readable.clone(),
            executable: self.compiler.executable.clone(),
            ports: Vec::new(),
            memory: MEMORY,
            time: COMPILE,
        };
        let done = bench.run(&work, doing, desk)?;
        let words: Vec<&str> = done.output.lines().take(TOLD).collect();
        if !done.succeeded {
            let cause = match words.is_empty() {
                true => format!("the compiler ended: {}", done.ended),
                false => format!("the compiler refused it\n{}", words.join("\n")),
            };
            let advice = "correct the sources; lines of `src/` are the function's files";
            return Err(Failure::new(Blame::Function, doing, cause).advise(advice));
        }
        for line in words {
            desk.screen.line(&escape::line(line));
        }
        let out = place.left("out")?;
        desk.cache
            .keep_tree(key, |path| seal::copy(&out, path, doing, Blame::Function))
    }
}

/// Whether what was made is a function.
fn check(tree: &Tree, handler: &NativeHandler, doing: &str) -> Result<(), Failure> {
    let path = tree.path.join(handler.file().as_path());
    let file = File::open(&path).map_err(|error| {
        let cause = format!("{}: {error}", path.display());
        Failure::new(Blame::Host, doing, cause).advise("remove the cache and build again")
    })?;
    if tree.sealed.files != 1 {
        let cause = "the compiler left more than one file";
        return Err(Failure::new(Blame::Function, doing, cause));
    }
    shared_object::check(file, handler.symbol()).map_err(|fault| {
        let cause = format!("{} {}", handler.file(), fault.wrong);
        Failure::new(Blame::Function, doing, cause).advise(fault.advice)
    })
}

/// Of all files of a plan, by their paths in the tree; `place` says where each lies below the folder.
fn digest<'i>(
    folder: &Folder,
    plan: &'i Plan,
    place: impl Fn(&'i Item, &'i Path) -> Option<&'i Path>,
    doing: &str,
) -> Result<Digest, Failure> {
    let wrong = |path: &Path, refused: &Refused| {
        let cause = format!("{}: {refused}", path.display());
        Failure::new(Blame::Workflow, doing, cause).advise(refused.advice())
    };
    let mut listing = Vec::new();
    for (path, item) in &plan.items {
        let Some(from) = place(item, path) else {
            continue;
        };
        let (file, _) = folder.file(from).map_err(|refused| wrong(path, &refused))?;
        let digest = Digest::read(file).map_err(|error| {
            let cause = format!("{}: {error}", path.display());
            Failure::new(Blame::Host, doing, cause)
        })?;
        listing.extend_from_slice(path.as_os_str().as_bytes());
        listing.push(0);
        listing.extend_from_slice(digest.as_str().as_bytes());
        listing.push(b'\n');
    }
    Ok(Digest::of(&listing))
}
