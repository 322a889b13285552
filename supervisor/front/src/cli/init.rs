//! `keylane init`.

use super::print;
use crate::exit::Exit;
use crate::render;
use crate::render::escape;
use crate::render::screen::Screen;
use crate::scaffold::{self, Language};
use std::path::Path;

pub(super) fn init(folder: &Path, language: Language) -> Exit {
    match scaffold::make(folder, language) {
        Ok(made) => print(&told(folder, language, &made), Exit::Done),
        Err(failure) => {
            let asked = format!("init {}", folder.display());
            let text = render::failure::failure(&asked, &failure);
            Screen::stderr(true, false).failure(&text);
            Exit::before(failure.blame)
        }
    }
}

/// What was made, and the commands that come next, as they can be typed here.
fn told(folder: &Path, language: Language, made: &scaffold::Made) -> String {
    let widest = made.files.iter().map(|(path, _)| path.len()).max();
    let widest = widest.unwrap_or_default();
    let mut text = format!(
        "{} is a workflow of two functions, in {}\n",
        made.name,
        escape::line(&folder.display().to_string())
    );
    for (path, about) in &made.files {
        text.push_str(&format!("  {path:widest$}  {about}\n"));
    }
    let project = quoted(&folder.to_string_lossy());
    // A program that was named by its path is not in PATH.
    let program = std::env::args().next().unwrap_or_default();
    let named = if program.contains('/') {
        format!("KEYLANE={} ", quoted(&program))
    } else {
        String::new()
    };
    let program = quoted(if program.is_empty() {
        "keylane"
    } else {
        &program
    });
    let test = match language {
        Language::Python => format!("python3 -m unittest discover {project}"),
        Language::C => format!("sh {}", quoted(&folder.join("test.sh").to_string_lossy())),
    };
    text.push_str(&format!(
        "next:\n  {program} validate {project}\n  {program} run {project}\n  {named}{test}\n"
    ));
    text
}

/// A word as a POSIX shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./+,@%:=".contains(c);
    let word = escape::line(word);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_reaches_the_shell_as_it_is() {
        assert_eq!(quoted("my-project/x.y"), "my-project/x.y");
        assert_eq!(quoted("my project"), "'my project'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
