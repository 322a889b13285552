//! Validated JSON text, shared by every node that was cut from it.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// Containers shorter than this are skipped by reading them; longer ones have an entry in
/// [`Source::spans`], so that finding a container's members never reads its grandchildren twice.
pub(super) const SPAN_BYTES: usize = 256;

/// One validated text and where its long containers end.
pub(super) struct Source {
    /// The text.
    pub(super) text: String,
    /// First byte and end of each container of at least [`SPAN_BYTES`], by first byte.
    pub(super) spans: Vec<(u32, u32)>,
}

impl Source {
    /// Where the long container that begins at `start` ends.
    pub(super) fn end_of(&self, start: usize) -> Option<usize> {
        let start = u32::try_from(start).ok()?;
        let found = self
            .spans
            .binary_search_by_key(&start, |span| span.0)
            .ok()?;
        self.spans
            .get(found)
            .and_then(|span| usize::try_from(span.1).ok())
    }
}

/// JSON text: a cheap handle on bytes that may be shared with others.
#[derive(Clone)]
pub struct Text {
    pub(super) source: Arc<Source>,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Text {
    /// A handle on the whole of a text that is known to be valid.
    pub(super) fn whole(text: String, spans: Vec<(u32, u32)>) -> Text {
        let end = text.len();
        Text {
            source: Arc::new(Source { text, spans }),
            start: 0,
            end,
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.source.text.get(self.start..self.end).unwrap_or("null")
    }

    /// Whether most of the memory behind this handle belongs to others.
    pub(super) fn is_small_part(&self) -> bool {
        (self.end - self.start).saturating_mul(2) < self.source.text.len()
    }

    /// The same text in memory of its own. Takes time for its own length, not the other text's.
    pub(super) fn detached(&self) -> Text {
        let first = u32::try_from(self.start).unwrap_or(u32::MAX);
        let end = u32::try_from(self.end).unwrap_or(u32::MAX);
        let spans = &self.source.spans;
        let from = spans.partition_point(|span| span.0 < first);
        let to = spans.partition_point(|span| span.0 < end);
        let inside = spans.get(from..to).unwrap_or(&[]).iter();
        // What begins inside a value ends inside it.
        let spans = inside
            .map(|span| (span.0 - first, span.1.saturating_sub(first)))
            .collect();
        Text::whole(self.as_str().to_owned(), spans)
    }
}

impl Deref for Text {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.as_str().as_bytes()
    }
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
