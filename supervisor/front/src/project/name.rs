//! Names and paths as a project's file gives them: each a type whose one constructor checks it.

use keylane_policy::abi::message::Runtime;
use keylane_policy::limit;
use std::fmt;
use std::path::{Component, Path};

/// Why a name or path is refused, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadName {
    /// What is wrong with it.
    pub wrong: String,
    /// What to do.
    pub advice: String,
}

fn bad<T>(wrong: impl Into<String>, advice: impl Into<String>) -> Result<T, BadName> {
    Err(BadName {
        wrong: wrong.into(),
        advice: advice.into(),
    })
}

/// The name of a workflow or of a function: 1 to 64 of the characters `A-Z a-z 0-9 _ -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl TryFrom<&str> for Name {
    type Error = BadName;

    fn try_from(text: &str) -> Result<Name, BadName> {
        let advice = "use 1 to 64 letters (A-Z, a-z), digits, `_` and `-`";
        if text.is_empty() {
            return bad("the name is empty", advice);
        }
        if text.len() > limit::NAME_BYTES {
            return bad(format!("the name is {} bytes long", text.len()), advice);
        }
        let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        match text.chars().find(|c| !good(*c)) {
            Some(c) => bad(format!("the name holds the character {c:?}"), advice),
            None => Ok(Name(text.to_owned())),
        }
    }
}

impl Name {
    /// The name's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A path within the project: relative, without `.` and `..`, without control characters.
///
/// The check serves the message; what keeps a path inside is [`crate::beneath`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelativePath(String);

impl TryFrom<&str> for RelativePath {
    type Error = BadName;

    fn try_from(text: &str) -> Result<RelativePath, BadName> {
        if text.is_empty() {
            return bad(
                "the path is empty",
                "write a path relative to the project's folder",
            );
        }
        if text.len() > limit::PATH_BYTES {
            return bad(
                format!("the path is {} bytes long", text.len()),
                format!("the kernel takes {} bytes", limit::PATH_BYTES),
            );
        }
        if let Some(c) = text.chars().find(|c| c.is_control()) {
            return bad(
                format!("the path holds the character {c:?}"),
                "rename the file",
            );
        }
        let mut parts = Vec::new();
        for part in Path::new(text).components() {
            match part {
                Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
                Component::CurDir => {}
                Component::ParentDir => {
                    return bad(
                        "the path holds `..`",
                        "copy what is needed into the project, and write its path from there",
                    );
                }
                Component::RootDir | Component::Prefix(_) => {
                    return bad(
                        "the path is absolute",
                        "write a path relative to the project's folder",
                    );
                }
            }
        }
        if parts.is_empty() {
            return bad(
                "the path is the project's folder itself",
                "name a folder or file in it: each function sees only what it names",
            );
        }
        Ok(RelativePath(parts.join("/")))
    }
}

impl RelativePath {
    /// The path's text, without `.` and doubled or trailing slashes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same as a path.
    pub fn as_path(&self) -> &Path {
        Path::new(&self.0)
    }
}

impl fmt::Display for RelativePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a function's code begins, in the terms of what runs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handler {
    /// A function of a Python module.
    Python(PythonHandler),
    /// A function of a shared object.
    Native(NativeHandler),
}

impl Handler {
    /// The handler as the project wrote it.
    pub fn as_str(&self) -> &str {
        match self {
            Handler::Python(handler) => &handler.text,
            Handler::Native(handler) => &handler.text,
        }
    }

    /// What runs it.
    pub fn runtime(&self) -> Runtime {
        match self {
            Handler::Python(_) => Runtime::Python,
            Handler::Native(_) => Runtime::Native,
        }
    }
}

/// A handler in a shared object: `FILE`, or `FILE:SYMBOL` where it is not the usual symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NativeHandler {
    text: String,
    file: RelativePath,
    symbol: String,
}

impl TryFrom<&str> for NativeHandler {
    type Error = BadName;

