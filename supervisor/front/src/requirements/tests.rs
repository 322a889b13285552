//! What a requirements.txt may say, and what others have tried with one.

use super::*;

fn names(text: &str) -> Vec<String> {
    let read = read(&Source::new("requirements.txt", text));
    let requirements = read.unwrap_or_else(|problems| panic!("{problems:#?}"));
    requirements.into_iter().map(|one| one.name).collect()
}

/// The one problem of a text: line, column, message.
#[track_caller]
fn refused(text: &str) -> (usize, usize, String) {
    let problems = match read(&Source::new("requirements.txt", text)) {
        Err(problems) => problems,
        Ok(names) => panic!("{text:?} was accepted: {names:?}"),
    };
    assert_eq!(problems.len(), 1, "{problems:#?}");
    let problem = &problems[0];
    assert!(problem.suggestion.is_some(), "{problem:#?}");
    let (line, column) = (problem.line.unwrap(), problem.column.unwrap());
    (line, column, problem.message.clone())
}

#[test]
fn names_extras_versions_and_hashes_are_read() {
    let hash = "0123456789abcdef".repeat(4);
    let text = format!(
        "# what we need\n\nnumpy\nScikit_Learn==1.9.1  # exactly\n requests[socks, use.it] >=2.31, <3,!=2.32.*\n\
         pillow ~= 13.0 \\\n    --hash=sha256:{hash} \\\n    --hash=sha256:{hash}\nzope.interface>5\r\n"
    );
    assert_eq!(
        names(&text),
        [
            "numpy",
            "pillow",
            "requests",
            "scikit-learn",
            "zope-interface"
        ]
    );
    assert_eq!(names(""), [""; 0]);
    assert_eq!(names("# nothing\n"), [""; 0]);
}

#[test]
fn what_could_reach_the_operator_or_another_server_is_refused_where_it_stands() {
    for (text, column, word) in [
        ("-r other.txt", 1, "an option"),
        ("  --index-url x", 3, "an option"),
        ("-e .", 1, "an option"),
        ("--extra-index-url=x", 1, "an option"),
        ("numpy @ file:///etc/passwd", 13, "URL"),
        ("git+ssh://host/x", 8, "URL"),
        ("numpy @ wheel", 7, "URL"),
        ("./local", 2, "a path"),
        ("..\\x", 3, "a path"),
        ("${HOME}", 1, "environment"),
        ("numpy==$VERSION", 8, "environment"),
        ("numpy; python_version > '3'", 6, "marker"),
        ("numpy --no-deps", 7, "'-' does not belong"),
        ("numpy --hash=md5:00", 14, "another kind"),
        ("numpy --hash=sha256:00", 23, "2 digits"),
        ("numpy--hash=sha256:00", 12, "'=' does not belong"),
        ("numpy === 1", 9, "'=' does not belong"),
        ("numpy >=1 <2", 11, "'<' does not belong"),
        ("numpy >=1,", 11, "ends too early"),
        ("numpy >= 1.*", 12, "'*' does not belong"),
        ("numpy (>=1)", 7, "'(' does not belong"),
        ("numpy pandas", 7, "'p' does not belong"),
        ("numpy[", 7, "ends too early"),
        ("-numpy", 1, "an option"),
        ("_numpy", 1, "no package's name"),
        ("nümpy", 2, "not ASCII"),
        ("num\u{1b}py", 4, "not ASCII"),
        ("[extra]", 1, "no package's name"),
    ] {
        let (line, found, message) = refused(text);
        assert_eq!((line, found), (1, column), "{text}: {message}");
        assert!(message.contains(word), "{text}: {message}");
    }
}

#[test]
fn a_comment_or_a_joined_line_hides_nothing() {
    // pip joins lines before it drops comments.
    assert_eq!(refused("numpy \\\n-r other.txt").0, 1);
    assert_eq!(refused("numpy\n\\\n--index-url x").0, 2);
    assert_eq!(refused("# a comment \\\n-r other.txt").0, 2);
    assert!(refused("numpy#egg").2.contains("'#'"));
    assert_eq!(names("numpy \\"), ["numpy"]);
}

#[test]
fn what_pip_is_given_is_the_joined_line_without_its_comment() {
    let text = "  Six ==1.17.0 \\\n   # exactly\n";
    let read = read(&Source::new("requirements.txt", text)).unwrap();
    assert_eq!(read[0].line, "Six ==1.17.0");
    assert_eq!(read[0].name, "six");
}

#[test]
fn a_package_is_named_once_however_it_is_written() {
    let (line, _, message) = refused("Scikit-Learn\nscikit_learn==1\n");
    assert_eq!(line, 2);
    assert_eq!(message, "scikit-learn stands in line 1 already");
}

#[test]
fn a_thousand_requirements_are_read_and_more_are_refused() {
    let many = |count: usize| -> String { (0..count).map(|n| format!("p{n}\n")).collect() };
    assert_eq!(names(&many(1000)).len(), 1000);
    assert!(refused(&many(1001)).2.contains("1001 requirements"));
}

#[test]
fn the_problems_of_a_hostile_file_are_told_up_to_a_limit() {
    let problems = read(&Source::new("r", "-r x\n".repeat(500))).unwrap_err();
    assert_eq!(problems.len(), TOLD);
}
