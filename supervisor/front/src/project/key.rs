//! The one description of the keys of `keylane.toml`: what the parser knows, what the JSON Schema
//! says and what the manual's table must hold all come from here.

use keylane_policy::abi::message::Runtime;
use keylane_policy::limit;
use keylane_policy::reuse::Reuse;

/// The runtimes of this version, as a project's file calls them.
pub const RUNTIMES: [(&str, Runtime); 2] =
    [("python3.11", Runtime::Python), ("native", Runtime::Native)];

/// A language from which `keylane build` makes a native function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compiled {
    /// C, by the host's gcc.
    C,
}

/// Those languages, as a project's file calls them.
pub const COMPILED: [(&str, Compiled); 1] = [("c", Compiled::C)];

/// A key of a table.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it is for, as one sentence without its full stop.
    pub about: &'static str,
    /// What its value may be.
    pub kind: Kind,
    /// For a key that must be there: a value as TOML, where `NAME` stands for the function's name.
    pub example: Option<&'static str>,
}

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A [`super::name::Name`].
    Name,
    /// A [`super::name::RelativePath`].
    Path,
    /// A list of those, not empty.
    Paths,
    /// A [`super::name::Handler`]: which, the runtime says.
    Handler,
    /// One of [`RUNTIMES`].
    Runtime,
    /// One of [`COMPILED`].
    Compiled,
    /// One of the words of [`Reuse`].
    Reuse,
    /// A list of ports of TCP, not empty.
    Ports,
    /// A number within a range.
    Limit(Limit),
}

/// A number with a default, within a range.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// In what it is counted.
    pub unit: Unit,
    /// What is taken without the key.
    pub default: u64,
    /// The least that is accepted.
    pub low: u64,
    /// The most that is accepted.
    pub high: u64,
}

/// In what a limit is counted, and how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes; written as a number or as a text such as `16MiB`.
    Bytes,
    /// Milliseconds; written as seconds, whole or not.
    Milliseconds,
    /// Things; written as a whole number.
    Count,
}

const fn required(
    name: &'static str,
    kind: Kind,
    example: &'static str,
    about: &'static str,
) -> Key {
    Key {
        name,
        about,
        kind,
        example: Some(example),
    }
}

const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key {
        name,
        about,
        kind,
        example: None,
    }
}

/// `name` of the workflow.
pub const NAME: Key = required(
    "name",
    Kind::Name,
    "\"finra\"",
    "The workflow's name, as reports show it",
);
/// `definition` of the workflow.
pub const DEFINITION: Key = required(
    "definition",
    Kind::Path,
    "\"workflow.asl.json\"",
    "The file with the workflow's definition in the Amazon States Language",
);
/// `input` of the workflow.
pub const INPUT: Key = optional(
    "input",
    Kind::Path,
    "The file with the input that a run takes when it is given none",
);

/// The keys of `[workflow]`, in the order in which a message lists them.
pub const WORKFLOW: [Key; 3] = [NAME, DEFINITION, INPUT];

