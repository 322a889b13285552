//! Profiles and operator's files as TOML. Pure: text in, grants or problems out.

use super::network;
use crate::problem::Problem;
use crate::project::key::{self, Limit};
use crate::project::manifest::syntax;
use crate::project::name::Name;
use crate::project::reader::{Reader, Value};
use crate::source::Source;
use crate::suggest;
use keylane_policy::part::Part;
use keylane_policy::profile::{BUILT_IN, Ceilings, DEFAULT, Grants, Profile};
use keylane_policy::syscall::group::GROUPS;
use keylane_policy::syscall::{Group, Groups};
use toml::de::DeTable;

/// The keys of a profile's table, besides its name.
const PROFILE: [&str; 3] = ["summary", "groups", "ceilings"];
/// The keys of an operator's file.
const OPERATOR: [&str; 6] = [
    "profiles", "default", "ceilings", "require", "profile", "network",
];
/// The keys of a table of ceilings.
const CEILINGS: [&str; 7] = [
    "memory",
    "processes",
    "descriptors",
    "cpu",
    "payload",
    "timeout",
    "tmp",
];

/// The profiles that are part of Keylane, all granted but those with a network, which nobody has whom
/// no operator gave it.
pub fn built_in() -> Result<Grants, Vec<Problem>> {
    let mut profiles = built_in_profiles()?;
    profiles.retain(|profile| !profile.groups.has(Group::Network));
    Ok(Grants {
        source: "no policy file".to_owned(),
        profiles,
        default: DEFAULT.to_owned(),
        ceilings: Ceilings::default(),
        required: Vec::new(),
        network: None,
    })
}

fn built_in_profiles() -> Result<Vec<Profile>, Vec<Problem>> {
    BUILT_IN
        .iter()
        .map(|(name, text)| {
            let file = format!("profiles/{name}.toml");
            let source = Source::from_bytes(file.as_str(), text.as_bytes().to_vec())
                .map_err(|(_, why)| vec![Problem::file(file.as_str(), why)])?;
            profile_file(&source)
        })
        .collect()
}

/// A profile in a file of its own.
fn profile_file(source: &Source) -> Result<Profile, Vec<Problem>> {
    read(source, |reader, root| {
        let mut known = vec!["name"];
        known.extend(PROFILE);
        reader.refuse_others(root, "a profile", &known);
        let name: Option<Name> = reader.required(root, &(0..0), "a profile", "name", "\"compute\"");
        read_profile(reader, root, &(0..0), "a profile", &name?)
    })
}

/// An operator's file.
pub fn parse(source: &Source) -> Result<Grants, Vec<Problem>> {
    let built_in = built_in_profiles()?;
    read(source, |reader, root| {
        reader.refuse_others(root, "the policy", &OPERATOR);
        let ceilings = read_ceilings(reader, root);
        let own = read_own(reader, root, &built_in);
        let all: Vec<Profile> = built_in.iter().cloned().chain(own?).collect();
        let profiles = read_granted(reader, root, &all)?;
        let default = read_default(reader, root, &profiles)?;
        let required = read_required(reader, root);
        let network = network::read(reader, root, &profiles)?;
        Some(Grants {
            network,
            source: source.name().to_owned(),
            profiles,
            default,
            required: required?,
            ceilings: ceilings?,
        })
    })
}

/// Reads a document, or says everything that is wrong with it.
fn read<T>(
    source: &Source,
    root: impl FnOnce(&mut Reader<'_>, &DeTable<'_>) -> Option<T>,
) -> Result<T, Vec<Problem>> {
    let (table, errors) = DeTable::parse_recoverable(source.text());
    if !errors.is_empty() {
        let errors = errors.iter().take(10);
        return Err(errors.map(|error| syntax(source, error)).collect());
    }
    let mut reader = Reader::new(source);
    let value = root(&mut reader, table.get_ref());
    let problems = reader.finish();
    match value {
        Some(value) if problems.is_empty() => Ok(value),
        _ => Err(problems),
    }
}

