//! The report of an execution, as a lane sent it and as a person or a program reads it.
//!
//! An attacker controls: every text of a report, and, if the lane was taken, the report itself.

use super::{duration, escape, pretty};
use crate::exit::Exit;
use crate::history::{Event, History};
use crate::json;
use keylane_policy::blame::{Blame, Failure};
use keylane_policy::denial::{Denial, Denials};
use keylane_policy::limit;
use keylane_policy::report::{ErrorReport, FanReport, FunctionCalls, Report, Status};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Bytes of a pointer that are shown; a lane that was taken over may send any number.
const POINTER_BYTES: usize = 1024;

/// What the front knows about an execution beside the lane's report.
#[derive(Clone, Debug)]
pub struct Context<'c> {
    /// What the operator asked for: `run docs/examples/finra`.
    pub asked: &'c str,
    /// The workflow's name.
    pub workflow: &'c str,
    /// Lanes of the deployment.
    pub lanes: usize,
    /// Nanoseconds from the input to the report, as the front measured them.
    pub wall_ns: u64,
    /// What happened, if it was recorded.
    pub history: Option<&'c History>,
    /// Calls that functions were denied.
    pub denials: Option<&'c Denials>,
}

/// A report from a lane's bytes, believed only as far as it is a report with JSON in it.
pub fn accept(bytes: &[u8]) -> Result<Report, Failure> {
    let broken = |cause: String| {
        Failure::new(Blame::Bug, "reading the report of an execution", cause)
            .advise("if it happens again, report it with the workflow that shows it")
    };
    let report: Report = serde_json::from_slice(bytes)
        .map_err(|error| broken(format!("the lane sent no report: {error}")))?;
    match (report.status, &report.output, &report.error) {
        (Status::Succeeded, Some(output), None) => json::check(output.as_bytes())
            .map_err(|fault| broken(format!("the output is not JSON: {fault}")))?,
        (Status::Failed | Status::Cancelled, None, Some(_)) | (Status::Cancelled, None, None) => {}
        _ => {
            return Err(broken(
                "status, output and error contradict each other".into(),
            ));
        }
    }
    Ok(report)
}

/// The exit code that a report stands for. Who cancelled an execution knows better.
pub fn exit(report: &Report) -> Exit {
    match (report.status, &report.error) {
        (Status::Succeeded, _) => Exit::Done,
        (Status::Cancelled, _) => Exit::Operator,
        (Status::Failed, Some(error)) => Exit::during(error.blame),
        (Status::Failed, None) => Exit::Bug,
    }
}

/// The output for standard output: indented JSON, its line ended.
pub fn output(report: &Report) -> Option<String> {
    let output = report.output.as_deref()?;
    Some(format!("{}\n", escape::json(&pretty::pretty(output))))
}

