//! A package index of a test's own, on the loopback interface (PEP 503): the distributions that the test
//! makes, and a count of what was asked.

use crate::{PYTHON, finish_with};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

/// Makes wheels and source archives; see the script.
const MAKER: &str = include_str!("wheels.py");

#[derive(Debug, Default)]
struct State {
    /// The files by name.
    files: BTreeMap<String, Vec<u8>>,
    /// The paths that were asked for.
    asked: Vec<String>,
}

/// The index; it answers as long as the process lives.
#[derive(Debug)]
pub struct Index {
    state: Arc<Mutex<State>>,
    port: u16,
    folder: PathBuf,
}

impl Index {
    /// An index without packages. `folder` is the test's own, for what is being made.
    pub fn new(folder: PathBuf) -> Index {
        std::fs::create_dir_all(&folder).expect("making a folder");
        let listener = TcpListener::bind("127.0.0.1:0").expect("listening on loopback");
        let port = listener.local_addr().expect("an address").port();
        let state: Arc<Mutex<State>> = Arc::default();
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || answer(stream, &shared));
            }
        });
        Index {
            state,
            port,
            folder,
        }
    }

    /// Publishes a distribution with these files.
    pub fn publish(&self, file: &str, files: &[(&str, &str)]) {
        let files: BTreeMap<&str, &str> = files.iter().copied().collect();
        let mut maker = Command::new(PYTHON);
        maker
            .args(["-I", "-c", MAKER])
            .arg(&self.folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let input = serde_json::json!([[file, files]]).to_string();
        finish_with(&mut maker, input.as_bytes()).expect_code(0);
        let bytes = std::fs::read(self.folder.join(file)).expect("a distribution");
        self.state.lock().unwrap().files.insert(file.into(), bytes);
    }

    /// Where pip finds it.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/simple", self.port)
    }

    /// The paths that were asked for.
    pub fn asked(&self) -> Vec<String> {
        self.state.lock().unwrap().asked.clone()
    }
}

fn answer(stream: TcpStream, state: &Mutex<State>) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let request = lines.next()?.ok()?;
    while !lines.next()?.ok()?.is_empty() {}
    let path = request.split(' ').nth(1)?.to_owned();
    let (status, kind, body) = {
        let mut state = state.lock().unwrap();
        state.asked.push(path.clone());
        content(&state, &path)
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let mut stream = stream;
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(&body).ok()
}

fn content(state: &State, path: &str) -> (&'static str, &'static str, Vec<u8>) {
    if let Some(file) = path.strip_prefix("/files/")
        && let Some(bytes) = state.files.get(file)
    {
        return ("200 OK", "application/octet-stream", bytes.clone());
    }
    let wanted = path.trim_start_matches("/simple/").trim_end_matches('/');
    let links: String = state
        .files
        .keys()
        .filter(|file| {
            let name = file.split('-').next().unwrap_or_default();
            name.replace(['_', '.'], "-").eq_ignore_ascii_case(wanted)
        })
        .map(|file| format!("<a href=\"/files/{file}\">{file}</a>\n"))
        .collect();
    if links.is_empty() {
        return ("404 Not Found", "text/plain", Vec::new());
    }
    let page = format!("<!DOCTYPE html><html><body>{links}</body></html>");
    ("200 OK", "text/html", page.into_bytes())
}
