//! The fuzz targets over their seeds and a fixed number of mutations of them, in the ordinary test
//! run.

#![cfg(test)]

use keylane_fuzz_oracles::mutate::Mutator;
use keylane_fuzz_oracles::{Verdict, planted};
use keylane_fuzz_oracles::{channel, definition, execution, expression, json, path, single, wire};
use keylane_fuzz_oracles::{findings, memory, policy, scan};
use keylane_workflow::Data;
use std::path::Path;

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../corpus")
        .join(target);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| std::fs::read(file).unwrap())
        .collect()
}

/// The first input that an oracle finds something with, among the seeds and their mutations.
fn found(target: &str, check: fn(&[u8]) -> Verdict, count: usize) -> Option<String> {
    let seeds = seeds(target);
    assert!(!seeds.is_empty(), "{target} has no seeds");
    let mut mutator = Mutator::new(1);
    let made = (0..count).map(|_| mutator.next(&seeds)).collect::<Vec<_>>();
    seeds.iter().chain(&made).find_map(|data| {
        let why = check(data).err()?;
        Some(format!("{why}\nfor {:?}", String::from_utf8_lossy(data)))
    })
}

#[test]
fn the_check_of_definitions_explains_whatever_it_is_given() {
    assert_eq!(found("definition", definition::check, 6000), None);
}

#[test]
fn paths_select_what_a_plain_reading_says() {
    assert_eq!(found("path", path::check, 6000), None);
}

#[test]
fn intrinsic_functions_agree_with_each_other() {
    assert_eq!(found("expression", expression::check, 4000), None);
}

#[test]
fn executions_tell_a_history_that_fits_together_and_do_the_same_again() {
    assert_eq!(found("execution", execution::check, 4000), None);
}

#[test]
fn json_is_read_as_another_reader_reads_it() {
    assert_eq!(found("json", json::check, 20_000), None);
}

#[test]
fn messages_are_read_as_they_were_written() {
    assert_eq!(found("wire", wire::check, 20_000), None);
}

#[test]
fn headers_of_channels_are_believed_within_bounds_only() {
    assert_eq!(found("channel", channel::check, 20_000), None);
}

#[test]
fn the_scanner_finds_what_a_slow_reference_finds_wherever_a_region_is_cut() {
    assert_eq!(found("scan", scan::check, 20_000), None);
}

#[test]
fn what_a_files_mapping_makes_executable_is_found_as_a_slow_map_of_memory_says() {
    assert_eq!(found("findings", findings::check, 3000), None);
}

#[test]
fn whatever_domains_ask_the_pages_are_what_the_ledger_says_and_no_rule_is_broken() {
    assert_eq!(found("memory", memory::check, 20_000), None);
}

#[test]
fn policies_grant_what_they_name_and_projects_get_no_more() {
    assert_eq!(found("policy", policy::check, 6000), None);
}

#[test]
fn the_planted_bug_is_found_so_that_a_run_without_findings_means_something() {
    assert!(found("planted", planted::check, 20_000).is_some());
}

#[test]
fn seeds_and_mutations_reach_what_is_accepted_and_what_is_refused() {
    for seed in seeds("wire") {
        assert_eq!(wire::read(&seed), Ok(true), "{seed:?}");
    }
    for seed in seeds("definition") {
        assert!(
            definition::answer(&seed).0,
            "{}",
            String::from_utf8_lossy(&seed)
        );
    }
    type Accepts = fn(&[u8]) -> bool;
    let accepts: [(&str, Accepts); 6] = [
        ("policy", |data| {
            policy::answer(data).is_some_and(|it| it.is_ok())
        }),
        ("definition", |data| definition::answer(data).0),
        ("wire", |data| wire::read(data) == Ok(true)),
        ("json", |data| Data::from_untrusted(data.to_vec()).is_ok()),
        ("path", evaluates),
        ("expression", evaluates),
    ];
    for (target, accepts) in accepts {
        let seeds = seeds(target);
        let mut mutator = Mutator::new(2);
        let accepted = (0..1000).filter(|_| accepts(&mutator.next(&seeds))).count();
        assert!(
            (20..980).contains(&accepted),
            "{target}: {accepted} of 1000"
        );
    }
}

fn evaluates(data: &[u8]) -> bool {
    single::parted(data).is_some_and(|(expression, input)| {
        matches!(
            single::evaluate(expression, &input),
            single::Outcome::Value(_)
        )
    })
}
