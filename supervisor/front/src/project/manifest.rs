//! `keylane.toml`: what it may say, checked word by word. Pure: text in, functions or problems
//! out; nothing is opened here.

use super::key::{self, Compiled, Limit};
use super::name::{BadName, Handler, Name, RelativePath};
use super::reader::{Reader, Value};
use crate::problem::Problem;
use crate::source::{Position, Source};
use keylane_policy::abi::message::Runtime;
use keylane_policy::limit;
use keylane_policy::reuse::Reuse;
use keylane_policy::syscall::Groups;
use std::ops::Range;
use toml::de::DeTable;

/// What a project's file says.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The workflow's name.
    pub name: Name,
    /// The States Language definition.
    pub definition: RelativePath,
    /// The input that a run takes when it is given none.
    pub input: Option<RelativePath>,
    /// The functions, by name.
    pub functions: Vec<Function>,
}

/// One function.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name.
    pub name: Name,
    /// The folder whose contents become the root of its tree.
    pub path: RelativePath,
    /// Where its code begins.
    pub handler: Handler,
    /// From which language its shared object is made; `None` where it is there already.
    pub build: Option<Compiled>,
    /// More files and folders, in its tree under the same names.
    pub include: Vec<RelativePath>,
    /// The file with the packages that it needs, where it is named.
    pub requirements: Option<RelativePath>,
    /// Bytes of one request or response.
    pub payload: u64,
    /// Bytes of address space of one instance.
    pub memory: u64,
    /// Milliseconds of one call.
    pub timeout_ms: u64,
    /// Processes and threads of all its instances.
    pub processes: u64,
    /// Open descriptors of one instance.
    pub descriptors: u64,
    /// Hundredths of a processor of all its instances.
    pub cpu: u64,
    /// Bytes of the private /tmp of all its instances; 0 is none.
    pub tmp: u64,
    /// What a later call may find of an earlier one.
    pub reuse: Reuse,
    /// The profile that it asks for, and where.
    pub profile: Option<(Name, Position)>,
    /// Ports of TCP that it connects to; empty without.
    pub ports: Vec<u16>,
    /// What the operator grants it; the core alone until somebody has asked the operator.
    pub rights: Rights,
    /// The limits that the project's file writes, and where.
    pub written: Vec<(&'static str, Position)>,
    /// Where the project's file declares it.
    pub declared: Position,
}

/// What a function is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    /// The profile's name.
    pub profile: String,
    /// Its groups of system calls.
    pub groups: Groups,
    /// Whether the operator accepts that every port is open where the kernel cannot tell them apart.
    pub unfiltered: bool,
}

impl Manifest {
    /// Reads a project's file, or says everything that is wrong with it.
    pub fn parse(source: &Source) -> Result<Manifest, Vec<Problem>> {
        let (root, errors) = DeTable::parse_recoverable(source.text());
        if !errors.is_empty() {
            return Err(errors
                .iter()
                .take(10)
                .map(|error| syntax(source, error))
                .collect());
        }
        let mut reader = Reader::new(source);
        let manifest = read_root(&mut reader, source, root.get_ref());
        let problems = reader.finish();
        match manifest {
            Some(manifest) if problems.is_empty() => Ok(manifest),
            _ => Err(problems),
        }
    }
}

/// The TOML parser's own complaint, with its place.
pub(crate) fn syntax(source: &Source, error: &toml::de::Error) -> Problem {
    let place = source.position(error.span().map_or(0, |span| span.start));
    let what = error.message().lines().collect::<Vec<_>>().join(", ");
    let problem = Problem::at(source, place, format!("not valid TOML: {what}"));
    if what.starts_with("duplicate key") {
        problem.suggest("keep one of the two; each function and each key is written once")
    } else {
        problem.suggest("correct the line; texts stand in quotation marks, tables in brackets")
    }
}

