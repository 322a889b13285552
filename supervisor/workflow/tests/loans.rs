//! Branches that other lanes run: whoever runs them, the output is the same.

#![cfg(test)]

mod support;

use keylane_workflow::{
    Data, Definition, Detail, Event, Execution, Failed, FanId, Loan, LoanBranch, Poll,
};
use serde_json::{Value, json};
use std::sync::Arc;
use support::{START, definition, fail, finish, start};

/// A Map whose branches read everything that a loan must carry, with fan-outs inside.
fn everything() -> Value {
    json!({
        "StartAt": "V",
        "States": {
            "V": {"Type": "Pass", "Assign": {"base.$": "$.base", "unused": [1, 2, 3]}, "Next": "M"},
            "M": {
                "Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 7,
                "ItemSelector": {
                    "v.$": "$$.Map.Item.Value", "i.$": "$$.Map.Item.Index",
                    "random.$": "States.MathRandom(0, 1000000)",
                },
                "ItemProcessor": {"StartAt": "T", "States": {
                    "T": {
                        "Type": "Task", "Resource": "f", "ResultPath": "$.t", "Next": "U",
                        "Retry": [{"ErrorEquals": ["Again"], "JitterStrategy": "FULL"}],
                        "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.e", "Next": "U"}],
                    },
                    "U": {
                        "Type": "Pass", "Next": "P", "ResultPath": "$.p",
                        "Parameters": {
                            "base.$": "$base", "first.$": "$$.Execution.Input.items[0]",
                            "name.$": "$$.Execution.Name", "again.$": "$$.Map.Item.Value",
                            "id.$": "States.UUID()",
                        },
                    },
                    "P": {
                        "Type": "Parallel", "End": true, "ResultPath": "$.q",
                        "Branches": [
                            {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "Next": "X"},
                                "X": {"Type": "Pass", "Parameters": {"id.$": "States.UUID()"}, "End": true}}},
                            {"StartAt": "N", "States": {"N": {
                                "Type": "Map", "ItemsPath": "States.Array(1, 2)", "End": true,
                                "Iterator": {"StartAt": "Y", "States": {"Y": {
                                    "Type": "Pass", "End": true,
                                    "Parameters": {"n.$": "States.MathAdd($, $base)"}}}},
                            }}},
                        ],
                    },
                }},
                "End": true,
            },
        },
    })
}

fn function(event: &Value) -> support::Answer {
    match event["v"].as_i64() {
        Some(n) if n % 5 == 3 => fail("Broken", "three"),
        Some(n) => Ok(json!({"squared": n * n})),
        None => fail("NoNumber", "?"),
    }
}

struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("fits") % bound
    }
}

/// What a lane does with a branch that it borrowed: all that crosses is bytes.
fn borrowed(
    definition: &Arc<Definition>,
    machine: &str,
    branch: &LoanBranch,
) -> Result<Data, Failed> {
    let input = Data::from_untrusted(branch.input.text().to_vec()).expect("valid");
    let loan = one(machine, branch.index, &branch.scope, input);
    let (mut execution, _) = Execution::borrow(definition.clone(), loan).expect("a branch");
    let _nothing_or_the_same_error = finish(&mut execution, |_, event| function(event));
    let (index, outcome) = execution.take_borrowed().remove(0);
    assert_eq!(index, branch.index);
    outcome.map(|data| Data::from_untrusted(data.text().to_vec()).expect("valid"))
}

fn one(machine: &str, index: u64, scope: &[u8], input: Data) -> Loan {
    let (machine, scope) = (machine.to_owned(), scope.to_vec());
    let branches = vec![LoanBranch {
        index,
        input,
        scope,
    }];
    Loan {
        machine,
        branches,
        tolerant: false,
    }
}

