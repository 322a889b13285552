//! Map and Parallel states.

use super::checker::{Checker, Fields};
use super::fields;
use super::machine::Names;
use super::model::{Amount, Kind, Map};
use crate::json::spot;

impl Checker<'_> {
    pub(super) fn parallel(&mut self, state: Fields<'_>, names: &Names<'_>) -> Option<Kind> {
        let work = self.work(state, names);
        let Some(field) = state.get("Branches") else {
            let message = "a Parallel state needs `Branches`".to_owned();
            let advice = "it is an array of objects with `StartAt` and `States`".to_owned();
            self.error_advised(state.spot.start, state.pointer, message, advice);
            return None;
        };
        let elements = match &field.spot.kind {
            spot::Kind::Array(elements) if !elements.is_empty() => elements,
            _ => {
                self.wrong(
                    &field,
                    "`Branches` must be an array of at least one branch".to_owned(),
                );
                return None;
            }
        };
        let mut branches = Vec::new();
        for (place, element) in elements.iter().enumerate() {
            let pointer = format!("{}/{place}", field.pointer);
            if let Some(branch) = self.object(element, &pointer, "a branch") {
                self.only(branch, fields::BRANCH, "a branch");
                branches.push(self.machine(branch));
            }
        }
        Some(Kind::Parallel {
            branches,
            work: Box::new(work?),
        })
    }

    pub(super) fn map(&mut self, state: Fields<'_>, names: &Names<'_>) -> Option<Kind> {
        let mut work = self.work(state, names);
        let selector = match (state.get("ItemSelector"), state.get("Parameters")) {
            (Some(_), Some(parameters)) => {
                let message = "a Map has `ItemSelector` or `Parameters`, not both".to_owned();
                self.error(parameters.key_start, &parameters.pointer, message);
                None
            }
            (Some(_), None) => self.template(state, "ItemSelector"),
            (None, _) => work.as_mut().and_then(|work| work.parameters.take()),
        };
        let items = state
            .get("ItemsPath")
            .and_then(|field| self.expression(&field, "ItemsPath"));
        let count = 0.0..=1.0e9;
        let concurrency = self
            .amount(
                state,
                ["MaxConcurrency", "MaxConcurrencyPath"],
                count.clone(),
                true,
            )
            .unwrap_or(Amount::Fixed(0.0));
        let tolerated_count = self.amount(
            state,
            ["ToleratedFailureCount", "ToleratedFailureCountPath"],
            count,
            true,
        );
        let tolerated_percentage = self.amount(
            state,
            [
                "ToleratedFailurePercentage",
                "ToleratedFailurePercentagePath",
            ],
            0.0..=100.0,
            false,
        );
        let Some((name, field)) = self.one_of(state, &["ItemProcessor", "Iterator"]) else {
            let message = "a Map state needs an `ItemProcessor`".to_owned();
            let advice = "it holds the states that each item goes through".to_owned();
            self.error_advised(state.spot.start, state.pointer, message, advice);
            return None;
        };
        let pointer = field.pointer.clone();
        let processor = self.object(field.spot, &pointer, &format!("`{name}`"))?;
        self.only(processor, fields::PROCESSOR, &format!("an `{name}`"));
        self.processor_config(processor);
        let machine = self.machine(processor);
        Some(Kind::Map(Box::new(Map {
            items,
            selector,
            machine,
            concurrency,
            tolerated_count,
            tolerated_percentage,
            work: work?,
        })))
    }

    fn processor_config(&mut self, processor: Fields<'_>) {
        let Some(field) = processor.get("ProcessorConfig") else {
            return;
        };
        let pointer = field.pointer.clone();
        let Some(config) = self.object(field.spot, &pointer, "`ProcessorConfig`") else {
            return;
        };
        self.only(config, &["Mode", "ExecutionType"], "`ProcessorConfig`");
        if let Some(mode) = config.get("Mode") {
            match mode.spot.as_str() {
                Some("INLINE") => {}
                Some("DISTRIBUTED") => self.wrong(
                    &mode,
                    "`Mode` DISTRIBUTED is not supported by Keylane; INLINE is".to_owned(),
                ),
                _ => self.wrong(&mode, "`Mode` must be INLINE".to_owned()),
            }
        }
        if let Some(kind) = config.get("ExecutionType") {
            let message = "`ExecutionType` belongs to `Mode` DISTRIBUTED, which Keylane does not \
                           support";
            self.error(kind.key_start, &kind.pointer, message.to_owned());
        }
    }
}
