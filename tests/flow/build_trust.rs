//! What `keylane build` and `run` believe: the operator's settings, the lock, the cache; and what is left
//! when a signal ends a build.

use crate::build::Site;
use keylane_tests::kept::kill;
use keylane_tests::leftover::names;
use keylane_tests::skip::has_pip;
use keylane_tests::{eventually, finish};
use std::path::PathBuf;

const USES: &str = "import tone\ndef handler(e, c):\n    return tone.TONE\n";
const WHEEL: &str = "tone-3.0-py3-none-any.whl";

fn site() -> Site {
    let site = Site::new("tone\n", USES);
    site.index.publish(WHEEL, &[("tone.py", "TONE = 'kind'\n")]);
    site
}

/// The one tree of a cache.
fn tree(site: &Site) -> PathBuf {
    let trees = site.cache("cache/keylane/trees");
    let [name] = &names(&trees)[..] else {
        panic!("{:?}", names(&trees))
    };
    trees.join(name).join("tree")
}

#[test]
fn a_tree_that_was_changed_in_the_cache_is_forgotten_and_never_runs() {
    if !has_pip("a_tree_that_was_changed_in_the_cache_is_forgotten_and_never_runs") {
        return;
    }
    let site = site();
    site.run("cache").expect_code(0);
    let module = tree(&site).join("tone.py");
    std::fs::remove_file(&module).unwrap();
    // As long as it was: one byte is another one.
    std::fs::write(&module, "TONE = 'evil'\n").unwrap();
    let said = site.run("cache");
    said.expect_code(3);
    assert!(
        said.first_line().contains("was changed in the cache"),
        "{said:#?}"
    );
    assert_eq!(said.out, "");
    assert_eq!(names(&site.cache("cache/keylane/trees")), [""; 0]);
    let again = site.run("cache");
    again.expect_code(0);
    assert_eq!(again.json(), "kind");
    // One file more is a change, too.
    std::fs::write(tree(&site).join("sneaked.py"), "").unwrap();
    site.run("cache").expect_code(3);
}

#[test]
fn settings_that_cannot_be_read_end_a_build_before_any_index_is_asked() {
    if !has_pip("settings_that_cannot_be_read_end_a_build_before_any_index_is_asked") {
        return;
    }
    let site = site();
    let command = || site.command("cache", &["build", site.project.arg()]);
    // A folder in the file's place: also root cannot read it.
    let blocked = site.cache(".config/pip/pip.conf");
    std::fs::create_dir_all(&blocked).unwrap();
    let said = finish(&mut command());
    said.expect_code(2);
    assert!(said.first_line().contains("pip.conf"), "{said:#?}");
    assert_eq!(site.index.asked(), [""; 0]);
    // Who wants no file at all says so, as to pip.
    finish(command().env("PIP_CONFIG_FILE", "/dev/null")).expect_code(0);
}

#[test]
fn the_index_of_every_file_that_pip_knows_is_the_one_that_is_asked() {
    if !has_pip("the_index_of_every_file_that_pip_knows_is_the_one_that_is_asked") {
        return;
    }
    for (place, variable) in [
        (".pip/pip.conf", None),
        (".config/pip/pip.conf", None),
        ("xdg/pip/pip.conf", Some(("XDG_CONFIG_DIRS", "xdg"))),
        ("named.conf", Some(("PIP_CONFIG_FILE", "named.conf"))),
    ] {
        let site = site();
        let file = site.cache(place);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let text = format!("[global]\nindex-url = {}\n", site.index.url());
        std::fs::write(file, text).unwrap();
        let mut command = site.command("cache", &["build", site.project.arg()]);
        command
            .env_remove("PIP_INDEX_URL")
            .env_remove("XDG_CONFIG_HOME");
        if let Some((name, value)) = variable {
            command.env(name, site.cache(value));
        }
        finish(&mut command).expect_code(0);
        assert!(!site.index.asked().is_empty(), "{place}");
    }
}

#[test]
fn a_lock_that_lacks_what_is_required_or_has_another_hash_is_refused() {
    if !has_pip("a_lock_that_lacks_what_is_required_or_has_another_hash_is_refused") {
        return;
    }
    let site = site();
    site.build("cache", &[]).expect_code(0);
    let good = site.lock();
    let start = good.find("packages = [").unwrap();
    site.project.write(
        "keylane.lock",
        &format!("{}packages = []\n", &good[..start]),
    );
    let said = site.build("cache", &[]);
    said.expect_code(2);
    assert!(said.first_line().contains("no wheel of tone"), "{said:#?}");
    // The requirements name one hash and the lock another, which the cache has.
    let named = format!("tone --hash=sha256:{}\n", "0".repeat(64));
    site.project.write("functions/f/requirements.txt", &named);
    let fingerprint = |text: &str| {
        let start = text.find("requirements = \"").unwrap() + "requirements = \"".len();
        text[start..start + 64].to_owned()
    };
    let other = sha256(named.trim());
    let forged = good.replace(&fingerprint(&good), &other);
    site.project.write("keylane.lock", &forged);
    let said = site.run("cache");
    said.expect_code(2);
    assert!(said.first_line().contains("another hash"), "{said:#?}");
}

fn sha256(text: &str) -> String {
    let program = "import hashlib, sys; print(hashlib.sha256(sys.argv[1].encode()).hexdigest())";
    let mut command = std::process::Command::new(keylane_tests::PYTHON);
    command
        .args(["-I", "-c", program, text])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    finish(&mut command).out.trim().to_owned()
}

#[test]
fn a_signal_ends_a_build_and_nothing_of_it_is_left() {
    if !has_pip("a_signal_ends_a_build_and_nothing_of_it_is_left") {
        return;
    }
    for (signal, code) in [(2, 130), (15, 143)] {
        for what in ["build", "run"] {
            let site = site();
            let temporary = site.cache("tmp");
            std::fs::create_dir(&temporary).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(&temporary, mode).unwrap();
            let mut command = site.command("cache", &[what, site.project.arg()]);
            let child = command.env("TMPDIR", &temporary).spawn().unwrap();
            // Somewhere in the middle: pip has asked.
            assert!(eventually(|| !site.index.asked().is_empty()));
            assert_eq!(names(&temporary).len(), 1);
            kill(child.id(), signal);
            let ended = child.wait_with_output().unwrap();
            let words = String::from_utf8_lossy(&ended.stderr);
            assert_eq!(ended.status.code(), Some(code), "{what}: {words}");
            assert!(words.contains("ended it"), "{words}");
            assert_eq!(names(&temporary), [""; 0]);
            assert_eq!(names(&site.cache("cache/keylane/draft")), [""; 0]);
            assert_eq!(site.lock(), "");
        }
    }
}