fn read_profile(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    header: &std::ops::Range<usize>,
    within: &str,
    name: &Name,
) -> Option<Profile> {
    let summary = match table.get("summary") {
        Some(value) => reader.text(value, "summary")?.to_owned(),
        None => String::new(),
    };
    let ceilings = read_ceilings(reader, table);
    let Some(value) = table.get("groups") else {
        let message = format!("{within} has no `groups`");
        let advice = "add a line such as `groups = [\"files\"]`";
        reader.error(header, message, advice.into());
        return None;
    };
    let names: Vec<Name> = reader.list(value, "groups")?;
    let mut groups = Vec::new();
    for name in &names {
        match Group::named(name.as_str()) {
            Some(group) => groups.push(group),
            None => {
                let known = GROUPS.iter().map(|(_, name, _)| *name);
                let advice = meant(name.as_str(), &known.collect::<Vec<_>>());
                let message = format!("there is no group {:?}", name.as_str());
                reader.error(&value.span(), message, advice);
            }
        }
    }
    if groups.len() < names.len() {
        return None;
    }
    Some(Profile {
        name: name.to_string(),
        summary,
        groups: Groups::of(groups),
        ceilings: ceilings?,
    })
}

/// What to write instead of a word that is none of `known`.
fn meant(word: &str, known: &[&str]) -> String {
    match suggest::nearest(word, known.iter().copied()) {
        Some(near) => format!("write `{near}`, if that was meant"),
        None => format!("choose among {}", known.join(", ")),
    }
}

fn read_ceilings(reader: &mut Reader<'_>, table: &DeTable<'_>) -> Option<Ceilings> {
    let Some(value) = table.get("ceilings") else {
        return Some(Ceilings::default());
    };
    let table = reader.table(value, "[ceilings]")?;
    reader.refuse_others(table, "[ceilings]", &CEILINGS);
    if table.is_empty() {
        let advice = format!("name one of {}, or remove it", CEILINGS.join(", "));
        reader.error(&value.span(), "[ceilings] is empty".into(), advice);
        return None;
    }
    let all = Ceilings::default();
    let range = |limit: Limit| limit.low..=limit.high;
    let mut amount = |key: &str, limit: Limit, without: u64| match table.get(key) {
        None => Some(without),
        Some(value) if key == "timeout" => reader.seconds(value, key, range(limit)),
        Some(value) if ["memory", "payload", "tmp"].contains(&key) => {
            reader.bytes(value, key, range(limit))
        }
        Some(value) => reader.count(value, key, range(limit)),
    };
    let memory = amount("memory", key::MEMORY, all.memory);
    let processes = amount("processes", key::PROCESSES, all.processes);
    let descriptors = amount("descriptors", key::DESCRIPTORS, all.descriptors);
    let cpu = amount("cpu", key::CPU, all.cpu);
    let payload = amount("payload", key::PAYLOAD, all.payload);
    let timeout_ms = amount("timeout", key::TIMEOUT, all.timeout_ms);
    let tmp = amount("tmp", key::TMP, all.tmp);
    Some(Ceilings {
        memory: memory?,
        processes: processes?,
        descriptors: descriptors?,
        cpu: cpu?,
        payload: payload?,
        timeout_ms: timeout_ms?,
        tmp: tmp?,
    })
}

/// What no host may lack.
fn read_required(reader: &mut Reader<'_>, root: &DeTable<'_>) -> Option<Vec<Part>> {
    let Some(value) = root.get("require") else {
        return Some(Vec::new());
    };
    let words: Vec<Name> = reader.list(value, "require")?;
    let known = Part::ALL.map(|(_, word)| word);
    let parts: Vec<Option<Part>> = words
        .iter()
        .map(|word| {
            let part = Part::named(word.as_str());
            if part.is_none() {
                let message = format!("a host cannot lack {:?}", word.as_str());
                reader.error(&value.span(), message, meant(word.as_str(), &known));
            }
            part
        })
        .collect();
    parts.into_iter().collect()
}

