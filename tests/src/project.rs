//! Small projects, made for one test and removed after it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A project in a folder of its own.
#[derive(Debug)]
pub struct Project {
    root: PathBuf,
}

static NEXT: AtomicU32 = AtomicU32::new(0);

impl Project {
    /// An empty folder.
    pub fn empty() -> Project {
        let name = format!(
            "klt-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let root = std::env::temp_dir().join(name);
        fs::create_dir_all(&root).expect("making a project");
        open_to_all(&root);
        Project { root }
    }

    /// A project whose workflow calls these functions one after the other. Each is a name and the
    /// Python source of a module of that name with a `handler`.
    pub fn sequence(functions: &[(&str, &str)]) -> Project {
        let mut states = Vec::new();
        for (at, (name, _)) in functions.iter().enumerate() {
            let onward = match functions.get(at + 1) {
                Some((next, _)) => format!(r#""Next": "{next}""#),
                None => r#""End": true"#.to_owned(),
            };
            states.push(format!(
                r#""{name}": {{"Type": "Task", "Resource": "{name}", {onward}}}"#
            ));
        }
        let first = functions.first().expect("a project without functions").0;
        let definition = format!(
            r#"{{"StartAt": "{first}", "States": {{{}}}}}"#,
            states.join(", ")
        );
        Project::with(&definition, functions)
    }

    /// A project with this definition and these functions.
    pub fn with(definition: &str, functions: &[(&str, &str)]) -> Project {
        let project = Project::empty();
        let mut manifest =
            "[workflow]\nname = \"t\"\ndefinition = \"workflow.asl.json\"\n".to_owned();
        for (name, source) in functions {
            manifest.push_str(&format!(
                "\n[functions.{name}]\nruntime = \"python3.11\"\npath = \"functions/{name}\"\n\
                 handler = \"{name}.handler\"\n"
            ));
            project.write(&format!("functions/{name}/{name}.py"), source);
        }
        project.write("workflow.asl.json", definition);
        project.write("keylane.toml", &manifest);
        project
    }

    /// Writes a file below the project.
    pub fn write(&self, path: &str, text: &str) {
        self.write_bytes(path, text.as_bytes());
    }

    /// Writes a file that is no text.
    pub fn write_bytes(&self, path: &str, bytes: &[u8]) {
        let path = self.root.join(path);
        let folder = path.parent().expect("a parent");
        fs::create_dir_all(folder).expect("making a folder");
        open_to_all(folder);
        fs::write(path, bytes).expect("writing a file");
    }

    /// Adds a native function whose shared object holds `bytes`: its tree has it as `lib.so`, and
    /// `symbol` is what is called in it.
    pub fn add_native(&self, name: &str, bytes: &[u8], symbol: &str) {
        self.append(&format!(
            "\n[functions.{name}]\nruntime = \"native\"\npath = \"functions/{name}\"\n\
             handler = \"lib.so:{symbol}\"\n"
        ));
        self.write_bytes(&format!("functions/{name}/lib.so"), bytes);
    }

    /// A project of one native function.
    pub fn native(bytes: &[u8], symbol: &str) -> Project {
        let definition =
            r#"{"StartAt": "f", "States": {"f": {"Type": "Task", "Resource": "f", "End": true}}}"#;
        let project = Project::with(definition, &[]);
        project.add_native("f", bytes, symbol);
        project
    }

    /// Adds text to `keylane.toml`.
    pub fn append(&self, text: &str) {
        let path = self.root.join("keylane.toml");
        let old = fs::read_to_string(&path).expect("reading keylane.toml");
        fs::write(path, old + text).expect("writing keylane.toml");
    }

    /// Its folder, for a command line.
    pub fn arg(&self) -> &str {
        self.root.to_str().expect("a path in UTF-8")
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.root
    }
}

/// Functions that root starts run as other users: whatever the umask, they can pass here.
fn open_to_all(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("opening a folder");
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}
