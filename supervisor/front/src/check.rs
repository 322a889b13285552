//! Checks a whole project: its file, its definition, its functions' files and handlers, its
//! default input. What passes can be staged and run.

use crate::build::native;
use crate::json;
use crate::operator;
use crate::problem::{Problem, Severity};
use crate::project::key::Compiled;
use crate::project::manifest::Function;
use crate::project::name::{Handler, Name, NativeHandler, PythonHandler, RelativePath};
use crate::project::{Project, read_text};
use crate::refusal::Refusal;
use crate::requirements::{self, Requirement};
use crate::shared_object;
use crate::source::{Position, Source};
use crate::stage::PACKAGES;
use crate::stage::plan::{Item, Plan};
use crate::suggest;
use keylane_policy::abi::message::Runtime;
use keylane_policy::blame::{Blame, Failure};
use keylane_policy::limit;
use keylane_policy::part::Part;
use keylane_policy::profile::Grants;
use keylane_workflow::Definition;
use std::io::Read;
use std::path::Path;

/// A project that can be staged and run.
#[derive(Debug)]
pub struct Checked {
    /// The project.
    pub project: Project,
    /// What its functions' trees will hold, in the order of the functions.
    pub plans: Vec<Plan>,
    /// The packages that they need, in the same order.
    pub requirements: Vec<Vec<Requirement>>,
    /// Parts of the jail that the operator requires of the host.
    pub required: Vec<Part>,
    /// What somebody should look at.
    pub warnings: Vec<Problem>,
}

/// Checks a project, given by its folder or its `keylane.toml`, also against what the operator grants.
pub fn project(path: &Path, grants: &Grants) -> Result<Checked, Refusal> {
    let mut project = Project::load(path)?;
    let mut problems = operator::resolve(grants, &mut project.functions, &project.manifest);
    problems.extend(definition(&project.definition, &project.function_names()));
    if let Some(input) = &project.default_input
        && let Err(fault) = json::check(input.text().as_bytes())
    {
        let place = input.position(fault.offset);
        problems.push(
            Problem::at(
                input,
                place,
                format!("the default input is not JSON: {}", fault.message),
            )
            .suggest("correct it; `python3 -m json.tool FILE` finds most mistakes too"),
        );
    }
    let (mut plans, mut needed) = (Vec::new(), Vec::new());
    for function in &project.functions {
        match Plan::make(&project, function) {
            Ok(plan) => {
                problems.extend(handler(&project, function, &plan));
                match packages(&project, function, &plan) {
                    Ok(requirements) => needed.push(requirements),
                    Err(wrong) => problems.extend(wrong),
                }
                plans.push(plan);
            }
            Err(wrong) => problems.extend(wrong),
        }
    }
    if problems.iter().any(Problem::is_error) {
        return Err(Refusal::of_project(problems));
    }
    Ok(Checked {
        project,
        plans,
        requirements: needed,
        required: grants.required.clone(),
        warnings: problems,
    })
}

/// Checks a definition without a project: every function that it names is taken to exist.
pub fn definition_alone(path: &Path) -> Result<Vec<Problem>, Refusal> {
    let shown = path.display().to_string();
    let doing = format!("reading the definition {shown}");
    let failure = |cause: String| Failure::new(Blame::Operator, doing.as_str(), cause);
    let mut bytes = Vec::new();
    let limit = limit::DEFINITION_BYTES;
    std::fs::File::open(path)
        .and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
        .map_err(|error| failure(error.to_string()).advise("name a file that you may read"))?;
    if bytes.len() as u64 > limit {
        return Err(failure(format!("it is longer than the limit of {limit} bytes")).into());
    }
    let source = Source::from_bytes(shown.as_str(), bytes).map_err(|(place, why)| {
        failure(format!(
            "line {}, column {}: {why}",
            place.line, place.column
        ))
        .advise("save the file as UTF-8 without a byte order mark")
    })?;
    let problems = definition(&source, &named_functions(source.text()));
    if problems.iter().any(Problem::is_error) {
        return Err(Refusal::of_definition(problems));
    }
    Ok(problems)
}

