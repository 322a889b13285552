//! The network: what a policy says of it, and whether a project asks for no more.
//!
//! Landlock tells ports apart and no addresses, so the operator has to write that every address is
//! meant, those of the host itself included; a policy that does not say so is an error.

use crate::problem::Problem;
use crate::project::manifest::Function;
use crate::project::reader::Reader;
use crate::source::Source;
use keylane_policy::profile::Grants;
use keylane_policy::profile::{Network, Profile};
use keylane_policy::syscall::Group;
use toml::de::DeTable;

/// The keys of `[network]`.
const NETWORK: [&str; 3] = ["ports", "addresses", "unfiltered"];
/// The one word that `addresses` may be.
const ANY: &str = "any";

/// Reads `[network]`; it is there if and only if one of the `granted` profiles has the group.
pub(super) fn read(
    reader: &mut Reader<'_>,
    root: &DeTable<'_>,
    granted: &[Profile],
) -> Option<Option<Network>> {
    let with = granted
        .iter()
        .find(|profile| profile.groups.has(Group::Network));
    let (value, profile) = match (root.get("network"), with) {
        (None, None) => return Some(None),
        (Some(value), Some(profile)) => (value, profile),
        (None, Some(profile)) => {
            let message = format!(
                "profile {:?} has the network, and the policy does not say which ports",
                profile.name
            );
            let advice = "add `[network]` with `ports = [443]` and `addresses = \"any\"`";
            reader.error(&(0..0), message, advice.into());
            return None;
        }
        (Some(value), None) => {
            let advice = "name `network` in `profiles`, or remove `[network]`";
            let message = "no profile of `profiles` has the network";
            reader.error(&value.span(), message.into(), advice.into());
            return None;
        }
    };
    let table = reader.table(value, "[network]")?;
    reader.refuse_others(table, "[network]", &NETWORK);
    let ports = match table.get("ports") {
        Some(ports) => reader.ports(ports, "ports"),
        None => {
            let message = format!("[network] has no `ports` for profile {:?}", profile.name);
            reader.error(&value.span(), message, "add `ports = [443]`".into());
            None
        }
    };
    let any = match table.get("addresses") {
        Some(addresses) if reader.text(addresses, "addresses")? == ANY => Some(()),
        found => {
            let span = found.map_or(value.span(), |found| found.span());
            let message = "[network] does not say `addresses = \"any\"`";
            let advice = "write it, if those ports may be reached on every address, loopback and \
                          link-local included: nothing can keep a function from some of them";
            reader.error(&span, message.into(), advice.into());
            None
        }
    };
    let unfiltered = match table.get("unfiltered") {
        Some(value) => reader.flag(value, "unfiltered"),
        None => Some(false),
    };
    any?;
    Some(Some(Network {
        ports: ports?,
        unfiltered: unfiltered?,
    }))
}

/// What is wrong with the ports that a function asks for.
pub(super) fn ports(
    function: &Function,
    profile: &Profile,
    grants: &Grants,
    manifest: &Source,
) -> Vec<Problem> {
    let written = function.written.iter().find(|(key, _)| *key == "ports");
    let place = written.map_or(function.declared, |(_, place)| *place);
    let problem = |message: String, advice: &str| {
        let message = format!("function {}: {message}", function.name);
        vec![Problem::at(manifest, place, message).suggest(advice)]
    };
    let networked = profile.groups.has(Group::Network);
    if !networked {
        if function.ports.is_empty() {
            return Vec::new();
        }
        return problem(
            format!(
                "`ports` without a network: profile {:?} has none",
                profile.name
            ),
            "ask for a profile with the group `network`, or remove `ports`",
        );
    }
    if function.ports.is_empty() {
        return problem(
            format!(
                "profile {:?} has the network, and no `ports` are named",
                profile.name
            ),
            "name those that it connects to: `ports = [443]`; 53 as well, if it resolves names",
        );
    }
    let allowed = grants
        .network
        .as_ref()
        .map_or(&[][..], |network| &network.ports);
    match function.ports.iter().find(|port| !allowed.contains(port)) {
        Some(port) => {
            let allowed: Vec<String> = allowed.iter().map(u16::to_string).collect();
            problem(
                format!("port {port} is not allowed (by {})", grants.source),
                &format!("the operator allows {}", allowed.join(", ")),
            )
        }
        None => Vec::new(),
    }
}