/// Runs with loans taken, repaid, lost and answered twice at random.
fn with_loans(definition: &Arc<Definition>, input: &Value, seed: u64) -> Value {
    let mut draw = Draw(seed);
    let mut execution = start(definition, input.clone());
    let mut lent: Vec<(FanId, String, LoanBranch)> = Vec::new();
    let mut now = START;
    let mut loans = 0;
    loop {
        for fan in execution.fans() {
            if draw.below(3) == 0 {
                let Some(loan) = execution.lend(fan.id, 1 + draw.below(4)) else {
                    continue;
                };
                assert!(u64::try_from(loan.branches.len()).expect("fits") <= fan.lendable);
                loans += 1;
                lent.extend(
                    loan.branches
                        .into_iter()
                        .map(|b| (fan.id, loan.machine.clone(), b)),
                );
            }
        }
        while !lent.is_empty() && draw.below(2) == 0 {
            let place = draw.below(lent.len());
            let (fan, machine, branch) = lent.swap_remove(place);
            if draw.below(4) == 0 {
                execution.unlend(fan, branch.index);
            } else {
                let result = borrowed(definition, &machine, &branch);
                execution.repay(fan, branch.index, result.clone(), now);
                execution.repay(fan, branch.index, result, now);
                execution.unlend(fan, branch.index);
            }
        }
        match execution.poll(now) {
            Poll::Call(call) => {
                let answer = function(call.input.value()).map(Data::from_value);
                execution.complete(call.id, answer, now);
            }
            Poll::Idle { wake_at_ns } => now = now.max(wake_at_ns.unwrap_or(now)),
            Poll::Cancel(id) => panic!("{id:?}"),
            Poll::Done => break,
        }
    }
    assert!(loans > 0, "seed {seed} lent nothing");
    execution
        .outcome()
        .expect("over")
        .expect("succeeds")
        .value()
        .clone()
}

#[test]
fn loans_in_any_order_give_the_output_of_a_local_run() {
    let definition = definition(&everything(), &["f"]);
    let items: Vec<i64> = (0..24).collect();
    let input = json!({"items": items, "base": 100});
    let local =
        finish(&mut start(&definition, input.clone()), |_, e| function(e)).expect("succeeds");
    let results = local.as_array().expect("array");
    assert_eq!(results[1]["t"], json!({"squared": 1}));
    assert_eq!(
        results[3]["e"],
        json!({"Error": "Broken", "Cause": "three"})
    );
    assert_eq!(results[2]["q"][1], json!([{"n": 101}, {"n": 102}]));
    assert_ne!(results[1]["p"]["id"], results[2]["p"]["id"]);
    assert_ne!(results[1]["random"], results[2]["random"]);
    for seed in 0..150 {
        assert_eq!(with_loans(&definition, &input, seed), local, "seed {seed}");
    }
}

