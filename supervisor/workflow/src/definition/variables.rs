//! `Assign`: names of variables, and their scopes.
//!
//! Each machine (the whole, a branch, an item processor) is a scope: it reads the variables of the
//! machines around it and cannot assign under their names. What it assigns ends with it. The rules of
//! names and scopes are those of the language's specification and of the service's page on variables.

use super::checker::{Checker, Fields};
use crate::json::spot::child_pointer;
use std::collections::{BTreeMap, BTreeSet};

/// Characters of a variable's name.
const NAME: usize = 80;

/// One assignment.
pub(super) struct Assigned {
    name: String,
    /// The machines around it, the innermost last.
    inside: Vec<usize>,
    start: usize,
    pointer: String,
}

impl Checker<'_> {
    /// `Assign`: an object of variables. None if it is wrong.
    #[expect(
        clippy::option_option,
        reason = "wrong, absent and present are three answers"
    )]
    pub(super) fn assign(
        &mut self,
        fields: Fields<'_>,
    ) -> Option<Option<crate::expression::Template>> {
        let Some(field) = fields.get("Assign") else {
            return Some(None);
        };
        let Some(members) = field.spot.members() else {
            let kind = field.spot.kind_name();
            self.wrong(&field, format!("`Assign` must be an object, not {kind}"));
            return None;
        };
        for member in members {
            let name = member.key.strip_suffix(".$").unwrap_or(&member.key);
            let starts = name.chars().next().is_some_and(char::is_alphabetic);
            let rest = name.chars().all(crate::path::in_variable_name);
            if starts && rest && name.chars().count() <= NAME && name != "states" {
                self.assigned.push(Assigned {
                    name: name.to_owned(),
                    inside: self.inside.clone(),
                    start: member.start,
                    pointer: child_pointer(&field.pointer, &member.key),
                });
                continue;
            }
            let pointer = child_pointer(&field.pointer, &member.key);
            let message = format!("{name:?} cannot name a variable");
            let advice = "a variable's name has letters, digits and `_`, at most 80, begins with a \
                          letter, and is not `states`";
            self.error_advised(member.start, &pointer, message, advice.to_owned());
        }
        self.template(fields, "Assign").map(Some)
    }

    /// Refuses what is assigned under the name of a variable of a machine around it, before or after.
    pub(super) fn shadows(&mut self) {
        let assigned = std::mem::take(&mut self.assigned);
        let mut scopes: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        for one in &assigned {
            let scopes = scopes.entry(&one.name).or_default();
            scopes.extend(one.inside.last());
        }
        for one in &assigned {
            let Some(((_own, around), scopes)) =
                one.inside.split_last().zip(scopes.get(&*one.name))
            else {
                continue;
            };
            if around.iter().any(|machine| scopes.contains(machine)) {
                let name = &one.name;
                let message = format!(
                    "{name:?} is a variable of the states around this branch or item processor, which \
                     can read it but not assign it"
                );
                let advice =
                    "choose another name here; hand values out as the output of the branch"
                        .to_owned();
                self.error_advised(one.start, &one.pointer, message, advice);
            }
        }
    }
}