fn read_root(reader: &mut Reader<'_>, source: &Source, root: &DeTable<'_>) -> Option<Manifest> {
    reader.refuse_others(root, "the project's file", &["workflow", "functions"]);
    let top = 0..0;
    let workflow = match root.get("workflow") {
        Some(value) => read_workflow(reader, value),
        None => {
            let advice = "add `[workflow]` with `name` and `definition`";
            reader.error(&top, "there is no table [workflow]".into(), advice.into());
            None
        }
    };
    let functions = match root.get("functions") {
        Some(value) => read_functions(reader, source, value),
        None => {
            let advice = "add a table `[functions.NAME]` for each function of the workflow";
            reader.error(
                &top,
                "there is no table [functions.NAME]".into(),
                advice.into(),
            );
            None
        }
    };
    let (name, definition, input) = workflow?;
    Some(Manifest {
        name,
        definition,
        input,
        functions: functions?,
    })
}

type Workflow = (Name, RelativePath, Option<RelativePath>);

fn read_workflow(reader: &mut Reader<'_>, value: Value<'_, '_>) -> Option<Workflow> {
    let table = reader.table(value, "[workflow]")?;
    let (within, header) = ("[workflow]", value.span());
    reader.refuse_others(table, within, &key::names(&key::WORKFLOW));
    let mut texts = Texts {
        reader,
        table,
        header: &header,
        within,
        name: "",
    };
    let name = texts.required(&key::NAME);
    let definition = texts.required(&key::DEFINITION);
    let input = match table.get(key::INPUT.name) {
        Some(input) => Some(reader.checked(input, key::INPUT.name)?),
        None => None,
    };
    Some((name?, definition?, input))
}

fn read_functions(
    reader: &mut Reader<'_>,
    source: &Source,
    value: Value<'_, '_>,
) -> Option<Vec<Function>> {
    let table = reader.table(value, "functions")?;
    if table.is_empty() || table.len() > limit::FUNCTIONS {
        let message = format!("there are {} functions", table.len());
        let advice = format!("declare between 1 and {}", limit::FUNCTIONS);
        reader.error(&value.span(), message, advice);
        return None;
    }
    let mut functions = Vec::new();
    for (key, value) in table {
        let span = key.span();
        match Name::try_from(key.get_ref().as_ref()) {
            Ok(name) => {
                let declared = source.start(&span);
                functions.push(read_function(reader, name, &span, declared, value));
            }
            Err(bad) => {
                let message = format!("function {:?}: {}", key.get_ref(), bad.wrong);
                reader.error(&span, message, bad.advice);
                functions.push(None);
            }
        }
    }
    functions.into_iter().collect()
}

