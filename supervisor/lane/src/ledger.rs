//! What calls cost and whose fault their errors are, here and in other lanes.

use keylane_policy::blame::Blame;
use keylane_policy::report::FunctionCalls;
use keylane_workflow::TaskError;

/// The books of one execution.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) books: Vec<FunctionCalls>,
    pub(crate) blame: Option<(TaskError, Blame)>,
}

impl Ledger {
    /// Whose fault an error is that ended the execution: known if it was a call's.
    pub(crate) fn blame(&self, error: &str, cause: &str) -> Option<Blame> {
        let (last, blame) = self.blame.as_ref()?;
        (last.error == error && last.cause == cause).then_some(*blame)
    }

    /// Notes whose fault an error was that another lane saw.
    pub(crate) fn blamed(&mut self, error: TaskError, blame: Blame) {
        self.blame = Some((error, blame));
    }

    /// Adds calls that another lane made for this execution.
    pub(crate) fn add(&mut self, calls: Vec<FunctionCalls>) {
        for call in calls {
            let book = self.book_of(&call.function);
            book.calls = book.calls.saturating_add(call.calls);
            book.errors = book.errors.saturating_add(call.errors);
            book.total_ns = book.total_ns.saturating_add(call.total_ns);
            book.longest_ns = book.longest_ns.max(call.longest_ns);
            book.forks = book.forks.saturating_add(call.forks);
        }
    }

    /// The book of a function.
    pub(crate) fn book_of(&mut self, name: &str) -> &mut FunctionCalls {
        let at = match self.books.iter().position(|book| book.function == name) {
            Some(at) => at,
            None => {
                self.books.push(FunctionCalls {
                    function: name.to_owned(),
                    ..Default::default()
                });
                self.books.len().saturating_sub(1)
            }
        };
        #[expect(
            clippy::indexing_slicing,
            reason = "`at` was found or pushed just above"
        )]
        &mut self.books[at]
    }
}
