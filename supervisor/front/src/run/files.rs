//! Files that a run writes: refused before it starts where they cannot be written, and there whole
//! or not at all.

use keylane_policy::blame::{Blame, Failure};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A file that will be written when the run is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    path: PathBuf,
    doing: String,
}

impl Target {
    /// Checks that `path` can be written; `option` is what named it: `--trace`.
    pub fn check(option: &str, path: &Path) -> Result<Target, Failure> {
        let target = Target {
            path: path.to_owned(),
            doing: format!("writing {option} {}", path.display()),
        };
        let refuse = |cause: String| Failure::new(Blame::Operator, &target.doing, cause);
        if path.file_name().is_none() {
            return Err(refuse("it names no file".to_owned()).advise("name a file to write"));
        }
        match fs::symlink_metadata(path) {
            Ok(found) if !found.is_file() => {
                let cause = "it exists and is not a plain file".to_owned();
                return Err(refuse(cause).advise("name a plain file, or one that does not exist"));
            }
            Ok(_) | Err(_) => {}
        }
        let tried = target
            .create()
            .and_then(|(temporary, _file)| fs::remove_file(temporary));
        match tried {
            Ok(()) => Ok(target),
            Err(error) => {
                let advice = "name a file in a directory that exists and that you may write to";
                Err(refuse(error.to_string()).advise(advice))
            }
        }
    }

    /// Writes the file: beside its place first, and into its place when all of it is there.
    pub fn write(&self, text: &str) -> Result<(), Failure> {
        let failed = |error: io::Error| {
            Failure::new(Blame::Host, &self.doing, error.to_string())
                .advise("make room, or name another file")
        };
        let (temporary, mut file) = self.create().map_err(failed)?;
        let written = file
            .write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&temporary, &self.path));
        written.map_err(|error| {
            let _the_first_error_counts = fs::remove_file(&temporary);
            failed(error)
        })
    }

    /// A new file in the same directory, so that a rename puts it into its place.
    fn create(&self) -> io::Result<(PathBuf, fs::File)> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let name: String = name.chars().take(100).collect();
        let temporary = self
            .path
            .with_file_name(format!(".{name}.{}.partial", std::process::id()));
        let file = OpenOptions::new()
            .write(true)
            // Fails on whatever is there already, a link as well.
            .create_new(true)
            .mode(0o644)
            .open(&temporary)?;
        Ok((temporary, file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TempFolder;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = TempFolder::new();
        let path = folder.path().join("t.svg");
        let target = Target::check("--timeline", &path).unwrap();
        assert!(!path.exists());
        target.write("one").unwrap();
        target.write("two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_written_is_refused_and_says_what_to_do() {
        let folder = TempFolder::new();
        let inside = folder.path().join("t");
        fs::create_dir(&inside).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link")).unwrap();
        for path in [
            inside.clone(),
            folder.path().join("none/t.svg"),
            folder.path().join("link"),
            "/dev/stdout".into(),
            "/proc/t.svg".into(),
            "..".into(),
            "".into(),
        ] {
            let failure = Target::check("--trace", &path).unwrap_err();
            assert_eq!(failure.blame, Blame::Operator, "{}", path.display());
            assert!(failure.advice.is_some(), "{}", path.display());
        }
        assert_eq!(fs::read_dir(&inside).unwrap().count(), 0);
    }
}
