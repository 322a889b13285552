//! Task states: which function a `Resource` names.

use super::checker::{Checker, Field, Fields};
use super::machine::Names;
use super::model::{Amount, Target, Task};
use super::values::SECONDS;
use crate::json::spot::child_pointer;

/// The resource that calls the function which the parameters name.
const INVOKE: &str = "arn:aws:states:::lambda:invoke";

/// The service of an ARN and all that follows it: `arn:PARTITION:SERVICE...`. The partition is
/// where a definition was deployed (`aws`, `aws-cn`, `aws-us-gov`), which means nothing here.
fn service(resource: &str) -> Option<&str> {
    let (partition, service) = resource.strip_prefix("arn:")?.split_once(':')?;
    partition.starts_with("aws").then_some(service)
}

/// The function that a Task's `Resource` names; none if it names something else, or leaves the
/// name to the parameters.
pub fn resource_function(resource: &str) -> Option<&str> {
    if resource.is_empty() {
        return None;
    }
    if resource.starts_with("arn:") {
        service(resource).filter(|rest| rest.starts_with("lambda:"))?;
        return Some(function_name(resource));
    }
    match resource.starts_with("function:") {
        true => Some(function_name(resource)),
        false => Some(resource),
    }
}

/// What `lambda:invoke` takes.
const INVOKE_PARAMETERS: [&str; 6] = [
    "FunctionName",
    "Payload",
    "InvocationType",
    "LogType",
    "Qualifier",
    "ClientContext",
];

/// The name in a function's ARN, a partial ARN (`account:function:name`), or the name itself.
pub fn function_name(resource: &str) -> &str {
    match resource.find("function:") {
        Some(at)
            if at == 0
                || resource
                    .get(..at)
                    .is_some_and(|before| before.ends_with(':')) =>
        {
            let name = resource.get(at + "function:".len()..).unwrap_or("");
            name.split(':').next().unwrap_or("")
        }
        // A name with a qualifier.
        _ => resource.split(':').next().unwrap_or(""),
    }
}

