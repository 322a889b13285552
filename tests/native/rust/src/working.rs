//! A function that takes its time.

use keylane::{Context, Error};
use std::time::Duration;

/// Works for two seconds; with a heartbeat every quarter of one if its event says so.
#[keylane::function(export = "working")]
fn working(beats: bool, context: &Context<'_>) -> Result<&'static str, Error> {
    for _ in 0..8 {
        std::thread::sleep(Duration::from_millis(250));
        if beats {
            context.heartbeat();
        }
    }
    Ok("done")
}
