//! User ids for jailed processes when Keylane runs as root: each its own, so that no limit, signal
//! or file of one reaches another.

use keylane_policy::identity::{USERS, first_user};

/// Hands out user ids, or none when this process is not root.
#[derive(Debug)]
pub(crate) struct Identities {
    next: Option<u32>,
    left: u32,
}

impl Identities {
    /// The ids of the spawner with this process id; two that live at once have different ones.
    pub(crate) fn of(pid: u32, root: bool) -> Identities {
        let base = first_user(pid);
        Identities {
            next: root.then_some(base),
            left: USERS * u32::from(root),
        }
    }

    /// The next id: `Ok(None)` when this process is not root and its children keep its user.
    pub(crate) fn take(&mut self) -> Result<Option<u32>, &'static str> {
        match self.next {
            None => Ok(None),
            Some(_) if self.left == 0 => Err("more jailed processes than user ids of one run"),
            Some(id) => {
                self.next = id.checked_add(1);
                self.left -= 1;
                Ok(Some(id))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spawner_has_ids_for_the_largest_project() {
        use keylane_policy::limit::{FUNCTIONS, LANES};
        assert!(FUNCTIONS + LANES <= USERS as usize);
    }

    #[test]
    fn two_spawners_never_share_an_id() {
        let ids = |pid| {
            let mut identities = Identities::of(pid, true);
            std::iter::from_fn(move || identities.take().ok().flatten()).collect::<Vec<_>>()
        };
        let (a, b) = (ids(4_194_303), ids(1));
        assert_eq!(a.len(), USERS as usize);
        assert!(a.iter().all(|id| !b.contains(id) && *id != u32::MAX));
    }

    #[test]
    fn an_ordinary_user_keeps_its_id() {
        assert_eq!(Identities::of(1, false).take(), Ok(None));
    }
}
