//! `keylane build`.

use super::print;
use crate::build::cache::Cache;
use crate::build::{self, Built, BuiltFunction, Made};
use crate::check;
use crate::exit::Exit;
use crate::operator;
use crate::project::quantity;
use crate::refusal::Refusal;
use crate::render::report::document;
use crate::render::screen::Screen;
use crate::run::refuse;
use serde::Serialize;
use std::io::Stderr;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What `build --json` prints; docs/CLI.md describes it.
#[derive(Serialize)]
struct Document<'d> {
    status: &'static str,
    functions: Vec<Function<'d>>,
    cache: Option<&'d Path>,
    seconds: f64,
}

#[derive(Serialize)]
struct Function<'d> {
    function: &'d str,
    packages: Vec<Package<'d>>,
    object: Option<&'d str>,
    tree: &'d Path,
    digest: &'d str,
    files: usize,
    bytes: u64,
    cached: bool,
}

#[derive(Serialize)]
struct Package<'d> {
    name: &'d str,
    version: &'d str,
    file: &'d str,
    sha256: &'d str,
}

/// What `keylane build` was asked.
#[derive(Debug)]
pub(super) struct Options {
    /// The project's folder or file.
    pub(super) project: PathBuf,
    /// Where the operator says what projects may have.
    pub(super) policy: Option<PathBuf>,
    /// Whether nothing may be fetched.
    pub(super) offline: bool,
    /// Whether to print a document.
    pub(super) json: bool,
}

pub(super) fn build(options: &Options) -> Exit {
    let started = Instant::now();
    let asked = format!("build {}", options.project.display());
    let mut screen = Screen::stderr(false, options.json);
    let built = match make(options, &mut screen) {
        Ok(built) => built,
        Err(refusal) => return refuse(&asked, &refusal, options.json, false, &mut screen),
    };
    if options.json {
        let document_of = Document {
            status: "built",
            functions: built.functions.iter().map(row).collect(),
            cache: built.cache.as_ref().map(Cache::root),
            seconds: started.elapsed().as_secs_f64(),
        };
        return match serde_json::to_string(&document_of) {
            Ok(text) => print(&document(&text, false), Exit::Done),
            Err(_unwritable) => Exit::Bug,
        };
    }
    print(&told(&built), Exit::Done)
}

fn make(options: &Options, screen: &mut Screen<Stderr>) -> Result<Built, Refusal> {
    let grants = operator::load(options.policy.as_deref())?;
    let checked = check::project(&options.project, &grants)?;
    for warning in &checked.warnings {
        screen.line(warning.human().trim_end());
    }
    let mut built = build::build(&checked, options.offline, screen)?;
    match built.unlocked.take() {
        Some(failure) => Err(failure.into()),
        None => Ok(built),
    }
}

fn row(function: &BuiltFunction) -> Function<'_> {
    Function {
        function: &function.name,
        packages: packages(function).iter().map(package).collect(),
        object: match &function.made {
            Made::Packages(_) => None,
            Made::Object(name) => Some(name),
        },
        tree: &function.tree.path,
        digest: function.tree.sealed.digest.as_str(),
        files: function.tree.sealed.files,
        bytes: function.tree.sealed.bytes,
        cached: function.cached,
    }
}

fn packages(function: &BuiltFunction) -> &[build::lock::Package] {
    match &function.made {
        Made::Packages(packages) => packages,
        Made::Object(_) => &[],
    }
}

fn package(package: &build::lock::Package) -> Package<'_> {
    Package {
        name: package.wheel.name(),
        version: package.wheel.version(),
        file: package.wheel.file(),
        sha256: package.sha256.as_str(),
    }
}

/// What was built, a line for each function.
fn told(built: &Built) -> String {
    if built.functions.is_empty() {
        return "nothing is to be built: no function has requirements or `build`\n".into();
    }
    let line = |function: &BuiltFunction| {
        let named = |package: &build::lock::Package| {
            format!("{} {}", package.wheel.name(), package.wheel.version())
        };
        let names: Vec<String> = match &function.made {
            Made::Packages(packages) => packages.iter().map(named).collect(),
            Made::Object(name) => vec![name.clone()],
        };
        let kept = if function.cached { ", was built" } else { "" };
        let size = quantity::show(function.tree.sealed.bytes);
        format!("{}: {} ({size}{kept})\n", function.name, names.join(", "))
    };
    built.functions.iter().map(line).collect()
}