/// What goes to standard error when an execution failed: the failure with its details.
pub fn failure(report: &Report, context: &Context<'_>) -> Option<String> {
    let error = report.error.as_ref()?;
    let cut = |name: &str| escape::cut(name, limit::ERROR_NAME_BYTES).into_owned();
    let function = error
        .function
        .as_ref()
        .map(|name| format!("function \"{}\"", cut(name)));
    let state = error
        .state
        .as_ref()
        .map(|name| format!("state \"{}\"", cut(name)));
    let doing = match (function, state) {
        (Some(function), Some(state)) => format!("{function} in {state}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => format!("workflow {}", context.workflow),
    };
    let cause = Cause::read(&error.cause);
    let first = cause.message.lines().next().unwrap_or_default();
    let mut text = format!(
        "{}: {first}",
        escape::cut(&error.error, limit::ERROR_NAME_BYTES)
    );
    for line in cause
        .message
        .lines()
        .skip(1)
        .chain(cause.trace.iter().flat_map(|f| f.lines()))
    {
        text.push_str(&format!("\n{line}"));
    }
    let failure = Failure::new(error.blame, doing, text).advise(advice(error));
    let mut shown = super::failure::failure(context.asked, &failure);
    if let Some(pointer) = &error.pointer {
        let pointer = escape::cut(pointer, POINTER_BYTES);
        shown.push_str(&format!("  at: {}\n", escape::line(&pointer)));
    }
    Some(shown)
}

/// What to do about an error that nothing caught.
fn advice(error: &ErrorReport) -> String {
    let name = &error.error;
    match (error.blame, &error.function) {
        (Blame::Function, _) if name == "States.Timeout" => {
            "give it more time (`timeout` in keylane.toml, `TimeoutSeconds` in the state), or find \
             what keeps it"
                .into()
        }
        (Blame::Function, Some(function)) => {
            format!("mend {function}, or let the state catch {name:?} with `Catch`")
        }
        (Blame::Function | Blame::Workflow, _) => {
            "mend the workflow or its input; `keylane validate` shows what can be seen beforehand"
                .into()
        }
        (Blame::Operator, _) => "raise the limit that was met, or run with less".into(),
        (Blame::Host, _) => "see `keylane doctor`".into(),
        (Blame::Bug, _) => "report it with the workflow that shows it".into(),
    }
}

/// A cause as a function's error carries it (Lambda's runtime API), or plain text.
#[derive(Deserialize)]
pub(crate) struct Cause {
    /// What the function said.
    #[serde(rename = "errorMessage")]
    pub(crate) message: String,
    /// Where, frame by frame.
    #[serde(rename = "stackTrace", default)]
    pub(crate) trace: Vec<String>,
}

impl Cause {
    pub(crate) fn read(cause: &str) -> Cause {
        let plain = || Cause {
            message: cause.to_owned(),
            trace: Vec::new(),
        };
        serde_json::from_str(cause).unwrap_or_else(|_not_json| plain())
    }
}

/// The one line that sums an execution up.
pub fn summary(report: &Report, context: &Context<'_>) -> String {
    let how = match report.status {
        Status::Succeeded => "succeeded in",
        Status::Failed => "failed after",
        Status::Cancelled => "cancelled after",
    };
    let calls: u64 = report
        .functions
        .iter()
        .fold(0, |sum, f| sum.saturating_add(f.calls));
    let mut text = format!(
        "{}: {how} {}; {}, {}",
        context.workflow,
        duration::nanoseconds(context.wall_ns),
        count(calls, "call"),
        count(context.lanes as u64, "lane"),
    );
    if let Some(fan) = report.fans.iter().max_by_key(|fan| fan.branches) {
        text.push_str(&format!(
            "; {}: {}",
            escape::cut(&fan.pointer, POINTER_BYTES),
            escape::cut(&fan.decision, 400)
        ));
        if report.fans.len() > 1 {
            text.push_str(&format!(" (and {} more fan-outs)", report.fans.len() - 1));
        }
    }
    escape::line(&text).into_owned()
}

fn count(number: u64, what: &str) -> String {
    if number == 1 {
        format!("1 {what}")
    } else {
        format!("{number} {what}s")
    }
}

/// What `run --json` prints; docs/CLI.md describes it.
#[derive(Serialize)]
struct Document<'r> {
    status: Status,
    output: Option<&'r RawValue>,
    error: &'r Option<ErrorReport>,
    exit: u8,
    workflow: &'r str,
    isolation: &'static str,
    lanes: usize,
    wall_ns: u64,
    run_ns: u64,
    functions: &'r [FunctionCalls],
    fans: &'r [FanReport],
    denials: &'r [Denial],
    denials_more: u64,
    events: Option<&'r [Event]>,
    events_dropped: u64,
}

/// The report as a JSON document, its line ended: indented, or on one line for `--stream`.
pub fn json(report: &Report, context: &Context<'_>, one_line: bool) -> Result<String, Failure> {
    let write = || {
        let output = report
            .output
            .as_deref()
            .map(serde_json::from_str::<&RawValue>)
            .transpose()?;
        serde_json::to_string(&Document {
            status: report.status,
            output,
            error: &report.error,
            exit: exit(report).code(),
            workflow: context.workflow,
            isolation: "process",
            lanes: context.lanes,
            wall_ns: context.wall_ns,
            run_ns: report.run_ns,
            functions: &report.functions,
            fans: &report.fans,
            denials: context.denials.map_or(&[], |denials| &denials.records),
            denials_more: context.denials.map_or(0, |denials| denials.more),
            events: context.history.map(|history| history.events.as_slice()),
            events_dropped: context.history.map_or(0, |history| history.dropped),
        })
    };
    let text = write().map_err(|error: serde_json::Error| {
        Failure::new(Blame::Bug, "writing the report", error.to_string())
    })?;
    Ok(document(&text, one_line))
}

/// A JSON text for standard output: escaped, indented or on one line, its line ended.
pub fn document(text: &str, one_line: bool) -> String {
    // An output may hold line ends between its tokens.
    let text = if one_line {
        pretty::compact(text)
    } else {
        pretty::pretty(text)
    };
    format!("{}\n", escape::json(&text))
}