impl Checker<'_> {
    pub(super) fn task(&mut self, state: Fields<'_>, names: &Names<'_>) -> Option<Task> {
        let target = match state.get("Resource") {
            Some(resource) => self.resource(&resource, state),
            None => {
                let message = "a Task state needs a `Resource`".to_owned();
                let advice = "name one of the project's functions".to_owned();
                self.error_advised(state.spot.start, state.pointer, message, advice);
                None
            }
        };
        if let Some(credentials) = state.get("Credentials") {
            self.warn(
                credentials.key_start,
                &credentials.pointer,
                "`Credentials` means nothing here: a function has what its profile names"
                    .to_owned(),
                "remove it".to_owned(),
            );
        }
        let names_of = |name: &'static str, path: &'static str| [name, path];
        let timeout = self.amount(
            state,
            names_of("TimeoutSeconds", "TimeoutSecondsPath"),
            1.0..=SECONDS,
            true,
        );
        let heartbeat = self.amount(
            state,
            names_of("HeartbeatSeconds", "HeartbeatSecondsPath"),
            1.0..=SECONDS,
            true,
        );
        if let (Some(Amount::Fixed(heartbeat)), Some(Amount::Fixed(timeout)), Some(field)) =
            (&heartbeat, &timeout, state.get("HeartbeatSeconds"))
            && heartbeat >= timeout
        {
            let message = "`HeartbeatSeconds` must be less than `TimeoutSeconds`".to_owned();
            let advice = format!("write a number below {timeout}");
            self.wrong_advised(&field, message, Some(advice));
        }
        let work = self.work(state, names);
        Some(Task {
            target: target?,
            timeout,
            heartbeat,
            work: work?,
        })
    }

    fn resource(&mut self, field: &Field<'_>, state: Fields<'_>) -> Option<Target> {
        let resource = self.string(field, "Resource")?;
        if service(resource) == Some("states:::lambda:invoke") {
            return self.invoke(field, state);
        }
        if resource.is_empty() {
            let advice = "name one of the project's functions".to_owned();
            self.wrong_advised(field, "`Resource` is empty".to_owned(), Some(advice));
            return None;
        }
        let Some(name) = resource_function(resource) else {
            let (message, advice) = if resource.ends_with(".waitForTaskToken") {
                (
                    "Keylane does not support callbacks (`.waitForTaskToken`)".to_owned(),
                    format!("call a function and wait for its result: {INVOKE}"),
                )
            } else {
                (
                    format!(
                        "`Resource` {resource:?} is no function, and Keylane calls no other services"
                    ),
                    "name one of the project's functions; a function may call the service"
                        .to_owned(),
                )
            };
            self.error_advised(field.spot.start, &field.pointer, message, advice);
            return None;
        };
        self.function(name, field).map(Target::Function)
    }

    /// The number of the function of that name.
    fn function(&mut self, name: &str, field: &Field<'_>) -> Option<u16> {
        let place = self.functions.iter().position(|known| known == name);
        let Some(number) = place.and_then(|place| u16::try_from(place).ok()) else {
            let message = format!("the project defines no function {name:?}");
            let known = self.functions.iter().map(String::as_str);
            let advice = match self.near(name, known) {
                Some(near) => format!("did you mean {near:?}?"),
                None if self.functions.is_empty() => "the project defines no functions".to_owned(),
                None => {
                    let listed: Vec<_> = self.functions.iter().take(20).cloned().collect();
                    format!("its functions are {}", listed.join(", "))
                }
            };
            self.error_advised(field.spot.start, &field.pointer, message, advice);
            return None;
        };
        self.used.insert(number);
        Some(number)
    }

    fn invoke(&mut self, resource: &Field<'_>, state: Fields<'_>) -> Option<Target> {
        let Some(parameters) = state.get("Parameters") else {
            let message = "`lambda:invoke` needs `Parameters` with a `FunctionName`".to_owned();
            let example = r#"`"Parameters": {"FunctionName": "...", "Payload.$": "$"}`"#;
            self.wrong_advised(resource, message, Some(format!("add {example}")));
            return None;
        };
        let fields = self.object(parameters.spot, &parameters.pointer, "`Parameters`")?;
        let allowed: Vec<String> = INVOKE_PARAMETERS
            .iter()
            .flat_map(|name| [(*name).to_owned(), format!("{name}.$")])
            .collect();
        let allowed: Vec<&str> = allowed.iter().map(String::as_str).collect();
        self.only(fields, &allowed, "`lambda:invoke`");
        if let Some(kind) = fields.get("InvocationType")
            && kind.spot.as_str() != Some("RequestResponse")
        {
            let message = "`InvocationType` must be RequestResponse: the state waits for the \
                               function's result"
                .to_owned();
            self.wrong(&kind, message);
        }
        if let Some(name) = fields.get("FunctionName") {
            let text = self.string(&name, "FunctionName")?;
            return self
                .function(function_name(text), &name)
                .map(Target::Invoke);
        }
        if fields.has("FunctionName.$") {
            // Decided by the data: it may be any.
            self.used
                .extend((0..self.functions.len()).filter_map(|n| u16::try_from(n).ok()));
            return Some(Target::InvokeNamed);
        }
        let pointer = child_pointer(state.pointer, "Parameters");
        let message = "`lambda:invoke` needs a `FunctionName`".to_owned();
        self.error(parameters.spot.start, &pointer, message);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{function_name, resource_function};

    #[test]
    fn a_function_is_found_in_every_form_of_its_name() {
        for resource in [
            "lastpx",
            "function:lastpx",
            "arn:aws:lambda:eu-west-1:123456789012:function:lastpx",
            "arn:aws:lambda:eu-west-1:123456789012:function:lastpx:7",
            "123456789012:function:lastpx",
            "lastpx:$LATEST",
        ] {
            assert_eq!(function_name(resource), "lastpx", "{resource}");
        }
    }

    #[test]
    fn a_resource_names_a_function_in_every_partition_and_no_other_service() {
        let named = |resource| resource_function(resource);
        for resource in [
            "f",
            "function:f",
            "arn:aws-cn:lambda:cn-north-1:123456789012:function:f",
            "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:f:live",
        ] {
            assert_eq!(named(resource), Some("f"), "{resource}");
        }
        for resource in [
            "",
            "arn:aws:states:::lambda:invoke",
            "arn:aws:sqs:::f",
            "arn:x:lambda:f",
        ] {
            assert_eq!(named(resource), None, "{resource}");
        }
    }
}