/// `runtime` of a function.
pub const RUNTIME: Key = required(
    "runtime",
    Kind::Runtime,
    "\"python3.11\"",
    "What runs the function",
);
/// `path` of a function.
pub const PATH: Key = required(
    "path",
    Kind::Path,
    "\"functions/NAME\"",
    "The folder whose contents become the function's tree",
);
/// `handler` of a function.
pub const HANDLER: Key = required(
    "handler",
    Kind::Handler,
    "\"NAME.handler\"",
    "Where its code begins: in Python module.function, else FILE.so or FILE.so:SYMBOL of its tree",
);
/// `handler` of a native function.
pub const NATIVE_HANDLER: Key = Key {
    example: Some("\"libNAME.so\""),
    ..HANDLER
};
/// `build` of a function.
pub const BUILD: Key = optional(
    "build",
    Kind::Compiled,
    "The language of the sources in its folder, from which `keylane build` makes its shared object",
);
/// `include` of a function.
pub const INCLUDE: Key = optional(
    "include",
    Kind::Paths,
    "More files and folders of the project, in its tree under the same names",
);
/// `requirements` of a function.
pub const REQUIREMENTS: Key = optional(
    "requirements",
    Kind::Path,
    "The file with the Python packages that it needs; without it requirements.txt in its folder, if \
     it is there",
);
/// `profile` of a function.
pub const PROFILE: Key = optional(
    "profile",
    Kind::Name,
    "The profile of rights that it asks for, of those that the operator grants",
);
/// `ports` of a function.
pub const PORTS: Key = optional(
    "ports",
    Kind::Ports,
    "Ports of TCP that it connects to, if its profile has the network and the operator allows them",
);
/// `payload` of a function.
pub const PAYLOAD: Limit = Limit {
    unit: Unit::Bytes,
    default: limit::PAYLOAD_BYTES,
    low: limit::PAYLOAD_BYTES_FLOOR,
    high: limit::PAYLOAD_BYTES_CEILING,
};
/// `memory` of a function.
pub const MEMORY: Limit = Limit {
    unit: Unit::Bytes,
    default: limit::MEMORY_BYTES,
    low: limit::MEMORY_BYTES_FLOOR,
    high: limit::MEMORY_BYTES_CEILING,
};
/// `timeout` of a function.
pub const TIMEOUT: Limit = Limit {
    unit: Unit::Milliseconds,
    default: limit::CALL_MILLISECONDS,
    low: 1,
    high: limit::CALL_MILLISECONDS_CEILING,
};
/// `processes` of a function.
pub const PROCESSES: Limit = Limit {
    unit: Unit::Count,
    default: limit::PROCESSES,
    low: limit::PROCESSES_FLOOR,
    high: limit::PROCESSES_CEILING,
};
/// `descriptors` of a function.
pub const DESCRIPTORS: Limit = Limit {
    unit: Unit::Count,
    default: limit::DESCRIPTORS,
    low: limit::DESCRIPTORS_FLOOR,
    high: limit::DESCRIPTORS_CEILING,
};
/// `cpu` of a function.
pub const CPU: Limit = Limit {
    unit: Unit::Count,
    default: limit::CPU_CEILING,
    low: limit::CPU_FLOOR,
    high: limit::CPU_CEILING,
};
/// `tmp` of a function.
pub const TMP: Limit = Limit {
    unit: Unit::Bytes,
    default: limit::TMP_BYTES,
    low: 0,
    high: limit::TMP_BYTES_CEILING,
};

/// `reuse` of a function; the first word is what is taken without the key.
pub const REUSE: Key = optional(
    "reuse",
    Kind::Reuse,
    "What a later call may find of an earlier one",
);

/// The words that may stand there.
pub fn reuse_words() -> Vec<&'static str> {
    Reuse::ALL.iter().map(|(word, _)| *word).collect()
}

/// The keys of `[functions.NAME]`, in the order in which a message lists them.
pub const FUNCTION: [Key; 16] = [
    RUNTIME,
    PATH,
    HANDLER,
    BUILD,
    INCLUDE,
    REQUIREMENTS,
    PROFILE,
    PORTS,
    optional(
        "payload",
        Kind::Limit(PAYLOAD),
        "Bytes of one request or response",
    ),
    optional(
        "memory",
        Kind::Limit(MEMORY),
        "Bytes of address space of one instance",
    ),
    optional("timeout", Kind::Limit(TIMEOUT), "Seconds of one call"),
    optional(
        "processes",
        Kind::Limit(PROCESSES),
        "Processes and threads of all instances together",
    ),
    optional(
        "descriptors",
        Kind::Limit(DESCRIPTORS),
        "Descriptors that one instance may hold open",
    ),
    optional(
        "cpu",
        Kind::Limit(CPU),
        "Hundredths of a processor that all instances together may use, where the host has a control \
         group for that",
    ),
    optional(
        "tmp",
        Kind::Limit(TMP),
        "Bytes of the function's private /tmp, where the host allows mounts; 0 is none",
    ),
    REUSE,
];

/// The names of these keys.
pub fn names(keys: &[Key]) -> Vec<&'static str> {
    keys.iter().map(|key| key.name).collect()
}
