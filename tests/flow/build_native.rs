//! Native functions that `keylane build` makes from their sources in C: what comes out, and what a source
//! cannot reach. What hostile code in a compiler's place can do is tried in `supervisor/builder/tests/`.

use keylane_tests::leftover::names;
use keylane_tests::project::Project;
use keylane_tests::skip::has_gcc;
use keylane_tests::{Said, finish, keylane, run};
use serde_json::{Value, json};
use std::path::PathBuf;

const ONE: &str = "#include \"keylane.h\"\n#include \"answer.h\"\n\
    KEYLANE_FUNCTION(context, event, length, response) {\n    (void)context;\n    (void)event;\n    \
    (void)length;\n    return keylane_result(response, ANSWER, sizeof ANSWER - 1);\n}\n";

/// A project of one function in C whose folder holds these files, and a cache of its own.
struct Site {
    project: Project,
    around: Project,
}

impl Site {
    fn new(files: &[(&str, &str)]) -> Site {
        let definition =
            r#"{"StartAt": "f", "States": {"f": {"Type": "Task", "Resource": "f", "End": true}}}"#;
        let site = Site {
            project: Project::with(definition, &[]),
            around: Project::empty(),
        };
        site.project.append(
            "\n[functions.f]\nruntime = \"native\"\npath = \"functions/f\"\nbuild = \"c\"\nhandler = \"libf.so\"\n",
        );
        for (name, text) in files {
            site.project.write(&format!("functions/f/{name}"), text);
        }
        site
    }

    fn cache(&self, name: &str) -> PathBuf {
        self.around.path().join(name)
    }

    fn said(&self, cache: &str, arguments: &[&str]) -> Said {
        finish(keylane(arguments).env("XDG_CACHE_HOME", self.cache(cache)))
    }

    fn built(&self, cache: &str) -> Value {
        let said = self.said(cache, &["build", self.project.arg(), "--json"]);
        said.expect_code(0);
        said.json()["functions"][0].clone()
    }

    fn answer(&self) -> Value {
        let said = self.said("cache", &["run", self.project.arg(), "-q"]);
        said.expect_code(0);
        said.json()
    }
}