fn simple(fields: Value) -> Value {
    let mut state = fields;
    state["Type"] = json!("Map");
    state["End"] = json!(true);
    state["ItemProcessor"] =
        json!({"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "f", "End": true}}});
    json!({"StartAt": "M", "States": {"M": state}})
}

#[test]
fn loans_come_from_the_end_and_count_against_the_concurrency() {
    let definition = definition(&simple(json!({"MaxConcurrency": 3})), &["f"]);
    let mut execution = start(&definition, json!([0, 1, 2, 3, 4, 5]));
    let Poll::Call(first) = execution.poll(START) else {
        panic!("a call")
    };
    let fan = execution.fans().remove(0);
    assert_eq!(
        (fan.pointer.as_str(), fan.state.as_str()),
        ("/States/M", "M")
    );
    assert_eq!((fan.total, fan.started, fan.lendable), (6, 1, 2));
    let loan = execution.lend(fan.id, 10).expect("a loan");
    assert_eq!(loan.machine, "/States/M/ItemProcessor");
    let indices: Vec<u64> = loan.branches.iter().map(|branch| branch.index).collect();
    assert_eq!(indices, [5, 4]);
    assert!(execution.lend(fan.id, 10).is_none());
    assert!(matches!(
        execution.poll(START),
        Poll::Idle { wake_at_ns: None }
    ));
    execution.repay(fan.id, 5, Ok(Data::from_value(json!("five"))), START);
    let Poll::Call(second) = execution.poll(START) else {
        panic!("a call")
    };
    assert_eq!(second.input.value(), &json!(1));
    execution.unlend(fan.id, 4);
    let Poll::Call(third) = execution.poll(START) else {
        panic!("a call")
    };
    assert_eq!(third.input.value(), &json!(2));
    for call in [first, second, third] {
        execution.complete(call.id, Ok(call.input), START);
    }
    let output = finish(&mut execution, |_, event| Ok(event.clone()));
    assert_eq!(output, Ok(json!([0, 1, 2, 3, 4, "five"])));
}

#[test]
fn a_lent_branch_that_fails_fails_the_state_and_what_is_still_lent_is_forgotten() {
    let text = {
        let mut text = simple(json!({"Catch": [{"ErrorEquals": ["E"], "Next": "C"}]}));
        text["States"]["C"] = json!({"Type": "Succeed"});
        text
    };
    let definition = definition(&text, &["f"]);
    let mut execution = start(&definition, json!([0, 1, 2]));
    execution.set_detail(Detail::Fans);
    let Poll::Call(call) = execution.poll(START) else {
        panic!("a call")
    };
    let fan = execution.fans().remove(0);
    assert_eq!(execution.lend(fan.id, 2).expect("a loan").branches.len(), 2);
    let failed = Failed {
        error: "E".to_owned(),
        cause: "why".to_owned(),
        state: Some("T".to_owned()),
        pointer: Some("/States/M/ItemProcessor/States/T".to_owned()),
        function: Some(0),
    };
    execution.repay(fan.id, 2, Err(failed), START + 5);
    assert!(matches!(execution.poll(START), Poll::Cancel(id) if id == call.id));
    execution.repay(fan.id, 1, Ok(Data::from_value(json!(1))), START);
    assert!(matches!(execution.poll(START), Poll::Done));
    let output = execution.outcome().expect("over").expect("caught").value();
    assert_eq!(output, &json!({"Error": "E", "Cause": "why"}));
    let told: Vec<(u64, bool)> = execution
        .take_events()
        .into_iter()
        .filter_map(|event| match event {
            Event::BranchEnded {
                index,
                lent: true,
                failed: true,
                started_ns,
                ended_ns,
                ..
            } => Some((index, started_ns + 5 == ended_ns)),
            Event::FanEnded { total, failed, .. } => Some((total, failed)),
            _ => None,
        })
        .collect();
    assert_eq!(told, [(2, true), (3, true)]);
}

#[test]
fn a_scope_carries_only_what_the_branch_can_read() {
    let lend = |processor: Value| {
        let text = json!({
            "StartAt": "V",
            "States": {
                "V": {"Type": "Pass", "Assign": {"seen": "SEEN", "hidden": "HIDDEN"}, "Next": "M"},
                "M": {"Type": "Map", "ItemsPath": "$.items", "End": true, "ItemProcessor": processor},
            },
        });
        let definition = definition(&text, &["f"]);
        let mut execution = start(
            &definition,
            json!({"items": ["ITEM", "OTHER"], "in": "INPUT"}),
        );
        while !matches!(execution.poll(START), Poll::Call(_)) {}
        let fan = execution.fans().remove(0).id;
        let loan = execution.lend(fan, 1).expect("a loan");
        String::from_utf8(loan.branches[0].scope.clone()).expect("text")
    };
    let task = json!({"Type": "Task", "Resource": "f", "End": true});
    let plain = lend(json!({"StartAt": "T", "States": {"T": task.clone()}}));
    for word in ["SEEN", "HIDDEN", "INPUT", "OTHER"] {
        assert!(!plain.contains(word), "{word} in {plain}");
    }
    let mut reading = task;
    reading["Parameters"] =
        json!({"a.$": "$seen", "b.$": "$$.Execution.Input.in", "c.$": "$$.Map.Item.Value"});
    let mut filtering = reading.clone();
    filtering["Parameters"] = json!({"a.$": "$[?(@.x == $$.Execution.Input.in && @.y == $seen)]"});
    let filtered = lend(json!({"StartAt": "T", "States": {"T": filtering}}));
    assert!(
        filtered.contains("SEEN") && filtered.contains("INPUT"),
        "{filtered}"
    );
    let full = lend(json!({"StartAt": "T", "States": {"T": reading}}));
    for (word, there) in [
        ("SEEN", true),
        ("HIDDEN", false),
        ("INPUT", true),
        ("OTHER", true),
    ] {
        assert_eq!(full.contains(word), there, "{word} in {full}");
    }
}

#[test]
fn a_scope_that_was_tampered_with_is_refused_and_never_panics() {
    let definition = definition(&everything(), &["f"]);
    let mut execution = start(&definition, json!({"items": [1, 2], "base": 1}));
    while !matches!(execution.poll(START), Poll::Call(_)) {}
    let fan = execution.fans().remove(0).id;
    let loan = execution.lend(fan, 1).expect("a loan");
    let (machine, scope) = (loan.machine.as_str(), &loan.branches[0].scope);
    let open = |machine: &str, scope: &[u8]| {
        let loan = one(machine, 7, scope, Data::from_value(json!({})));
        Execution::borrow(definition.clone(), loan).is_ok()
    };
    assert!(open(machine, scope));
    assert!(!open("/States/None", scope));
    for scope in [
        &b""[..],
        b"{}",
        b"[]",
        b"null",
        b"\xff",
        &scope[..scope.len() - 1],
    ] {
        assert!(!open(machine, scope));
    }
    let mut draw = Draw(9);
    for _ in 0..2000 {
        let mut scope = scope.clone();
        let place = draw.below(scope.len());
        scope[place] = u8::try_from(draw.below(256)).expect("a byte");
        open(machine, &scope);
    }
}

/// Takes a loan of `most` branches of the first fan-out of a definition.
fn loan_of(definition: &Arc<Definition>, input: Value, most: usize) -> (Execution, FanId, Loan) {
    let mut execution = start(definition, input);
    let _the_first_wish = execution.poll(START);
    let fan = execution.fans().remove(0).id;
    let loan = execution.lend(fan, most).expect("a loan");
    (execution, fan, loan)
}

#[test]
fn branches_of_a_loan_wait_together_and_count_no_wait_as_work() {
    let mut text = simple(json!({}));
    let processor = &mut text["States"]["M"]["ItemProcessor"];
    processor["States"]["T"] = json!({"Type": "Task", "Resource": "f", "Next": "W"});
    processor["States"]["W"] = json!({"Type": "Wait", "Seconds": 60, "End": true});
    let definition = definition(&text, &["f"]);
    let (_, _, loan) = loan_of(&definition, json!([0, 1, 2, 3, 4, 5, 6, 7, 8]), 8);
    let (mut execution, own) = Execution::borrow(definition, loan).expect("branches");
    let (call_ns, mut now, mut calls) = (1000, START, 0);
    loop {
        match execution.poll(now) {
            Poll::Call(call) => {
                calls += 1;
                now += call_ns;
                execution.complete(call.id, Ok(call.input), now);
            }
            Poll::Idle { wake_at_ns } => now = wake_at_ns.expect("an instant"),
            Poll::Cancel(id) => panic!("{id:?}"),
            Poll::Done => break,
        }
    }
    assert_eq!(calls, 8);
    let took = now - START;
    assert!(
        took < 2 * 60 * support::SECOND,
        "one after the other: {took}"
    );
    let worked: Vec<u64> = execution
        .take_events()
        .into_iter()
        .filter_map(|event| match event {
            Event::BranchEnded { fan, worked_ns, .. } if fan == own => Some(worked_ns),
            _ => None,
        })
        .collect();
    assert_eq!(worked, [call_ns; 8]);
    let mut ended = execution.take_borrowed();
    ended.sort_by_key(|(index, _)| *index);
    let outputs: Vec<(u64, Value)> = ended
        .into_iter()
        .map(|(index, outcome)| (index, outcome.expect("succeeds").value().clone()))
        .collect();
    let expected: Vec<(u64, Value)> = (1..9).map(|n| (n, json!(n))).collect();
    assert_eq!(outputs, expected);
}

#[test]
fn an_error_of_a_lent_branch_names_the_inner_state_and_its_function() {
    let definition = definition(&simple(json!({})), &["f"]);
    let (mut lender, fan, loan) = loan_of(&definition, json!([0, 1]), 1);
    let (mut borrower, _) = Execution::borrow(definition, loan).expect("branches");
    let _the_same_error = finish(&mut borrower, |_, _| fail("E", "why"));
    for (index, outcome) in borrower.take_borrowed() {
        lender.repay(fan, index, outcome, START);
    }
    let failed = finish(&mut lender, |_, event| Ok(event.clone())).expect_err("fails");
    assert_eq!(failed.error, "E");
    assert_eq!(failed.state.as_deref(), Some("T"));
    assert_eq!(
        failed.pointer.as_deref(),
        Some("/States/M/ItemProcessor/States/T")
    );
    assert_eq!(failed.function, Some(0));
}

#[test]
fn a_failed_branch_stops_the_rest_of_its_loan_unless_the_state_tolerates_failures() {
    for (fields, ended) in [(json!({}), 2), (json!({"ToleratedFailureCount": 3}), 5)] {
        let definition = definition(&simple(fields), &["f"]);
        let (_, _, loan) = loan_of(&definition, json!([0, 1, 2, 3, 4, 5]), 5);
        assert_eq!(loan.tolerant, ended == 5);
        let (mut execution, _) = Execution::borrow(definition, loan).expect("branches");
        let _of_no_matter = finish(&mut execution, |_, event| match event.as_u64() {
            Some(2) => fail("E", "why"),
            _ => Ok(event.clone()),
        });
        let told = execution.take_borrowed();
        assert_eq!(told.len(), ended);
        let failed: Vec<u64> = told
            .iter()
            .filter(|(_, outcome)| outcome.is_err())
            .map(|(index, _)| *index)
            .collect();
        assert_eq!(failed, [2]);
    }
}
