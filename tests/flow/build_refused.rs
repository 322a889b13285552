//! `keylane build` and what it does not do: hostile requirements, locks, wheels and source archives.
//! What a build worker's jail keeps from the code in it is tried in `supervisor/builder/tests/`.

use crate::build::Site;
use keylane_tests::skip::has_pip;

const PLAIN: &str = "def handler(e, c):\n    return 1\n";

#[test]
fn a_hostile_line_is_refused_where_it_stands_and_no_index_is_asked() {
    for line in [
        "-r /etc/passwd",
        "-e .",
        "--index-url http://127.0.0.1:9/simple",
        "--find-links /",
        "--config-settings x=y",
        "greeting @ file:///etc/passwd",
        "greeting @ http://127.0.0.1:9/x.whl",
        "git+https://127.0.0.1:9/x",
        "./setup.py",
        "greeting==${HOME}",
        "greeting; python_version > '3'",
        "greeting --global-option=x",
        "greeting\u{1b}[2J",
    ] {
        let site = Site::new(&format!("tone\n{line}\n"), PLAIN);
        for command in ["build", "run"] {
            let mut command = site.command("cache", &[command, site.project.arg()]);
            let said = keylane_tests::finish(&mut command);
            said.expect_code(2);
            assert!(
                said.err.contains("functions/f/requirements.txt:2:"),
                "{line}: {said:#?}"
            );
        }
        assert_eq!(site.index.asked(), [""; 0], "{line}");
        assert!(!site.cache("cache").exists(), "{line}");
    }
}

#[test]
fn bytes_that_the_lock_does_not_say_are_not_installed() {
    if !has_pip("bytes_that_the_lock_does_not_say_are_not_installed") {
        return;
    }
    let site = Site::new(
        "tone\n",
        "import tone\ndef handler(e, c):\n    return tone.TONE\n",
    );
    let file = "tone-3.0-py3-none-any.whl";
    site.index.publish(file, &[("tone.py", "TONE = 'kind'\n")]);
    site.build("cache", &[]).expect_code(0);
    let lock = site.lock();
    // The same version with other bytes, for somebody who has nothing in the cache yet.
    site.index.publish(file, &[("tone.py", "TONE = 'evil'\n")]);
    let said = site.build("elsewhere", &[]);
    said.expect_code(2);
    assert!(said.err.contains("other bytes than the lock"), "{said:#?}");
    assert_eq!(site.lock(), lock);
    // Who has them goes on, and bytes that were changed in the cache are forgotten.
    assert_eq!(site.run("cache").json(), "kind");
    let wheels = site.cache("cache/keylane/wheels");
    for wheel in std::fs::read_dir(wheels).unwrap().flatten() {
        std::fs::write(wheel.path(), "other").unwrap();
    }
    std::fs::remove_dir_all(site.cache("cache/keylane/trees")).unwrap();
    let said = site.build("cache", &["--offline"]);
    said.expect_code(3);
    assert!(
        said.first_line().contains("was changed in the cache"),
        "{said:#?}"
    );
}

#[test]
fn a_source_archive_is_refused_and_its_build_script_never_runs() {
    if !has_pip("a_source_archive_is_refused_and_its_build_script_never_runs") {
        return;
    }
    let site = Site::new("tone\n", PLAIN);
    let marker = site.cache("marker");
    // Each attempt by itself: the jail alone would stop the first one.
    let script = format!(
        "try:\n    open({:?}, 'w').write('ran')\nexcept OSError:\n    pass\n\
         import urllib.request\nurllib.request.urlopen({:?})\n",
        marker.to_str().unwrap(),
        format!("{}/ran", site.index.url()),
    );
    let files = [
        ("setup.py", script.as_str()),
        ("PKG-INFO", "Name: tone\nVersion: 3.0\n"),
    ];
    site.index.publish("tone-3.0.tar.gz", &files);
    let said = site.build("cache", &[]);
    said.expect_code(2);
    assert!(
        said.err.contains("source packages are not built"),
        "{said:#?}"
    );
    assert!(!marker.exists());
    assert!(!site.index.asked().iter().any(|path| path.ends_with("/ran")));
    // Where a wheel stands beside it, that is taken.
    site.index.publish(
        "tone-2.0-py3-none-any.whl",
        &[("tone.py", "TONE = 'kind'\n")],
    );
    site.build("cache", &[]).expect_code(0);
    assert!(site.lock().contains("tone-2.0-py3-none-any.whl"));
}

/// pip's own check is what refuses these wheels; that the jail would stop them too is tried in
/// `supervisor/builder/tests/`.
#[test]
fn a_wheel_that_unpacks_beyond_its_folder_makes_no_tree() {
    if !has_pip("a_wheel_that_unpacks_beyond_its_folder_makes_no_tree") {
        return;
    }
    let site = Site::new("tone\n", PLAIN);
    let outside = site.cache("outside");
    std::fs::create_dir_all(&outside).unwrap();
    let absolute = format!("{}/written", outside.display());
    let relative = "../../../../../../../../../../tmp/keylane-test-escaped";
    for path in [absolute.as_str(), relative] {
        site.index.publish(
            "tone-3.0-py3-none-any.whl",
            &[("tone.py", "TONE = 1\n"), (path, "x")],
        );
        let said = site.build("cache", &[]);
        said.expect_code(2);
        assert!(!std::path::Path::new(&absolute).exists());
        assert!(!std::path::Path::new("/tmp/keylane-test-escaped").exists());
        let trees = site.cache("cache/keylane/trees");
        assert_eq!(std::fs::read_dir(trees).unwrap().count(), 0, "{said:#?}");
        assert_eq!(site.lock(), "");
    }
}

#[test]
fn a_path_file_executes_nothing_at_a_functions_start() {
    if !has_pip("a_path_file_executes_nothing_at_a_functions_start") {
        return;
    }
    let site = Site::new(
        "tone\n",
        "import builtins, os\ndef handler(e, c):\n    return [hasattr(builtins, 'OWNED'), os.listdir('site-packages')]\n",
    );
    let files = [
        ("tone.py", "TONE = 1\n"),
        ("evil.pth", "import builtins; builtins.OWNED = True\n"),
        (
            "sitecustomize.py",
            "import builtins; builtins.OWNED = True\n",
        ),
    ];
    site.index.publish("tone-3.0-py3-none-any.whl", &files);
    let ran = site.run("cache");
    ran.expect_code(0);
    let found = ran.json();
    assert_eq!(found[0], false, "{ran:#?}");
    let names = found[1].as_array().unwrap();
    assert!(names.iter().any(|name| name == "tone.py"), "{names:?}");
    assert!(!names.iter().any(|name| name == "evil.pth"), "{names:?}");
}

#[test]
fn a_lock_that_is_a_link_or_names_a_path_is_refused() {
    let site = Site::new("tone\n", PLAIN);
    let lock = site.project.path().join("keylane.lock");
    std::os::unix::fs::symlink("/etc/passwd", &lock).unwrap();
    let said = site.build("cache", &[]);
    said.expect_code(2);
    assert!(said.err.contains("symbolic link"), "{said:#?}");
    std::fs::remove_file(&lock).unwrap();
    let hash = "0".repeat(64);
    let text = format!(
        "version = 1\n[functions.f]\nrequirements = \"{hash}\"\npackages = [{{ file = \"../x.whl\", sha256 = \"{hash}\" }}]\n"
    );
    site.project.write("keylane.lock", &text);
    let said = site.build("cache", &[]);
    said.expect_code(2);
    assert!(said.err.contains("no name of a wheel"), "{said:#?}");
    assert_eq!(site.index.asked(), [""; 0]);
}