fn answering(text: &str) -> [(&'static str, String); 2] {
    let header = format!("#define ANSWER \"\\\"{text}\\\"\"\n");
    [("f.c", ONE.to_owned()), ("answer.h", header)]
}

fn site() -> Site {
    let files = answering("one");
    Site::new(&[("f.c", &files[0].1), ("answer.h", &files[1].1)])
}

#[test]
fn a_function_in_c_is_compiled_once_and_again_when_one_of_its_files_changes() {
    if !has_gcc("a_function_in_c_is_compiled_once_and_again_when_one_of_its_files_changes") {
        return;
    }
    let site = site();
    run(["validate", site.project.arg()]).expect_code(0);
    assert_eq!(site.answer(), "one");
    let first = site.built("cache");
    assert_eq!(first["cached"], true);
    assert_eq!(first["object"], "libf.so");
    assert_eq!(first["packages"], json!([]));
    // From the same sources the same bytes, made elsewhere.
    let second = site.built("elsewhere");
    assert_eq!(second["cached"], false);
    assert_eq!(second["digest"], first["digest"]);
    site.project
        .write("functions/f/answer.h", &answering("two")[1].1);
    assert_eq!(site.answer(), "two");
    assert_eq!(names(&site.cache("cache/keylane/trees")).len(), 2);
    // Nothing is written to the project.
    assert_eq!(names(&site.project.path().join("functions/f")).len(), 2);
}

#[test]
fn several_sources_and_folders_make_one_object() {
    if !has_gcc("several_sources_and_folders_make_one_object") {
        return;
    }
    let site = Site::new(&[
        (
            "f.c",
            "#include \"keylane.h\"\n#include \"parts/part.h\"\n\
             KEYLANE_FUNCTION(context, event, length, response) {\n    (void)context;\n    (void)event;\n    \
             return keylane_result(response, part(length), 1);\n}\n",
        ),
        (
            "parts/part.h",
            "#include <stddef.h>\nconst char *part(size_t length);\n",
        ),
        (
            "parts/part.c",
            "#include \"part.h\"\n#include <math.h>\nconst char *part(size_t length) {\n    \
             return sqrt((double)length) > 0 ? \"7\" : \"8\";\n}\n",
        ),
    ]);
    assert_eq!(site.answer(), 7);
}

#[test]
fn an_error_of_the_compiler_is_told_with_its_line_and_is_the_functions_fault() {
    if !has_gcc("an_error_of_the_compiler_is_told_with_its_line_and_is_the_functions_fault") {
        return;
    }
    let site = Site::new(&[("f.c", "int f(void) {\n    return nothing;\n}\n")]);
    for command in ["build", "run"] {
        let said = site.said("cache", &[command, site.project.arg()]);
        said.expect_code(2);
        assert!(said.err.contains("src/f.c:2:"), "{said:#?}");
        assert!(said.err.contains("fault of the function"), "{said:#?}");
    }
    assert_eq!(names(&site.cache("cache/keylane/trees")), [""; 0]);
    // What compiles and is no function is told as well.
    site.project.write("functions/f/f.c", "int f;\n");
    let said = site.said("cache", &["build", site.project.arg()]);
    said.expect_code(2);
    assert!(
        said.first_line().contains("no function for Keylane"),
        "{said:#?}"
    );
}

#[test]
fn a_source_includes_its_own_files_and_nothing_of_the_host_or_of_another_function() {
    if !has_gcc("a_source_includes_its_own_files_and_nothing_of_the_host_or_of_another_function") {
        return;
    }
    let site = site();
    site.project
        .write("functions/g/secret.h", "#define SECRET 1\n");
    let secret = site.around.path().join("secret.h");
    std::fs::write(&secret, "#define SECRET 1\n").unwrap();
    let other = site.project.path().join("functions/g/secret.h");
    for path in [
        secret.to_str().unwrap(),
        other.to_str().unwrap(),
        "../../g/secret.h",
        "../../../functions/g/secret.h",
        "/etc/passwd",
        "/proc/self/environ",
    ] {
        // The control is `answer.h`, which the same source includes.
        let header = format!("{}#include \"{path}\"\n", answering("one")[1].1);
        site.project.write("functions/f/answer.h", &header);
        let said = site.said("cache", &["build", site.project.arg()]);
        said.expect_code(2);
        let refused = ["No such file", "Permission denied"];
        assert!(
            refused.iter().any(|words| said.err.contains(words)),
            "{path}: {said:#?}"
        );
    }
    // The assembler reads files, too.
    let assembler = format!("{ONE}__asm__(\".incbin \\\"{}\\\"\");\n", secret.display());
    site.project
        .write("functions/f/answer.h", &answering("one")[1].1);
    site.project.write("functions/f/f.c", &assembler);
    let said = site.said("cache", &["build", site.project.arg()]);
    said.expect_code(2);
    let own = format!("{ONE}__asm__(\".incbin \\\"src/answer.h\\\"\");\n");
    site.project.write("functions/f/f.c", &own);
    assert_eq!(site.answer(), "one");
}

#[test]
fn an_object_that_was_changed_in_the_cache_is_forgotten_and_never_runs() {
    if !has_gcc("an_object_that_was_changed_in_the_cache_is_forgotten_and_never_runs") {
        return;
    }
    let site = site();
    assert_eq!(site.answer(), "one");
    let trees = site.cache("cache/keylane/trees");
    let object = trees.join(&names(&trees)[0]).join("tree/libf.so");
    let mut bytes = std::fs::read(&object).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::remove_file(&object).unwrap();
    std::fs::write(&object, bytes).unwrap();
    let said = site.said("cache", &["run", site.project.arg()]);
    said.expect_code(3);
    assert!(said.err.contains("was changed in the cache"), "{said:#?}");
    assert_eq!(site.answer(), "one");
}

#[test]
fn what_cannot_be_built_is_refused_before_anything_is_compiled() {
    let site = site();
    site.project.write("functions/f/libf.so", "mine");
    let told = |word: &str| {
        let said = run(["validate", site.project.arg()]);
        said.expect_code(2);
        assert!(said.out.contains(word), "{said:#?}");
    };
    told("is there already");
    std::fs::remove_file(site.project.path().join("functions/f/libf.so")).unwrap();
    std::fs::remove_file(site.project.path().join("functions/f/f.c")).unwrap();
    told("ends in .c");
    let manifest = site.project.path().join("keylane.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let python = text
        .replace("native", "python3.11")
        .replace("libf.so", "f.handler");
    std::fs::write(&manifest, python).unwrap();
    told("`build` makes native functions");
    std::fs::write(&manifest, text.replace("\"c\"", "\"fortran\"")).unwrap();
    told("there is no build \"fortran\"");
}