fn read_function(
    reader: &mut Reader<'_>,
    name: Name,
    header: &Range<usize>,
    declared: Position,
    value: Value<'_, '_>,
) -> Option<Function> {
    let within = format!("[functions.{name}]");
    let table = reader.table(value, &within)?;
    reader.refuse_others(table, &within, &key::names(&key::FUNCTION));
    let runtime = read_runtime(reader, table, header, &within);
    let mut texts = Texts {
        reader,
        table,
        header,
        within: &within,
        name: name.as_str(),
    };
    let path = texts.required(&key::PATH);
    let handler = match runtime {
        Some(Runtime::Native) => texts.required(&key::NATIVE_HANDLER).map(Handler::Native),
        Some(Runtime::Python) | None => texts.required(&key::HANDLER).map(Handler::Python),
    };
    runtime?;
    let build = read_build(reader, table, runtime);
    let include = match table.get(key::INCLUDE.name) {
        Some(list) => reader.list(list, key::INCLUDE.name),
        None => Some(Vec::new()),
    };
    let requirements = match (table.get(key::REQUIREMENTS.name), runtime) {
        (None, _) => None,
        (Some(value), Some(Runtime::Native)) => {
            let message = "`requirements` are Python packages, and this function is native";
            reader.error(&value.span(), message.into(), "remove the key".into());
            return None;
        }
        (Some(value), _) => Some(reader.checked(value, key::REQUIREMENTS.name)?),
    };
    let profile = match table.get(key::PROFILE.name) {
        Some(value) => {
            let place = reader.start(&value.span());
            Some((reader.checked(value, key::PROFILE.name)?, place))
        }
        None => None,
    };
    let ports = match table.get(key::PORTS.name) {
        Some(value) => reader.ports(value, key::PORTS.name),
        None => Some(Vec::new()),
    };
    let written = key::FUNCTION
        .iter()
        .filter_map(|key| Some((key.name, reader.start(&table.get(key.name)?.span()))))
        .collect();
    let mut limits = Limits { reader, table };
    let payload = limits.bytes("payload", key::PAYLOAD);
    let memory = limits.bytes("memory", key::MEMORY);
    let timeout_ms = limits.seconds("timeout", key::TIMEOUT);
    let processes = limits.count("processes", key::PROCESSES);
    let descriptors = limits.count("descriptors", key::DESCRIPTORS);
    let cpu = limits.count("cpu", key::CPU);
    let tmp = limits.bytes("tmp", key::TMP);
    let reuse = read_reuse(reader, table, processes);
    let tmp = own_tmp(reader, table, reuse, tmp);
    Some(Function {
        name,
        path: path?,
        handler: handler?,
        build: build?,
        include: include?,
        requirements,
        payload: payload?,
        memory: memory?,
        timeout_ms: timeout_ms?,
        processes: processes?,
        descriptors: descriptors?,
        cpu: cpu?,
        tmp: tmp?,
        reuse: reuse?,
        profile,
        ports: ports?,
        rights: Rights {
            profile: String::new(),
            groups: Groups::of([]),
            unfiltered: false,
        },
        written,
        declared,
    })
}

fn read_runtime(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    header: &Range<usize>,
    within: &str,
) -> Option<Runtime> {
    let key = key::RUNTIME.name;
    let names = key::RUNTIMES.map(|(name, _)| format!("`{key} = \"{name}\"`"));
    let advice = format!("write {}", names.join(" or "));
    let Some(value) = table.get(key) else {
        reader.error(header, format!("{within} has no `{key}`"), advice);
        return None;
    };
    let found = reader.text(value, key)?;
    let known = key::RUNTIMES.iter().find(|(name, _)| *name == found);
    if known.is_none() {
        let message = format!("there is no {key} {found:?}");
        reader.error(&value.span(), message, advice);
    }
    known.map(|(_, runtime)| *runtime)
}

/// The language of a native function that is to be built, if it is.
fn read_build(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    runtime: Option<Runtime>,
) -> Option<Option<Compiled>> {
    let key = key::BUILD.name;
    let Some(value) = table.get(key) else {
        return Some(None);
    };
    let found = reader.text(value, key)?;
    let known = key::COMPILED.iter().find(|(name, _)| *name == found);
    if known.is_none() {
        let names = key::COMPILED.map(|(name, _)| format!("`{key} = \"{name}\"`"));
        let advice = format!("write {}, or leave the key out", names.join(" or "));
        reader.error(
            &value.span(),
            format!("there is no {key} {found:?}"),
            advice,
        );
    } else if runtime == Some(Runtime::Python) {
        let message = "`build` makes native functions, and this one is in Python";
        reader.error(&value.span(), message.into(), "remove the key".into());
    }
    known.map(|(_, language)| Some(*language))
}