/// The functions that a definition calls, by every form of a name that the language knows.
fn named_functions(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut todo: Vec<serde_json::Value> = serde_json::from_str(text).into_iter().collect();
    while let Some(value) = todo.pop() {
        match value {
            serde_json::Value::Object(members) => {
                let text = |key| members.get(key).and_then(serde_json::Value::as_str);
                let called = text("Resource").and_then(keylane_workflow::resource_function);
                let named = text("FunctionName").map(keylane_workflow::function_name);
                names.extend(called.into_iter().chain(named).map(str::to_owned));
                todo.extend(members.into_iter().map(|(_key, value)| value));
            }
            serde_json::Value::Array(items) => todo.extend(items),
            _ => {}
        }
    }
    names.retain(|name| Name::try_from(name.as_str()).is_ok());
    names.sort_unstable();
    names.dedup();
    names
}

/// Problems of a States Language definition whose project has these functions.
fn definition(source: &Source, functions: &[String]) -> Vec<Problem> {
    let found = match Definition::check(source.text().as_bytes(), functions) {
        Ok((_definition, warnings)) => warnings,
        Err(problems) => problems,
    };
    found
        .into_iter()
        .map(|problem| from_workflow(source, problem))
        .collect()
}

fn from_workflow(source: &Source, problem: keylane_workflow::Problem) -> Problem {
    let place = Position {
        line: problem.line as usize,
        column: problem.column as usize,
    };
    Problem {
        severity: match problem.severity {
            keylane_workflow::Severity::Error => Severity::Error,
            keylane_workflow::Severity::Warning => Severity::Warning,
        },
        pointer: Some(problem.pointer),
        suggestion: problem.suggestion,
        ..Problem::at(source, place, problem.message)
    }
}

/// Whether a function's handler is in its tree.
fn handler(project: &Project, function: &Function, plan: &Plan) -> Vec<Problem> {
    match &function.handler {
        Handler::Python(handler) => python_handler(project, function, handler, plan),
        Handler::Native(handler) => native_handler(project, function, handler, plan),
    }
}

/// A problem of a function, where the project's file declares it.
fn of(project: &Project, function: &Function, message: &str) -> Problem {
    let message = format!("function {}: {message}", function.name);
    Problem::at(&project.manifest, function.declared, message)
}

/// Whether a native handler is a shared object that exports its symbol.
fn native_handler(
    project: &Project,
    function: &Function,
    handler: &NativeHandler,
    plan: &Plan,
) -> Vec<Problem> {
    let here = |message: String| of(project, function, &message);
    if let Some(Compiled::C) = function.build {
        return sources_in_c(handler, plan)
            .err()
            .map(|(wrong, advice)| here(wrong).suggest(advice))
            .into_iter()
            .collect();
    }
    let Some(source) = plan.source(handler.file().as_str()) else {
        let message = format!("{} has no {}", function.path, handler.file());
        return vec![here(message).suggest(object_advice(handler, plan))];
    };
    match project.folder.file(source) {
        Ok((file, _stat)) => match shared_object::check(file, handler.symbol()) {
            Ok(()) => Vec::new(),
            Err(fault) => {
                let message = format!("{} {}", source.display(), fault.wrong);
                vec![here(message).suggest(fault.advice)]
            }
        },
        Err(refused) => {
            let message = format!("{}: {refused}", source.display());
            vec![here(message).suggest(refused.advice())]
        }
    }
}

/// Whether the handler can be made from C, and there is some; else what is wrong and what to do.
fn sources_in_c(handler: &NativeHandler, plan: &Plan) -> Result<(), (String, String)> {
    let file = handler.file().as_str();
    if file.contains('/') {
        let advice = "name it without a folder: `keylane build` puts it beside the sources";
        return Err((
            format!("{file} is to be built into a folder"),
            advice.into(),
        ));
    }
    if plan.items.contains_key(Path::new(file)) {
        let advice = "remove the file, or remove `build`";
        return Err((
            format!("{file} is to be built and is there already"),
            advice.into(),
        ));
    }
    if plan.sources(native::C).next().is_none() {
        let advice = "put its sources into its folder, or correct `path`";
        return Err((
            "there is no file whose name ends in .c".into(),
            advice.into(),
        ));
    }
    Ok(())
}

