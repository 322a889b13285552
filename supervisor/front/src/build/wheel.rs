//! The name of a wheel's file: `name-version(-build)-python-abi-platform.whl` (PEP 427). Pure.
//!
//! An attacker controls: every byte of it, in a lock file and in a folder that pip wrote.

use crate::requirements::normalized;

/// Bytes of a file's name (path_resolution(7): NAME_MAX).
const NAME_BYTES: usize = 255;

/// A wheel by the name of its file, which is safe as a file's name and as pip's argument.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WheelName {
    file: String,
    name: String,
    package: String,
    version: String,
}

impl TryFrom<&str> for WheelName {
    type Error = &'static str;

    fn try_from(file: &str) -> Result<WheelName, &'static str> {
        let known = |c: char| c.is_ascii_alphanumeric() || "._+!-".contains(c);
        let begins = file.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !begins || !file.chars().all(known) || file.len() > NAME_BYTES {
            return Err("it is no name of a wheel");
        }
        let stem = file.strip_suffix(".whl").ok_or("it does not end in .whl")?;
        let parts: Vec<&str> = stem.split('-').collect();
        let (Some(name), Some(version), 5..=6) = (parts.first(), parts.get(1), parts.len()) else {
            return Err("it has not the five or six parts of a wheel's name");
        };
        let begins = version.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !begins || parts.iter().any(|part| part.is_empty()) || name.contains(['+', '!']) {
            return Err("its name or version is none");
        }
        Ok(WheelName {
            file: file.to_owned(),
            name: (*name).to_owned(),
            package: normalized(name),
            version: (*version).to_owned(),
        })
    }
}

impl WheelName {
    /// The file's name.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The package by its normalized name (PEP 503), which tells packages apart.
    pub fn package(&self) -> &str {
        &self.package
    }

    /// The package, as the file writes it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its version.
    pub fn version(&self) -> &str {
        &self.version
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_wheels_name_are_read() {
        for (file, name, version) in [
            ("six-1.17.0-py2.py3-none-any.whl", "six", "1.17.0"),
            (
                "a_b.c-1.0+cpu-1-cp311-cp311-linux_x86_64.whl",
                "a_b.c",
                "1.0+cpu",
            ),
            ("x-1!2.0-py3-none-any.whl", "x", "1!2.0"),
        ] {
            let wheel = WheelName::try_from(file).unwrap();
            assert_eq!((wheel.name(), wheel.version()), (name, version));
            assert_eq!(wheel.file(), file);
        }
        let wheel = WheelName::try_from("A__b._C-1.0-py3-none-any.whl").unwrap();
        assert_eq!(wheel.package(), "a-b-c");
        let longest = format!("{}-1-py3-none-any.whl", "x".repeat(255 - 19));
        assert!(WheelName::try_from(&*longest).is_ok());
        assert!(WheelName::try_from(&*format!("x{longest}")).is_err());
    }

    #[test]
    fn what_could_be_a_path_or_an_option_is_no_wheel() {
        for file in [
            "",
            "six-1.17.0.tar.gz",
            "../six-1.0-py3-none-any.whl",
            "-r-1.0-py3-none-any.whl",
            ".six-1.0-py3-none-any.whl",
            "six-1.0-py3-none-any.whl\n",
            "six-1.0-py3-none.whl",
            "six--py3-none-any.whl",
            "six-.1-py3-none-any.whl",
            "a/b-1.0-py3-none-any.whl",
            "six-1.0-a-b-c-d-e.whl",
            "s x-1.0-py3-none-any.whl",
        ] {
            assert!(WheelName::try_from(file).is_err(), "{file:?}");
        }
    }
}
