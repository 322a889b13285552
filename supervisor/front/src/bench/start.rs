//! From a project on disk to its first answer: checking, staging, jails, interpreters, lane, call.

use super::interpreter;
use super::numbers::{Times, ratios};
use super::project::{Language, Project};
use super::{Run, Stop};
use keylane_policy::reuse::Reuse;
use std::time::Instant;

const EVENT: &str = r#"{"n":1}"#;

pub(super) fn measure(run: &mut Run<'_>) -> Result<(), Stop> {
    let cases = [("Python", Language::Python), ("native", Language::Native)];
    for (case, language) in cases {
        let project = Project::sequence(language, 1, Reuse::Warm)?;
        let floors = language == Language::Python && interpreter::is_there();
        let (mut cold, mut bare, mut plain) =
            (Times::default(), Times::default(), Times::default());
        for round in 0..=run.rounds {
            run.tell_round(&format!("start, {case}"), round);
            let begun = Instant::now();
            let mut warm = project.start()?;
            warm.execute(EVENT)?;
            let took = begun.elapsed().as_nanos() as f64;
            warm.stop();
            let floor = match floors {
                true => Some((
                    interpreter::start(true, EVENT)?,
                    interpreter::start(false, EVENT)?,
                )),
                false => None,
            };
            if round > 0 {
                cold.push(vec![took]);
                if let Some((nothing, answer)) = floor {
                    bare.push(vec![nothing]);
                    plain.push(vec![answer]);
                }
            }
        }
        let results = &mut *run.results;
        results.times(
            "start",
            case,
            "keylane: project on disk to first answer",
            &cold,
        );
        if floors {
            results.times("start", case, "floor: python3.11 -I -S, nothing", &bare);
            results.times("start", case, "floor: python3.11 -I, one answer", &plain);
            let ratios = ratios(&cold.middles(), &plain.middles());
            results.ratio(
                "start",
                case,
                "cold / plain interpreter's answer",
                ratios,
                None,
            );
        }
    }
    Ok(())
}
