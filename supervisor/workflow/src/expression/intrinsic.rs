//! The eighteen intrinsic functions: their names and how many arguments they take.

use std::ops::RangeInclusive;

/// An intrinsic function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intrinsic {
    Format,
    StringToJson,
    JsonToString,
    Array,
    ArrayPartition,
    ArrayContains,
    ArrayRange,
    ArrayGetItem,
    ArrayLength,
    ArrayUnique,
    Base64Encode,
    Base64Decode,
    Hash,
    JsonMerge,
    MathRandom,
    MathAdd,
    StringSplit,
    Uuid,
}

const NAMES: [(&str, Intrinsic); 18] = [
    ("States.Format", Intrinsic::Format),
    ("States.StringToJson", Intrinsic::StringToJson),
    ("States.JsonToString", Intrinsic::JsonToString),
    ("States.Array", Intrinsic::Array),
    ("States.ArrayPartition", Intrinsic::ArrayPartition),
    ("States.ArrayContains", Intrinsic::ArrayContains),
    ("States.ArrayRange", Intrinsic::ArrayRange),
    ("States.ArrayGetItem", Intrinsic::ArrayGetItem),
    ("States.ArrayLength", Intrinsic::ArrayLength),
    ("States.ArrayUnique", Intrinsic::ArrayUnique),
    ("States.Base64Encode", Intrinsic::Base64Encode),
    ("States.Base64Decode", Intrinsic::Base64Decode),
    ("States.Hash", Intrinsic::Hash),
    ("States.JsonMerge", Intrinsic::JsonMerge),
    ("States.MathRandom", Intrinsic::MathRandom),
    ("States.MathAdd", Intrinsic::MathAdd),
    ("States.StringSplit", Intrinsic::StringSplit),
    ("States.UUID", Intrinsic::Uuid),
];

impl Intrinsic {
    /// The function of that name.
    pub(crate) fn named(name: &str) -> Option<Intrinsic> {
        NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, intrinsic)| *intrinsic)
    }

    /// The name of the function that someone who wrote `name` may have meant.
    pub(crate) fn nearest(name: &str) -> Option<&'static str> {
        crate::definition::nearest(name, NAMES.iter().map(|(known, _)| *known))
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        NAMES
            .iter()
            .find(|(_, known)| *known == self)
            .map_or("", |(name, _)| name)
    }

    /// How many arguments it takes.
    pub(crate) fn arguments(self) -> RangeInclusive<usize> {
        match self {
            Intrinsic::Uuid => 0..=0,
            Intrinsic::Array => 0..=usize::MAX,
            Intrinsic::Format => 1..=usize::MAX,
            Intrinsic::StringToJson
            | Intrinsic::JsonToString
            | Intrinsic::ArrayLength
            | Intrinsic::ArrayUnique
            | Intrinsic::Base64Encode
            | Intrinsic::Base64Decode => 1..=1,
            Intrinsic::ArrayPartition
            | Intrinsic::ArrayContains
            | Intrinsic::ArrayGetItem
            | Intrinsic::Hash
            | Intrinsic::MathAdd
            | Intrinsic::StringSplit => 2..=2,
            Intrinsic::ArrayRange | Intrinsic::JsonMerge => 3..=3,
            Intrinsic::MathRandom => 2..=3,
        }
    }
}
