//! Building: what a project's functions need before they can be staged, made once and kept.
//!
//! The front decides and copies; everything that reads what a tenant or an index wrote runs in a build
//! worker (`supervisor/builder/`). What a worker leaves is checked and copied to the cache by its hash
//! ([`seal`], [`cache`]); `keylane.lock` says which packages those are ([`lock`]).
//!
//! An attacker controls: requirements, the lock, answers of an index, wheels, sources.

mod bench;
pub mod cache;
mod compiler;
pub mod digest;
pub mod index;
mod interrupt;
pub mod lock;
pub(crate) mod native;
mod packages;
pub mod pip;
mod remove;
pub mod seal;
mod settings;
pub mod wheel;

use crate::beneath::Folder;
use crate::check::Checked;
use crate::project::key::Compiled;
use crate::project::name::{Handler, NativeHandler};
use crate::refusal::Refusal;
use crate::render::screen::Screen;
use crate::requirements::Requirement;
use crate::stage::plan::Plan;
use crate::stage::{PACKAGES, Stage};
use cache::{Cache, Tree};
use digest::Digest;
use interrupt::Interrupt;
use keylane_policy::blame::{Blame, Failure};
use lock::{Entry, Lock, Package};
use native::Shop;
use packages::Tools;
use std::io::Stderr;

/// What was built of a project.
#[derive(Debug, Default)]
pub struct Built {
    /// The functions that have packages or are compiled.
    pub functions: Vec<BuiltFunction>,
    /// The cache, where it was needed.
    pub cache: Option<Cache>,
    /// Why the lock could not be written, if it could not.
    pub unlocked: Option<Failure>,
}

/// What was built of one function.
#[derive(Debug)]
pub struct BuiltFunction {
    /// Its name.
    pub name: String,
    /// What was made for it.
    pub made: Made,
    /// The tree that holds it.
    pub tree: Tree,
    /// Whether the tree was there already.
    pub cached: bool,
}

/// What a function needed.
#[derive(Debug)]
pub enum Made {
    /// Python packages: these wheels.
    Packages(Vec<Package>),
    /// A shared object, by this name.
    Object(String),
}

impl Built {
    /// Puts what was built into the functions' staged trees. What reaches a function is what was hashed
    /// on its way there: a tree that somebody changed in the cache is forgotten, and nothing runs.
    pub fn stage(&self, stage: &Stage) -> Result<(), Failure> {
        for BuiltFunction {
            name, tree, made, ..
        } in &self.functions
        {
            let staged = match made {
                Made::Packages(_) => stage.add(name, PACKAGES, &tree.path)?,
                Made::Object(_) => stage.add_beside(name, &tree.path)?,
            };
            if staged != tree.sealed {
                if let Some(cache) = &self.cache {
                    cache.forget_tree(tree);
                }
                let doing = format!("staging what was built of function {name:?}");
                let cause = format!("{} was changed in the cache", tree.path.display());
                return Err(Failure::new(Blame::Host, doing, cause)
                    .advise("run it again: it is made anew; find out who can write there"));
            }
        }
        Ok(())
    }
}

/// Builds what the functions of a project need and is not there yet. With `offline` nothing is fetched.
pub fn build(
    checked: &Checked,
    offline: bool,
    screen: &mut Screen<Stderr>,
) -> Result<Built, Refusal> {
    let project = &checked.project;
    let old = Lock::read(&project.folder).map_err(Refusal::of_project)?;
    let needed: Vec<(&str, &[Requirement])> = project
        .functions
        .iter()
        .zip(&checked.requirements)
        .map(|(function, needed)| (function.name.as_str(), needed.as_slice()))
        .filter(|(_, needed)| !needed.is_empty())
        .collect();
    let compiled: Vec<(&NativeHandler, &Plan)> = project
        .functions
        .iter()
        .zip(&checked.plans)
        .filter_map(
            |(function, plan)| match (&function.handler, function.build) {
                (Handler::Native(handler), Some(Compiled::C)) => Some((handler, plan)),
                (Handler::Native(_) | Handler::Python(_), _) => None,
            },
        )
        .collect();
    let mut built = Built::default();
    let mut new = Lock::default();
    if !needed.is_empty() || !compiled.is_empty() {
        bench::required(&checked.required)?;
        let interrupt = Interrupt::catch()?;
        let cache = Cache::open()?;
        let mut builder = Packages {
            checked,
            cache: &cache,
            interrupt: &interrupt,
            tools: None,
            offline,
            screen,
        };
        let refused = |failure: Failure| match interrupt.seen() {
            Some(number) => Refusal::Signal(number),
            None => failure.into(),
        };
        for (name, requirements) in needed {
            let made = builder.function(name, requirements, old.0.get(name));
            let (entry, function) = made.map_err(refused)?;
            new.0.insert(name.to_owned(), entry);
            built.functions.push(function);
        }
        let mut desk = Desk {
            cache: &cache,
            interrupt: &interrupt,
            screen: builder.screen,
        };
        built
            .functions
            .extend(compile(&project.folder, &compiled, &mut desk).map_err(refused)?);
        built.cache = Some(cache);
    }
    if new != old
        && let Err(error) = new.write(&project.folder)
    {
        let cause = format!("{}: {error}", lock::FILE);
        let failure = Failure::new(Blame::Operator, "writing the lock", cause);
        built.unlocked =
            Some(failure.advise("give yourself the right to write to the project's folder"));
    }
    Ok(built)
}