/// The operator's own profiles.
fn read_own(
    reader: &mut Reader<'_>,
    root: &DeTable<'_>,
    built_in: &[Profile],
) -> Option<Vec<Profile>> {
    let Some(value) = root.get("profile") else {
        return Some(Vec::new());
    };
    let table = reader.table(value, "[profile.NAME]")?;
    if table.is_empty() {
        let advice = "add `[profile.NAME]` with `groups`, or remove it";
        reader.error(&value.span(), "[profile] is empty".into(), advice.into());
        return None;
    }
    let read: Vec<Option<Profile>> = table
        .iter()
        .map(|(key, value)| read_one(reader, key, value, built_in))
        .collect();
    read.into_iter().collect()
}

fn read_one(
    reader: &mut Reader<'_>,
    key: &toml::Spanned<std::borrow::Cow<'_, str>>,
    value: Value<'_, '_>,
    built_in: &[Profile],
) -> Option<Profile> {
    let name = match Name::try_from(key.get_ref().as_ref()) {
        Ok(name) => name,
        Err(bad) => {
            let message = format!("profile {:?}: {}", key.get_ref(), bad.wrong);
            reader.error(&key.span(), message, bad.advice);
            return None;
        }
    };
    let within = format!("[profile.{name}]");
    if built_in.iter().any(|profile| profile.name == name.as_str()) {
        let message = format!("{within}: a profile of this name is built in");
        reader.error(&key.span(), message, "choose another name".into());
        return None;
    }
    let table = reader.table(value, &within)?;
    reader.refuse_others(table, &within, &PROFILE);
    read_profile(reader, table, &key.span(), &within, &name)
}

fn read_granted(
    reader: &mut Reader<'_>,
    root: &DeTable<'_>,
    all: &[Profile],
) -> Option<Vec<Profile>> {
    let known: Vec<&str> = all.iter().map(|profile| profile.name.as_str()).collect();
    let Some(value) = root.get("profiles") else {
        let advice = format!("add `profiles = [...]` with some of {}", known.join(", "));
        reader.error(&(0..0), "the policy has no `profiles`".into(), advice);
        return None;
    };
    let names: Vec<Name> = reader.list(value, "profiles")?;
    let mut granted: Vec<Profile> = Vec::new();
    let mut right = true;
    for name in &names {
        let name = name.as_str();
        let found = all.iter().find(|profile| profile.name == name);
        let twice = granted.iter().any(|profile| profile.name == name);
        match found {
            Some(profile) if !twice => granted.push(profile.clone()),
            Some(_) => {
                let message = format!("`profiles` names {name:?} twice");
                reader.error(&value.span(), message, "name it once".into());
                right = false;
            }
            None => {
                let message = format!("there is no profile {name:?}");
                reader.error(&value.span(), message, meant(name, &known));
                right = false;
            }
        }
    }
    right.then_some(granted)
}

fn read_default(
    reader: &mut Reader<'_>,
    root: &DeTable<'_>,
    granted: &[Profile],
) -> Option<String> {
    let known: Vec<&str> = granted
        .iter()
        .map(|profile| profile.name.as_str())
        .collect();
    match root.get("default") {
        Some(value) => {
            let name = reader.text(value, "default")?;
            if known.contains(&name) {
                return Some(name.to_owned());
            }
            let message = format!("`default` is {name:?}, which `profiles` does not name");
            reader.error(&value.span(), message, meant(name, &known));
            None
        }
        None if known.contains(&DEFAULT) => Some(DEFAULT.to_owned()),
        None => {
            let message = format!(
                "functions that ask for no profile would have {DEFAULT:?}, which is not granted"
            );
            let advice = format!("add `default = ...` with one of {}", known.join(", "));
            reader.error(&(0..0), message, advice);
            None
        }
    }
}
