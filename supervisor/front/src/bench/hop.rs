//! What one more function in a sequence costs, and what a warm call does.
//!
//! A hop is a difference: the time of a sequence of two Tasks less that of a sequence of one, both as
//! their lane measures them. The functions do nothing, so the floors are the hand-over to another
//! process and back, and for Python one parse and one write of the payload.

use super::handoff::{HandOff, Waiting};
use super::interpreter::{self, Interpreter};
use super::numbers::{Times, ratios, sums};
use super::project::{Language, Project, Warm};
use super::show::Goal;
use super::{Run, Stop, host};
use keylane_policy::reuse::Reuse;
use keylane_sys::process;

/// How often something is done in one round.
pub(super) const BATCH: u32 = 8;

const SIZES: [(usize, &str); 3] = [(64, "64 B"), (4096, "4 KB"), (65536, "64 KB")];

/// What a warm call of a function in Python is to take at most, in nanoseconds, with 64 bytes.
const CALL_AIM: f64 = 100_000.0;

/// JSON of exactly this many bytes, at least 24: small records, as functions hand them on.
pub(super) fn payload(bytes: usize) -> String {
    const FRAME: usize = r#"{"items":[],"pad":""}"#.len();
    let mut items = String::new();
    for number in 100_000.. {
        let comma = if items.is_empty() { "" } else { "," };
        let item = format!(r#"{comma}{{"id":{number},"price":12.25}}"#);
        if items.len() + item.len() + FRAME > bytes {
            break;
        }
        items.push_str(&item);
    }
    let pad = "x".repeat(bytes.saturating_sub(items.len() + FRAME));
    format!(r#"{{"items":[{items}],"pad":"{pad}"}}"#)
}

/// The floors of a hand-over that this host has, with their names.
struct Floors {
    hands: Vec<(&'static str, HandOff, Times)>,
    json: Option<(Interpreter, Times)>,
}

impl Floors {
    fn begin(bytes: usize, language: Language) -> Result<Floors, Stop> {
        let cores = process::cores().map_err(host)?;
        let mut hands = Vec::new();
        let mut add = |name, ping, pong, waiting| -> Result<(), Stop> {
            let pair = HandOff::begin(ping, pong, waiting, bytes).map_err(host)?;
            hands.push((name, pair, Times::default()));
            Ok(())
        };
        if let Some(first) = cores.first() {
            add("floor: futex, same core", *first, *first, Waiting::Sleeps)?;
            if let Some(second) = cores.get(1) {
                add("floor: futex, other core", *first, *second, Waiting::Sleeps)?;
                add(
                    "floor: spinning, other core",
                    *first,
                    *second,
                    Waiting::Spins,
                )?;
            }
        }
        let json = match language == Language::Python && interpreter::is_there() {
            true => Some((Interpreter::begin()?, Times::default())),
            false => None,
        };
        Ok(Floors { hands, json })
    }

    fn round(&mut self, text: &str, counts: bool) -> Result<(), Stop> {
        for (_, pair, times) in &mut self.hands {
            let sample = pair.sample()?;
            if counts {
                times.push(sample);
            }
        }
        if let Some((interpreter, times)) = &mut self.json {
            let sample = interpreter.json(BATCH, text)?;
            if counts {
                times.push(sample);
            }
        }
        Ok(())
    }
}

pub(super) fn measure(run: &mut Run<'_>) -> Result<(), Stop> {
    for (language, word) in [(Language::Python, "Python"), (Language::Native, "native")] {
        if language == Language::Python && !interpreter::is_there() {
            run.results.missing(
                "hop",
                "floors of Python",
                "this host has no python3.11 to run",
            );
        }
        for (bytes, size) in SIZES {
            one_size(run, language, &format!("{word}, {size}"), bytes)?;
        }
    }
    run.results.missing(
        "hop",
        "isolation mpk",
        "needs PKU hardware, and is not built",
    );
    Ok(())
}

fn one_size(run: &mut Run<'_>, language: Language, case: &str, bytes: usize) -> Result<(), Stop> {
    let text = payload(bytes);
    // Before the deployments, so that the children hold nothing of them.
    let mut floors = Floors::begin(bytes, language)?;
    let of_one = Project::sequence(language, 1, Reuse::Warm)?;
    let of_two = Project::sequence(language, 2, Reuse::Warm)?;
    let (mut warm_one, mut warm_two) = (of_one.start()?, of_two.start()?);
    let (mut one, mut two, mut call) = (Times::default(), Times::default(), Times::default());
    for round in 0..=run.rounds {
        run.tell_round(&format!("hop, {case}"), round);
        let counts = round > 0;
        floors.round(&text, counts)?;
        let (mut ones, mut twos, mut calls) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..BATCH {
            let (took, of_call) = execute(&mut warm_one, &text)?;
            ones.push(took);
            calls.push(of_call);
            twos.push(execute(&mut warm_two, &text)?.0);
        }
        if counts {
            one.push(ones);
            two.push(twos);
            call.push(calls);
        }
    }
    warm_one.stop();
    warm_two.stop();
    let hop = two.less(&one);
    let results = &mut *run.results;
    results.times("hop", case, "keylane: one hop (two less one)", &hop);
    results.times("hop", case, "keylane: one call", &call);
    results.times("hop", case, "keylane: sequence of one", &one);
    results.times("hop", case, "keylane: sequence of two", &two);
    let hop = hop.middles();
    for (name, _, times) in &floors.hands {
        results.times("hop", case, name, times);
    }
    let futex = floors.hands.first().map(|(_, _, times)| times.middles());
    if let Some((_, times)) = &floors.json {
        results.times("hop", case, "floor: parse and write JSON in Python", times);
    }
    let json = floors.json.map(|(_, times)| times.middles());
    let compared = match (language, futex, json) {
        (Language::Python, Some(futex), Some(json)) => Some((
            "hop / (futex, same core + JSON in Python)",
            ratios(&hop, &sums(&futex, &json)),
            1.5,
        )),
        (Language::Native, Some(futex), _) => {
            Some(("hop / futex, same core", ratios(&hop, &futex), 1.3))
        }
        _ => None,
    };
    if let Some((what, ratios, aim)) = compared {
        results.ratio("hop", case, what, ratios, Some(aim));
    }
    if language == Language::Python && bytes == 64 {
        results.goal(Goal::time("hop", case, "one call, median", &call, CALL_AIM));
    }
    Ok(())
}

/// Nanoseconds of an execution, and of the calls in it.
fn execute(warm: &mut Warm, text: &str) -> Result<(f64, f64), Stop> {
    let report = warm.execute(text)?;
    let calls: u64 = report
        .functions
        .iter()
        .map(|function| function.total_ns)
        .sum();
    Ok((report.run_ns as f64, calls as f64))
}
