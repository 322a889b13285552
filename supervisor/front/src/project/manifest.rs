//! `keylane.toml`: what it may say, checked word by word. Pure: text in, functions or problems
//! out; nothing is opened here.

use super::name::{Handler, Name, RelativePath};
use super::reader::{Reader, Value};
use crate::problem::Problem;
use crate::source::{Position, Source};
use keylane_policy::limit;
use keylane_policy::reuse::Reuse;
use std::ops::Range;
use toml::de::DeTable;

/// The one runtime of this version.
pub const RUNTIME: &str = "python3.11";

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
    /// More files and folders, in its tree under the same names.
    pub include: Vec<RelativePath>,
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
    /// What a later call may find of an earlier one.
    pub reuse: Reuse,
    /// Where the project's file declares it.
    pub declared: Position,
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
fn syntax(source: &Source, error: &toml::de::Error) -> Problem {
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
    reader.refuse_others(table, within, &["name", "definition", "input"]);
    let name = reader.required(table, &header, within, "name", "\"finra\"");
    let definition = reader.required(
        table,
        &header,
        within,
        "definition",
        "\"workflow.asl.json\"",
    );
    let input = match table.get("input") {
        Some(input) => Some(reader.checked(input, "input")?),
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

/// The keys of a function, in the order in which a message lists them.
const KEYS: [&str; 10] = [
    "runtime",
    "path",
    "handler",
    "include",
    "payload",
    "memory",
    "timeout",
    "processes",
    "descriptors",
    "reuse",
];

fn read_function(
    reader: &mut Reader<'_>,
    name: Name,
    header: &Range<usize>,
    declared: Position,
    value: Value<'_, '_>,
) -> Option<Function> {
    let within = format!("[functions.{name}]");
    let table = reader.table(value, &within)?;
    let mut known = KEYS.to_vec();
    if let Some((key, _)) = table.get_key_value("requirements") {
        known.push("requirements");
        let advice =
            "this version installs no packages: put their files into the function's folder";
        reader.error(
            &key.span(),
            "`requirements` is not built yet".into(),
            advice.into(),
        );
    }
    reader.refuse_others(table, &within, &known);
    read_runtime(reader, table, header, &within);
    let path = reader.required(
        table,
        header,
        &within,
        "path",
        &format!("\"functions/{name}\""),
    );
    let handler = reader.required(
        table,
        header,
        &within,
        "handler",
        &format!("\"{name}.handler\""),
    );
    let include = match table.get("include") {
        Some(list) => reader.list(list, "include"),
        None => Some(Vec::new()),
    };
    let mut limits = Limits { reader, table };
    let payload = limits.bytes(
        "payload",
        limit::PAYLOAD_BYTES,
        limit::PAYLOAD_BYTES_FLOOR..=limit::PAYLOAD_BYTES_CEILING,
    );
    let memory = limits.bytes(
        "memory",
        limit::MEMORY_BYTES,
        limit::MEMORY_BYTES_FLOOR..=limit::MEMORY_BYTES_CEILING,
    );
    let timeout_ms = limits.seconds("timeout", limit::CALL_MILLISECONDS);
    let processes = limits.count(
        "processes",
        limit::PROCESSES,
        limit::PROCESSES_FLOOR..=limit::PROCESSES_CEILING,
    );
    let descriptors = limits.count(
        "descriptors",
        limit::DESCRIPTORS,
        limit::DESCRIPTORS_FLOOR..=limit::DESCRIPTORS_CEILING,
    );
    let reuse = read_reuse(reader, table, processes);
    Some(Function {
        name,
        path: path?,
        handler: handler?,
        include: include?,
        payload: payload?,
        memory: memory?,
        timeout_ms: timeout_ms?,
        processes: processes?,
        descriptors: descriptors?,
        reuse: reuse?,
        declared,
    })
}

fn read_runtime(reader: &mut Reader<'_>, table: &DeTable<'_>, header: &Range<usize>, within: &str) {
    let advice = format!("write `runtime = \"{RUNTIME}\"`, the only one of this version");
    let Some(value) = table.get("runtime") else {
        reader.error(header, format!("{within} has no `runtime`"), advice);
        return;
    };
    if let Some(found) = reader.text(value, "runtime")
        && found != RUNTIME
    {
        reader.error(
            &value.span(),
            format!("there is no runtime {found:?}"),
            advice,
        );
    }
}

/// What a later call may find of an earlier one; without a word, what a warm worker keeps.
fn read_reuse(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    processes: Option<u64>,
) -> Option<Reuse> {
    let Some(value) = table.get("reuse") else {
        return Some(Reuse::default());
    };
    let word = reader.text(value, "reuse")?;
    let words = Reuse::ALL.map(|(word, _)| format!("{word:?}")).join(", ");
    let Some(reuse) = Reuse::named(&word) else {
        let message = format!("there is no way {word:?} to reuse workers");
        reader.error(&value.span(), message, format!("write one of {words}"));
        return None;
    };
    let least = limit::PROCESSES_FRESH_FLOOR;
    if !reuse.keeps_workers() && processes.is_some_and(|most| most < least) {
        let message = format!("`reuse = {word:?}` needs more `processes`");
        let advice = format!("allow at least {least}: workers are forked ahead of their calls");
        reader.error(&value.span(), message, advice);
        return None;
    }
    Some(reuse)
}

/// Reads limits that have a default.
struct Limits<'r, 's, 't, 'i> {
    reader: &'r mut Reader<'s>,
    table: &'t DeTable<'i>,
}

impl Limits<'_, '_, '_, '_> {
    fn bytes(
        &mut self,
        key: &str,
        default: u64,
        range: std::ops::RangeInclusive<u64>,
    ) -> Option<u64> {
        match self.table.get(key) {
            Some(value) => self.reader.bytes(value, key, range),
            None => Some(default),
        }
    }

    fn count(
        &mut self,
        key: &str,
        default: u64,
        range: std::ops::RangeInclusive<u64>,
    ) -> Option<u64> {
        match self.table.get(key) {
            Some(value) => self.reader.count(value, key, range),
            None => Some(default),
        }
    }

    fn seconds(&mut self, key: &str, default: u64) -> Option<u64> {
        match self.table.get(key) {
            Some(value) => self
                .reader
                .seconds(value, key, 1..=limit::CALL_MILLISECONDS_CEILING),
            None => Some(default),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::quantity::show;

    #[test]
    fn the_manual_names_every_key_with_its_default_and_range() {
        let manual = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/CLI.md"));
        for key in KEYS {
            assert!(manual.contains(&format!("`{key}`")), "{key}");
        }
        let bytes = |key: &str, default: u64, low: u64, high: u64| {
            let default = show(default).replace(' ', "");
            format!(
                "| `{key}` | `\"{default}\"` | {} to {}",
                show(low),
                show(high)
            )
        };
        let count = |key: &str, default: u64, low: u64, high: u64| {
            format!("| `{key}` | `{default}` | {low} to {high}")
        };
        let timeout = limit::CALL_MILLISECONDS / 1000;
        for row in [
            bytes(
                "payload",
                limit::PAYLOAD_BYTES,
                limit::PAYLOAD_BYTES_FLOOR,
                limit::PAYLOAD_BYTES_CEILING,
            ),
            bytes(
                "memory",
                limit::MEMORY_BYTES,
                limit::MEMORY_BYTES_FLOOR,
                limit::MEMORY_BYTES_CEILING,
            ),
            format!(
                "| `timeout` | `{timeout}` | 0.001 to {} seconds",
                limit::CALL_MILLISECONDS_CEILING / 1000
            ),
            count(
                "processes",
                limit::PROCESSES,
                limit::PROCESSES_FLOOR,
                limit::PROCESSES_CEILING,
            ),
            "| `reuse` | `\"warm\"` | `warm`, `fresh`, `fresh-import`".to_owned(),
            count(
                "descriptors",
                limit::DESCRIPTORS,
                limit::DESCRIPTORS_FLOOR,
                limit::DESCRIPTORS_CEILING,
            ),
        ] {
            assert!(manual.contains(&row), "docs/CLI.md must hold the row {row}");
        }
    }
}
