//! Functions for Keylane in Rust.
//!
//! ```
//! use keylane::{Context, Error};
//!
//! #[derive(serde::Deserialize)]
//! struct Trade {
//!     price: f64,
//!     quantity: f64,
//! }
//!
//! #[keylane::function]
//! fn handler(trade: Trade, _context: &Context) -> Result<f64, Error> {
//!     if trade.quantity <= 0.0 {
//!         return Err(Error::new("BadTrade", "the quantity is not positive"));
//!     }
//!     Ok(trade.price * trade.quantity)
//! }
//! ```
//!
//! The package is a `cdylib`; its shared object goes into the function's folder, and `keylane.toml`
//! says `runtime = "native"` and `handler = "libname.so"`. `docs/NATIVE.md` begins there.
//!
//! Whatever a function does, it does to its own process: nothing in here guards anybody.

/// The Rust of the manual is compiled like every example.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/NATIVE.md")]
struct Manual;

mod context;
pub mod entry;
mod error;
mod event;

pub use context::Context;
pub use error::Error;
pub use event::{FromEvent, IntoResult, RawJson};
pub use keylane_macros::function;

/// Any event.
pub type Event = serde_json::Value;

/// Any result.
pub type Response = serde_json::Value;
