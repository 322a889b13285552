//! The figures for people and for programs.

use super::numbers::{Summary, Times};
use crate::render::duration::nanoseconds;
use crate::render::table::Table;
use serde::Serialize;

/// All that was measured; this is what `--json` prints.
#[derive(Debug, Serialize)]
pub(super) struct Results {
    keylane: &'static str,
    isolation: &'static str,
    rounds: u32,
    conditions: Conditions,
    ratios: Vec<Ratio>,
    goals: Vec<Goal>,
    times: Vec<Row>,
    missing: Vec<Missing>,
}

/// Where and beside what it was measured.
#[derive(Debug, Serialize)]
struct Conditions {
    cores: usize,
    kernel: String,
    load_before: f64,
    load_after: f64,
}

/// The times of one way to do something, in nanoseconds.
#[derive(Debug, Serialize)]
struct Row {
    bench: &'static str,
    case: String,
    way: String,
    unit: &'static str,
    #[serde(flatten)]
    summary: Summary,
}

/// A ratio: its middle over the rounds, the least and the greatest.
#[derive(Debug, Serialize)]
struct Ratio {
    bench: &'static str,
    case: String,
    what: String,
    p50: f64,
    least: f64,
    greatest: f64,
}

/// What was aimed at, and whether it was met: at most `aim`.
#[derive(Debug, Serialize)]
pub(super) struct Goal {
    bench: &'static str,
    case: String,
    what: String,
    unit: &'static str,
    aim: f64,
    measured: f64,
    met: bool,
}

/// What was not measured, and why.
#[derive(Debug, Serialize)]
struct Missing {
    bench: &'static str,
    way: &'static str,
    why: &'static str,
}

impl Goal {
    /// The middle of times is to be at most `aim` nanoseconds.
    pub(super) fn time(
        bench: &'static str,
        case: &str,
        what: &str,
        times: &Times,
        aim: f64,
    ) -> Option<Goal> {
        let measured = times.summary()?.p50;
        Some(Goal {
            bench,
            case: case.to_owned(),
            what: what.to_owned(),
            unit: "ns",
            aim,
            measured,
            met: measured <= aim,
        })
    }

    fn number(&self, number: f64) -> String {
        match self.unit {
            "ns" => span(number),
            _ => format!("{number:.2}"),
        }
    }
}

/// The average number of processes that wanted to run in the last minute (proc(5)).
fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let first = text.split(' ').next().and_then(|first| first.parse().ok());
    first.unwrap_or_default()
}

/// A span that may be negative, as a difference can be.
fn span(ns: f64) -> String {
    let sign = if ns < 0.0 { "-" } else { "" };
    format!("{sign}{}", nanoseconds(ns.abs() as u64))
}

impl Results {
    /// None so far.
    pub(super) fn begin(rounds: u32) -> Results {
        let cores = keylane_sys::process::cores().map_or(0, |cores| cores.len());
        let kernel = keylane_sys::host::kernel().map_or_else(|_| String::new(), |(r, _)| r);
        Results {
            keylane: env!("CARGO_PKG_VERSION"),
            isolation: "process",
            rounds,
            conditions: Conditions {
                cores,
                kernel,
                load_before: load(),
                load_after: 0.0,
            },
            ratios: Vec::new(),
            goals: Vec::new(),
            times: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// There will be no more.
    pub(super) fn end(&mut self) {
        self.conditions.load_after = load();
    }

    /// Adds the times of one way.
    pub(super) fn times(&mut self, bench: &'static str, case: &str, way: &str, times: &Times) {
        if let Some(summary) = times.summary() {
            self.times.push(Row {
                bench,
                case: case.to_owned(),
                way: way.to_owned(),
                unit: "ns",
                summary,
            });
        }
    }

    /// Adds a ratio and, where there is one, the aim for its middle.
    pub(super) fn ratio(
        &mut self,
        bench: &'static str,
        case: &str,
        what: &str,
        rounds: Vec<f64>,
        aim: Option<f64>,
    ) {
        let least = rounds.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = rounds.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let Some(summary) = Summary::of(rounds) else {
            return;
        };
        self.ratios.push(Ratio {
            bench,
            case: case.to_owned(),
            what: what.to_owned(),
            p50: summary.p50,
            least,
            greatest,
        });
        self.goals.extend(aim.map(|aim| Goal {
            bench,
            case: case.to_owned(),
            what: what.to_owned(),
            unit: "ratio",
            aim,
            measured: summary.p50,
            met: summary.p50 <= aim,
        }));
    }

    /// Adds a goal, if there is something to compare it with.
    pub(super) fn goal(&mut self, goal: Option<Goal>) {
        self.goals.extend(goal);
    }

    /// Says that something was not measured.
    pub(super) fn missing(&mut self, bench: &'static str, way: &'static str, why: &'static str) {
        self.missing.push(Missing { bench, way, why });
    }

    /// One JSON document.
    pub(super) fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// Tables, ratios first.
    pub(super) fn text(&self) -> String {
        let mut ratios = Table::new(
            "Ratios (median of the rounds, least, greatest)",
            &["bench", "case", "ratio", "median", "least", "greatest"],
        );
        for ratio in &self.ratios {
            let [p50, least, greatest] =
                [ratio.p50, ratio.least, ratio.greatest].map(|n| format!("{n:.2}"));
            let (bench, case) = (ratio.bench.to_owned(), ratio.case.clone());
            ratios.row(&[bench, case, ratio.what.clone(), p50, least, greatest]);
        }
        let mut goals = Table::new(
            "Goals (reported; they decide nothing)",
            &["bench", "case", "at most", "", "measured", "met"],
        );
        for goal in &self.goals {
            goals.row(&[
                goal.bench.to_owned(),
                goal.case.clone(),
                goal.number(goal.aim),
                goal.what.clone(),
                goal.number(goal.measured),
                if goal.met { "yes" } else { "no" }.to_owned(),
            ]);
        }
        let mut times = Table::new(
            "Times (p99 is the longest of fewer than 100)",
            &["bench", "case", "way", "p50", "p99", "spread", "samples"],
        );
        for row in &self.times {
            times.row(&[
                row.bench.to_owned(),
                row.case.clone(),
                row.way.clone(),
                span(row.summary.p50),
                span(row.summary.p99),
                format!("{:.0} %", 100.0 * row.summary.spread),
                row.summary.samples.to_string(),
            ]);
        }
        for missing in &self.missing {
            let Missing { bench, way, why } = missing;
            times.note(&format!("{bench}: {way}: not measured: {why}"));
        }
        let conditions = &self.conditions;
        times.note(&format!(
            "keylane {}, isolation {}; {} cores, Linux {}; load {:.2} before, {:.2} after; {} rounds",
            self.keylane,
            self.isolation,
            conditions.cores,
            conditions.kernel,
            conditions.load_before,
            conditions.load_after,
            self.rounds,
        ));
        let text = [ratios.text(), goals.text(), times.text()].concat();
        text.trim_start().to_owned()
    }
}
