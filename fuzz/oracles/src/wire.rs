//! Messages: whatever is read as one can be written again, and is then read as the same.

use crate::{Verdict, ensure};
use keylane_policy::abi::message as m;
use keylane_policy::abi::wire::{WireError, decode, encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// The kinds of messages; a first byte chooses one.
pub const KINDS: u8 = 14;

/// Checks Keylane's reader of messages.
pub fn check(data: &[u8]) -> Verdict {
    read(data).map(|_is_message| ())
}

/// Checks it, and tells whether there was a message at all.
pub fn read(data: &[u8]) -> Result<bool, String> {
    let Some((kind, bytes)) = data.split_first() else {
        return Ok(false);
    };
    match kind % KINDS {
        0 => there_and_back::<m::ToSpawner>(bytes),
        1 => there_and_back::<m::FromSpawner>(bytes),
        2 => there_and_back::<m::LaneToSpawner>(bytes),
        3 => there_and_back::<m::SpawnerToLane>(bytes),
        4 => there_and_back::<m::ToZygote>(bytes),
        5 => there_and_back::<m::FromZygote>(bytes),
        6 => there_and_back::<m::ToLane>(bytes),
        7 => there_and_back::<m::FromLane>(bytes),
        8 => there_and_back::<m::BranchLoan>(bytes),
        9 => there_and_back::<m::LoanBody>(bytes),
        10 => there_and_back::<m::BranchRepay>(bytes),
        11 => there_and_back::<m::RepayBody>(bytes),
        12 => there_and_back::<m::ZygoteSpec>(bytes),
        _ => there_and_back::<keylane_policy::report::Report>(bytes),
    }
}

fn there_and_back<T: Serialize + DeserializeOwned + Debug>(bytes: &[u8]) -> Result<bool, String> {
    judge(bytes, decode::<T>, encode::<T>)?;
    Ok(decode::<T>(bytes).is_ok())
}

/// Judges a reader and a writer.
pub fn judge<T: Debug>(
    bytes: &[u8],
    read: impl Fn(&[u8]) -> Result<T, WireError>,
    write: impl Fn(&T) -> Result<Vec<u8>, WireError>,
) -> Verdict {
    let Ok(message) = read(bytes) else {
        return Ok(());
    };
    let written = match write(&message) {
        Ok(written) => written,
        // A writer may be longer than what was read: by the numbers' shortest forms only shorter.
        Err(error) => return Err(format!("{message:?} cannot be written: {error}")),
    };
    ensure(written.len() <= bytes.len(), || {
        format!(
            "{message:?} grew from {} to {} bytes",
            bytes.len(),
            written.len()
        )
    })?;
    let again =
        read(&written).map_err(|error| format!("{message:?} is not read again: {error}"))?;
    let rewritten = write(&again).map_err(|error| format!("{again:?}: {error}"))?;
    ensure(rewritten == written, || {
        format!("{message:?} became {again:?}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_or_reader_that_loses_something_is_found() {
        let bytes = encode(&(7_u32, "x".to_owned())).unwrap();
        type Pair = (u32, String);
        assert_eq!(judge(&bytes, decode::<Pair>, encode::<Pair>), Ok(()));
        assert!(judge(&bytes, decode::<Pair>, |_| Err(WireError::Malformed)).is_err());
        assert!(judge(&bytes, decode::<Pair>, |_| Ok(vec![1])).is_err());
        assert!(judge(&bytes, decode::<Pair>, |_| Ok(vec![1; 99])).is_err());
        let flips = std::cell::Cell::new(0_u32);
        let unsteady = |_: &[u8]| {
            flips.set(flips.get() + 1);
            Ok::<Pair, WireError>((flips.get(), String::new()))
        };
        assert!(judge(&bytes, unsteady, encode::<Pair>).is_err());
    }
}
