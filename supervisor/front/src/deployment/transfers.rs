//! Loans between lanes that are not repaid: who lent what to whom. Pure.
//!
//! A lane is trusted with its own execution and no more (docs/THREATS.md): what it says about a loan counts only
//! if it is the loan's lender or its borrower.

use super::PRIMARY;
use keylane_policy::abi::message::{LaneId, LoanId};
use std::collections::BTreeMap;

/// Loans that one lane may owe at a time: more than any lane of ours is given, and a bound on what a lane that
/// was taken over makes this process remember.
const LOANS: usize = 16;

/// Loans on their way, by lender and number; the value is the borrower.
#[derive(Debug, Default)]
pub(super) struct Transfers(BTreeMap<(LaneId, LoanId), LaneId>);

impl Transfers {
    /// Whether `lender` may lend under this number to `borrower` now.
    pub(super) fn allows(&self, lender: LaneId, loan: LoanId, borrower: LaneId) -> bool {
        let held = self.0.values().filter(|other| **other == borrower).count();
        lender == PRIMARY
            && borrower != PRIMARY
            && held < LOANS
            && !self.0.contains_key(&(lender, loan))
    }

    /// Notes a loan that was handed over.
    pub(super) fn note(&mut self, lender: LaneId, loan: LoanId, borrower: LaneId) {
        self.0.insert((lender, loan), borrower);
    }

    /// Whether `borrower` owes `lender` this loan.
    pub(super) fn owes(&self, borrower: LaneId, lender: LaneId, loan: LoanId) -> bool {
        self.0.get(&(lender, loan)) == Some(&borrower)
    }

    /// Strikes a loan off that `borrower` repays; false if it does not owe it.
    pub(super) fn repay(&mut self, borrower: LaneId, lender: LaneId, loan: LoanId) -> bool {
        let owed = self.owes(borrower, lender, loan);
        if owed {
            self.0.remove(&(lender, loan));
        }
        owed
    }

    /// Whether a lane owes anything.
    pub(super) fn is_debtor(&self, lane: LaneId) -> bool {
        self.0.values().any(|borrower| *borrower == lane)
    }

    /// Strikes off what a lane owed that is gone, with the lenders.
    pub(super) fn lose(&mut self, borrower: LaneId) -> Vec<(LaneId, LoanId)> {
        let lost = self.0.extract_if(.., |_, other| *other == borrower);
        lost.map(|(loan, _)| loan).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_lane_that_runs_the_execution_lends_and_never_to_itself() {
        let transfers = Transfers::default();
        assert!(transfers.allows(PRIMARY, 0, 1));
        assert!(!transfers.allows(1, 0, 2));
        assert!(!transfers.allows(PRIMARY, 0, PRIMARY));
    }

    #[test]
    fn a_borrower_holds_so_many_loans_and_a_number_stands_for_one() {
        let mut transfers = Transfers::default();
        for loan in 0..LOANS {
            let loan = LoanId::try_from(loan).unwrap();
            assert!(transfers.allows(PRIMARY, loan, 1));
            transfers.note(PRIMARY, loan, 1);
            assert!(!transfers.allows(PRIMARY, loan, 2));
        }
        assert!(!transfers.allows(PRIMARY, 1000, 1));
        assert!(transfers.allows(PRIMARY, 1000, 2));
    }

    #[test]
    fn nobody_repays_or_recalls_the_loan_of_another() {
        let mut transfers = Transfers::default();
        transfers.note(PRIMARY, 7, 1);
        for (borrower, lender, loan) in [(2, PRIMARY, 7), (1, 2, 7), (1, PRIMARY, 8)] {
            assert!(!transfers.owes(borrower, lender, loan));
            assert!(!transfers.repay(borrower, lender, loan));
        }
        assert!(transfers.owes(1, PRIMARY, 7));
        assert!(transfers.repay(1, PRIMARY, 7));
        assert!(!transfers.repay(1, PRIMARY, 7), "repaid twice");
    }

    #[test]
    fn what_a_lost_lane_owed_goes_back_and_nothing_else() {
        let mut transfers = Transfers::default();
        for (loan, borrower) in [(1, 1), (2, 2), (3, 1)] {
            transfers.note(PRIMARY, loan, borrower);
        }
        assert_eq!(transfers.lose(1), [(PRIMARY, 1), (PRIMARY, 3)]);
        assert!(!transfers.is_debtor(1));
        assert!(transfers.is_debtor(2));
    }
}