    fn try_from(text: &str) -> Result<NativeHandler, BadName> {
        let (file, symbol) = text
            .rsplit_once(':')
            .unwrap_or((text, keylane_abi::DEFAULT_SYMBOL));
        if !is_identifier(symbol) {
            return bad(
                format!("{symbol:?} in the handler is no name of a C function"),
                "write it as `libfile.so`, or as `libfile.so:function`",
            );
        }
        let file = RelativePath::try_from(file).map_err(|bad| BadName {
            wrong: format!("in the handler, {}", bad.wrong),
            advice: "name a file of the function's tree: `libfile.so`, `lib/libfile.so`".into(),
        })?;
        Ok(NativeHandler {
            text: text.to_owned(),
            file,
            symbol: symbol.to_owned(),
        })
    }
}

impl NativeHandler {
    /// The shared object's path in the function's tree.
    pub fn file(&self) -> &RelativePath {
        &self.file
    }

    /// The symbol of the function in it.
    pub fn symbol(&self) -> &str {
        &self.symbol
    }
}

/// A Python handler, `module.function`; the module may lie in packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PythonHandler {
    text: String,
    modules: Vec<String>,
    function: String,
}

impl TryFrom<&str> for PythonHandler {
    type Error = BadName;

    fn try_from(text: &str) -> Result<PythonHandler, BadName> {
        let advice =
            "write it as `module.function`, like `lastpx.handler` for `def handler` in lastpx.py";
        let mut parts: Vec<String> = text.split('.').map(str::to_owned).collect();
        for part in &parts {
            if !is_identifier(part) {
                return bad(
                    format!("{part:?} in the handler is not a Python name"),
                    advice,
                );
            }
        }
        match parts.pop() {
            Some(function) if !parts.is_empty() => Ok(PythonHandler {
                text: text.to_owned(),
                modules: parts,
                function,
            }),
            _ => bad("the handler names no module", advice),
        }
    }
}

/// Letters, digits and `_`, no digit first. Python also takes letters of other scripts; a handler
/// is easier to compare by eye without them.
fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    let first = chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    first && text.len() <= limit::NAME_BYTES && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

impl PythonHandler {
    /// The function within its module.
    pub fn function(&self) -> &str {
        &self.function
    }

    /// The module's path in a function's tree without its ending: `pkg/lastpx`.
    pub fn module_path(&self) -> String {
        self.modules.join("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Result<RelativePath, BadName> {
        RelativePath::try_from(text)
    }

    #[test]
    fn a_name_is_ascii_short_and_without_separators() {
        for good in ["a", "last_px-2", &"x".repeat(64)] {
            assert!(Name::try_from(good).is_ok(), "{good}");
        }
        for wrong in ["", "a b", "a/b", "..", "a.b", "é", "a\n", &"x".repeat(65)] {
            assert!(Name::try_from(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_path_stays_within_the_project() {
        assert_eq!(
            path("functions//lastpx/").unwrap().as_str(),
            "functions/lastpx"
        );
        assert_eq!(path("./data/x.csv").unwrap().as_str(), "data/x.csv");
        for wrong in [
            "",
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a/..",
            ".",
            "./",
            "a\0b",
            "a\x1b",
        ] {
            assert!(path(wrong).is_err(), "{wrong:?}");
        }
        assert!(path(&"a/".repeat(3000)).is_err());
    }

    #[test]
    fn a_handler_is_a_module_and_a_function() {
        let handler = PythonHandler::try_from("pkg.checks.last_px").unwrap();
        assert_eq!(handler.module_path(), "pkg/checks");
        assert_eq!(handler.function(), "last_px");
        for wrong in [
            "", "handler", ".handler", "a..b", "a.b()", "a.1b", "../x.y", "a/b.c",
        ] {
            assert!(PythonHandler::try_from(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_native_handler_is_a_file_of_the_tree_and_perhaps_a_symbol() {
        let handler = NativeHandler::try_from("./lib/libf.so").unwrap();
        assert_eq!(handler.file().as_str(), "lib/libf.so");
        assert_eq!(handler.symbol(), "keylane_function");
        let handler = NativeHandler::try_from("libf.so:last_px").unwrap();
        assert_eq!(handler.file().as_str(), "libf.so");
        assert_eq!(handler.symbol(), "last_px");
        for wrong in [
            "",
            ":f",
            "libf.so:",
            "libf.so:1",
            "libf.so:a b",
            "/lib/libf.so",
            "../libf.so",
        ] {
            assert!(NativeHandler::try_from(wrong).is_err(), "{wrong:?}");
        }
    }
}