/// Makes the shared objects of the functions that come as sources.
fn compile(
    project: &Folder,
    functions: &[(&NativeHandler, &Plan)],
    desk: &mut Desk<'_>,
) -> Result<Vec<BuiltFunction>, Failure> {
    if functions.is_empty() {
        return Ok(Vec::new());
    }
    let mut shop = Shop::new(project)?;
    let mut made = Vec::new();
    for (handler, plan) in functions {
        desk.interrupt.look()?;
        let (tree, cached) = shop.make(plan, handler, desk)?;
        made.push(BuiltFunction {
            name: plan.function.to_string(),
            made: Made::Object(handler.file().to_string()),
            tree,
            cached,
        });
    }
    Ok(made)
}

struct Packages<'b> {
    checked: &'b Checked,
    cache: &'b Cache,
    interrupt: &'b Interrupt,
    /// Looked for when something is to be done.
    tools: Option<Tools>,
    offline: bool,
    screen: &'b mut Screen<Stderr>,
}

impl Packages<'_> {
    fn function(
        &mut self,
        name: &str,
        requirements: &[Requirement],
        locked: Option<&Entry>,
    ) -> Result<(Entry, BuiltFunction), Failure> {
        let fingerprint = packages::fingerprint(requirements);
        let locked = locked.filter(|entry| entry.requirements == fingerprint);
        self.interrupt.look()?;
        let entry = match locked {
            Some(entry) => {
                entry.fits(requirements).map_err(|why| {
                    let cause = format!("function {name}: {}: {why}", lock::FILE);
                    Failure::new(Blame::Workflow, "building", cause)
                        .advise("remove the file: `keylane build` writes it anew")
                })?;
                entry.clone()
            }
            None => self.choose(name, requirements, fingerprint)?,
        };
        let (tree, cached) = self.tree(name, &entry.packages)?;
        let function = BuiltFunction {
            name: name.to_owned(),
            made: Made::Packages(entry.packages.clone()),
            tree,
            cached,
        };
        Ok((entry, function))
    }

    /// Lets pip choose versions.
    fn choose(
        &mut self,
        name: &str,
        requirements: &[Requirement],
        fingerprint: Digest,
    ) -> Result<Entry, Failure> {
        if self.offline {
            let cause = format!(
                "function {name}: {} does not say which versions its requirements mean, and \
                 --offline asks nobody",
                lock::FILE
            );
            return Err(Failure::new(Blame::Operator, "building", cause)
                .advise("build once without --offline"));
        }
        let lines: Vec<String> = requirements.iter().map(|one| one.line.clone()).collect();
        let (tools, mut desk) = self.tools()?;
        let chosen = tools.fetch(name, &lines, false, &mut desk)?;
        let wrong = |why: &str| {
            let cause = format!("function {name}: what pip fetched: {why}");
            Failure::new(Blame::Host, "building", cause)
        };
        let entry = Entry::new(fingerprint, chosen).map_err(wrong)?;
        entry.fits(requirements).map_err(|why| wrong(&why))?;
        Ok(entry)
    }

    /// The tree of these wheels, and whether it was there.
    fn tree(&mut self, name: &str, packages: &[Package]) -> Result<(Tree, bool), Failure> {
        let key = packages::key(packages);
        if let Some(tree) = self.cache.tree(&key) {
            return Ok((tree, true));
        }
        // Another build may be making it now.
        let _lock = self.cache.lock(&key, || self.interrupt.look())?;
        if let Some(tree) = self.cache.tree(&key) {
            return Ok((tree, true));
        }
        let missing: Vec<&Package> = packages
            .iter()
            .filter(|package| self.cache.wheel(&package.sha256).is_none())
            .collect();
        if let (Some(first), true) = (missing.first(), self.offline) {
            let cause = format!(
                "function {name}: {} is not in the cache",
                first.wheel.file()
            );
            return Err(Failure::new(Blame::Operator, "building offline", cause)
                .advise("build once without --offline"));
        }
        let lines: Vec<String> = missing.into_iter().map(packages::exact).collect();
        let (tools, mut desk) = self.tools()?;
        let cache = desk.cache;
        if !lines.is_empty() {
            let _packages = tools.fetch(name, &lines, true, &mut desk)?;
        }
        if let Some(missing) = packages
            .iter()
            .find(|one| cache.wheel(&one.sha256).is_none())
        {
            let cause = format!(
                "function {name}: the index has no {} with the hash in {}",
                missing.wheel.file(),
                lock::FILE
            );
            return Err(Failure::new(Blame::Workflow, "building", cause)
                .advise("use the index that the lock was made with, or remove the lock"));
        }
        let tree = tools.install(name, packages, &key, &mut desk)?;
        Ok((tree, false))
    }

    fn tools(&mut self) -> Result<(&mut Tools, Desk<'_>), Failure> {
        let tools = match self.tools.take() {
            Some(tools) => tools,
            None => Tools::new(&self.checked.project.folder)?,
        };
        let desk = Desk {
            cache: self.cache,
            interrupt: self.interrupt,
            screen: self.screen,
        };
        Ok((self.tools.insert(tools), desk))
    }
}

/// What every step of a build has at hand.
struct Desk<'d> {
    cache: &'d Cache,
    interrupt: &'d Interrupt,
    screen: &'d mut Screen<Stderr>,
}