/// Which shared object may have been meant.
fn object_advice(handler: &NativeHandler, plan: &Plan) -> String {
    let objects: Vec<&str> = plan
        .items
        .keys()
        .filter_map(|path| path.to_str())
        .filter(|path| path.contains(".so"))
        .collect();
    match suggest::nearest(handler.file().as_str(), objects.iter().copied()).or(only(&objects)) {
        Some(object) => format!("write `handler = \"{object}\"`, if that was meant"),
        None => "build the shared object into the function's folder, or correct `handler` or \
                 `path`; docs/NATIVE.md shows how"
            .into(),
    }
}

/// The only one of a list.
fn only<'n>(names: &[&'n str]) -> Option<&'n str> {
    if let [only] = names { Some(only) } else { None }
}

/// Whether a Python handler's module is there and mentions its function.
fn python_handler(
    project: &Project,
    function: &Function,
    handler: &PythonHandler,
    plan: &Plan,
) -> Vec<Problem> {
    let module = handler.module_path();
    let here = |message: String| of(project, function, &message);
    let mut problems = Vec::new();
    let source = [format!("{module}.py"), format!("{module}/__init__.py")];
    let Some(file) = source.iter().find_map(|path| plan.source(path)) else {
        if !has_extension_module(plan, &module) {
            let message = format!(
                "{} has neither {} nor {}",
                function.path, source[0], source[1]
            );
            problems.push(here(message).suggest(handler_advice(handler, plan)));
        }
        return problems;
    };
    let name = handler.function();
    if let Ok(code) = project.folder.read(file, limit::DEFINITION_BYTES)
        && !mentions(&String::from_utf8_lossy(&code), name)
    {
        let message = format!("{} never mentions {name}", file.display());
        let advice = format!("define it there: `def {name}(event, context):`");
        problems.push(here(message).suggest(advice).warning());
    }
    problems
}

/// The packages that a function needs, or what is wrong with the file that names them.
fn packages(
    project: &Project,
    function: &Function,
    plan: &Plan,
) -> Result<Vec<Requirement>, Vec<Problem>> {
    let named = function.requirements.as_ref().map(RelativePath::as_path);
    let of_python = function.handler.runtime() == Runtime::Python;
    let usual = || plan.source("requirements.txt").filter(|_| of_python);
    let Some(file) = named.or_else(usual) else {
        return Ok(Vec::new());
    };
    let needed = requirements::read(&read_text(&project.folder, file, limit::DEFINITION_BYTES)?)?;
    if !needed.is_empty() && plan.items.contains_key(Path::new(PACKAGES)) {
        let message = format!("{} holds {PACKAGES}, where its packages go", function.path);
        return Err(vec![of(project, function, &message).suggest("rename it")]);
    }
    Ok(needed)
}

/// Whether the module is a compiled one: `module.*.so`.
fn has_extension_module(plan: &Plan, module: &str) -> bool {
    let (stem, end) = (format!("{module}."), ".so");
    let is_it = |path: &Path| {
        path.to_str()
            .is_some_and(|p| p.starts_with(&stem) && p.ends_with(end))
    };
    plan.items
        .iter()
        .any(|(path, item)| matches!(item, Item::File(_)) && is_it(path))
}

/// Which module may have been meant.
fn handler_advice(handler: &PythonHandler, plan: &Plan) -> String {
    let modules: Vec<&str> = plan
        .items
        .keys()
        .filter_map(|path| path.to_str()?.strip_suffix(".py"))
        .collect();
    let meant = suggest::nearest(&handler.module_path(), modules.iter().copied());
    match meant.or(only(&modules)) {
        Some(module) => {
            let (module, name) = (module.replace('/', "."), handler.function());
            format!("write `handler = \"{module}.{name}\"`, if that was meant")
        }
        None => "create the module, or correct `handler` or `path`".into(),
    }
}

/// Whether a text holds a word.
fn mentions(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .any(|found| found == word)
}