/// What a later call may find of an earlier one; without a word, what a warm worker keeps.
fn read_reuse(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    processes: Option<u64>,
) -> Option<Reuse> {
    let key = key::REUSE.name;
    let Some(value) = table.get(key) else {
        return Some(Reuse::default());
    };
    let word = reader.text(value, key)?;
    let Some(reuse) = Reuse::named(word) else {
        let message = format!("there is no {key} {word:?}");
        let advice = format!("write one of {}", key::reuse_words().join(", "));
        reader.error(&value.span(), message, advice);
        return None;
    };
    let least = limit::PROCESSES_FRESH_FLOOR;
    if !reuse.keeps_workers() && processes.is_some_and(|most| most < least) {
        let message = format!("{key} {word:?} needs more `processes`");
        let advice = format!("allow at least {least}: workers are forked ahead of their calls");
        reader.error(&value.span(), message, advice);
        return None;
    }
    Some(reuse)
}

/// The `/tmp` of a function: all its workers share it, so that one would find another's files there.
/// Where each call is to find nothing of the others, there is none.
fn own_tmp(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    reuse: Option<Reuse>,
    tmp: Option<u64>,
) -> Option<u64> {
    if reuse.is_none_or(Reuse::keeps_workers) {
        return tmp;
    }
    match table.get("tmp") {
        Some(value) if tmp.is_some_and(|bytes| bytes > 0) => {
            let message = "`tmp` keeps files from call to call, which this `reuse` is to prevent";
            let advice = "leave `tmp` out, or write `reuse = \"warm\"`";
            reader.error(&value.span(), message.into(), advice.into());
            None
        }
        _ => Some(0),
    }
}

/// Reads texts that must be there.
struct Texts<'r, 's, 't, 'i> {
    reader: &'r mut Reader<'s>,
    table: &'t DeTable<'i>,
    header: &'t Range<usize>,
    within: &'t str,
    /// The function's name, for the example.
    name: &'t str,
}

impl Texts<'_, '_, '_, '_> {
    fn required<T>(&mut self, key: &key::Key) -> Option<T>
    where
        T: for<'x> TryFrom<&'x str, Error = BadName>,
    {
        let example = key.example.unwrap_or_default().replace("NAME", self.name);
        self.reader
            .required(self.table, self.header, self.within, key.name, &example)
    }
}

/// Reads limits that have a default.
struct Limits<'r, 's, 't, 'i> {
    reader: &'r mut Reader<'s>,
    table: &'t DeTable<'i>,
}

impl Limits<'_, '_, '_, '_> {
    fn bytes(&mut self, key: &str, limit: Limit) -> Option<u64> {
        match self.table.get(key) {
            Some(value) => self.reader.bytes(value, key, limit.low..=limit.high),
            None => Some(limit.default),
        }
    }

    fn count(&mut self, key: &str, limit: Limit) -> Option<u64> {
        match self.table.get(key) {
            Some(value) => self.reader.count(value, key, limit.low..=limit.high),
            None => Some(limit.default),
        }
    }

    fn seconds(&mut self, key: &str, limit: Limit) -> Option<u64> {
        match self.table.get(key) {
            Some(value) => self.reader.seconds(value, key, limit.low..=limit.high),
            None => Some(limit.default),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::key::{Kind, Unit};
    use crate::project::quantity::show;
    use crate::project::schema::range;

    #[test]
    fn the_manual_names_every_key_with_its_default_and_range() {
        let manual = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/CLI.md"));
        for key in key::WORKFLOW {
            assert!(
                manual.contains(&format!("\n{} = ", key.name)),
                "{}",
                key.name
            );
        }
        for key in key::FUNCTION {
            let name = key.name;
            assert!(manual.contains(&format!("`{name}`")), "{name}");
            let Kind::Limit(limit) = key.kind else {
                continue;
            };
            let default = match limit.unit {
                Unit::Bytes => format!("\"{}\"", show(limit.default).replace(' ', "")),
                Unit::Milliseconds => (limit.default / 1000).to_string(),
                Unit::Count => limit.default.to_string(),
            };
            let row = format!("| `{name}` | `{default}` | {}", range(limit));
            assert!(manual.contains(&row), "docs/CLI.md must hold the row {row}");
        }
    }
}
