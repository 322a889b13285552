//! CPython inside this process: started, loaded with the function, called.
//!
//! The interpreter is started as `python3 -I -S -B` would be: nothing of the environment, no site
//! packages, no bytecode written; and with `-X utf8`, so that texts do not depend on a locale, and
//! `-X faulthandler`, so that a crash says in the function's own error output where it happened.
//! It is never finalised: an instance ends by exiting or by being ended.

#![expect(unsafe_code, reason = "calls CPython's C API")]

mod object;
mod table;

use crate::channel::SharedBytes;
use crate::fork::{self, Side};
use crate::runtime::{LoadFailure, Runtime, Target};
use keylane_policy::abi::channel::ResponseKind;
use keylane_policy::limit;
use nix::errno::Errno;
use object::Object;
use std::ffi::{CStr, OsStr, c_char};
use std::os::unix::ffi::OsStrExt;
use table::{LIBRARY, PyConfig, PyStatus, Table};

/// Where Debian's standard library lies: below `lib/python3.11` of it. Wide characters.
const HOME: &[libc::wchar_t] = &[0x2f, 0x75, 0x73, 0x72, 0];

/// What `python3` would be told. An absolute program name, so that nothing is searched for; `-c`
/// with a command, because without one Python would be interactive. The command is not run.
const ARGUMENTS: [&CStr; 10] = [
    c"/usr/bin/python3.11",
    c"-I",
    c"-S",
    c"-B",
    c"-X",
    c"utf8",
    c"-X",
    c"faulthandler",
    c"-c",
    c"pass",
];

/// The launcher's Python part, in the order in which it is loaded. The file names are what
/// `failure.py` leaves out of traces.
const SOURCES: [(&CStr, &CStr, &str); 3] = [
    (
        c"_keylane_failure",
        c"<keylane>/failure.py",
        concat!(include_str!("../../python/failure.py"), "\0"),
    ),
    (
        c"_keylane_load",
        c"<keylane>/load.py",
        concat!(include_str!("../../python/load.py"), "\0"),
    ),
    (
        c"_keylane_serve",
        c"<keylane>/serve.py",
        concat!(include_str!("../../python/serve.py"), "\0"),
    ),
];

/// What is sent when not even Python's own error handling works.
const NO_ANSWER: &[u8] = br#"{"errorType":"Runtime.Unknown","errorMessage":"the interpreter could not answer; its standard error says why","stackTrace":[]}"#;

/// The failure of something that only a bug of ours or a lack of memory can make fail.
fn internal(doing: &str) -> LoadFailure {
    let message = format!("{doing} failed; the function's standard error says why");
    LoadFailure::new("Runtime.Unknown", message)
}

/// The interpreter. This thread holds CPython's lock (object.rs, `gil-held`) whenever no method
/// of this type says otherwise.
pub(crate) struct Interpreter {
    table: &'static Table,
    serve: Object,
    load: Object,
    /// The function that answers a request; `None` until the function is loaded.
    call: Option<Object>,
}

impl Interpreter {
    /// Loads libpython and starts it.
    fn start() -> Result<Self, LoadFailure> {
        let table = Table::load(LIBRARY).map_err(|cause| {
            let message = format!("{cause}; the Debian package libpython3.11 holds the library");
            LoadFailure::new("PythonMissing", message)
        })?;
        initialise(table).map_err(|cause| {
            let message = format!(
                "Python does not start: {cause}; the Debian package libpython3.11-stdlib holds \
                 its standard library"
            );
            LoadFailure::new("PythonMissing", message)
        })?;
        let module = |name: &CStr, file: &CStr, source: &str| {
            let source = CStr::from_bytes_with_nul(source.as_bytes()).ok()?;
            Object::module(table, name, file, source)
        };
        let modules = SOURCES.map(|(name, file, source)| module(name, file, source));
        let [Some(_), Some(load), Some(serve)] = modules else {
            return Err(internal("starting the launcher's Python part"));
        };
        Ok(Interpreter {
            table,
            serve,
            load,
            call: None,
        })
    }

    /// Imports the function's module and finds its handler.
    fn import(&mut self, target: &Target<'_>) -> Result<(), LoadFailure> {
        match self
            .start_function(target)
            .and_then(|done| done.to_integer())
        {
            Some(0) => {
                let texts = self.serve.attribute(c"loaded");
                Err(texts
                    .and_then(|texts| failure(&texts))
                    .unwrap_or_else(|| internal("describing why the load failed")))
            }
            Some(_) => {
                self.call = self.serve.attribute(c"call");
                Ok(())
            }
            None => Err(internal("loading the function")),
        }
    }

    fn start_function(&self, target: &Target<'_>) -> Option<Object> {
        let text = |text: &OsStr| Object::bytes(self.table, text.as_bytes());
        let number = |value: usize| Object::integer(self.table, u64::try_from(value).ok()?);
        self.serve.attribute(c"start")?.call([
            &text(target.name)?,
            &text(target.tree)?,
            &text(target.handler)?,
            &number(limit::ERROR_NAME_BYTES)?,
            &number(limit::ERROR_CAUSE_BYTES)?,
        ])
    }

    fn answer(&self, request: SharedBytes, deadline: u64) -> Option<(ResponseKind, Object)> {
        // SAFETY: `Channel::request`, the only maker of these, compared the length with the area,
        // which stays mapped as long as the process.
        let request = unsafe { Object::copied(self.table, request.address, request.length) }?;
        let deadline = Object::integer(self.table, deadline)?;
        let answer = self.call.as_ref()?.call([&request, &deadline])?;
        let kind = u32::try_from(answer.item(0)?.to_integer()?).ok()?;
        Some((ResponseKind::try_from(kind).ok()?, answer.item(1)?))
    }
}

impl Runtime for Interpreter {
    fn load(target: &Target<'_>) -> Result<Self, LoadFailure> {
        let mut interpreter = Interpreter::start()?;
        interpreter.import(target)?;
        Ok(interpreter)
    }

    fn settle(&mut self) {
        if let Some(settle) = self.load.attribute(c"settle") {
            drop(settle.call([]));
        }
    }

    fn known_threads(&mut self) -> u64 {
        self.load
            .attribute(c"python_threads")
            .and_then(|count| count.call([])?.to_integer())
            // Not known: more than one, so that nothing is forked.
            .unwrap_or(u64::MAX)
    }

    fn threads_left(&mut self, handler: &OsStr) -> LoadFailure {
        Object::bytes(self.table, handler.as_bytes())
            .and_then(|handler| self.serve.attribute(c"threads")?.call([&handler]))
            .and_then(|texts| failure(&texts))
            .unwrap_or_else(|| internal("naming the threads that are left"))
    }

    fn become_worker(&mut self, capacity: u64) {
        if let Some(capacity) = Object::integer(self.table, capacity)
            && let Some(worker) = self.serve.attribute(c"worker")
        {
            drop(worker.call([&capacity]));
        }
    }

    fn hear_heartbeats(&mut self, word: SharedBytes) {
        // SAFETY: the channel stays mapped as long as the process (`Channel` has no `Drop`), so the
        // view never dangles; all that Python writes through it are four bytes of the channel that
        // are the function's.
        let view = unsafe { Object::window(self.table, word.address, word.length) };
        if let Some(view) = view
            && let Some(hear) = self.serve.attribute(c"hear")
        {
            drop(hear.call([&view]));
        }
    }

    fn call(
        &mut self,
        request: SharedBytes,
        deadline: u64,
        write: impl FnOnce(ResponseKind, &[u8]),
    ) {
        let answer = self.answer(request, deadline);
        let parts = answer
            .as_ref()
            .and_then(|(kind, body)| Some((*kind, body.to_bytes()?)));
        match parts {
            Some((kind, body)) => write(kind, body),
            None => write(ResponseKind::Error, NO_ANSWER),
        }
    }

    /// Runs `wait` without CPython's lock, so that threads of the function can go on.
    fn idle<T>(&mut self, wait: impl FnOnce() -> T) -> T {
        // SAFETY: this thread holds the lock (`gil-held`).
        let state = unsafe { (self.table.PyEval_SaveThread)() };
        let result = wait();
        // SAFETY: this thread does not hold the lock, and the state is its own from above.
        unsafe { (self.table.PyEval_RestoreThread)(state) };
        result
    }

    fn fork(&mut self, first: impl FnOnce()) -> Result<Side, Errno> {
        // SAFETY: `gil-held`; one of the two other hooks follows on every path.
        unsafe { (self.table.PyOS_BeforeFork)() };
        let side = fork::fork();
        if matches!(side, Ok(Side::Child)) {
            first();
            // SAFETY: this is the child, its only thread is the one that called the first hook.
            unsafe { (self.table.PyOS_AfterFork_Child)() };
        } else {
            // SAFETY: this is the parent, also where fork(2) failed.
            unsafe { (self.table.PyOS_AfterFork_Parent)() };
        }
        side
    }
}

/// The failure whose class name, message and trace `texts` holds.
fn failure(texts: &Object) -> Option<LoadFailure> {
    let text = |index| {
        let object = texts.item(index)?;
        Some(String::from_utf8_lossy(object.to_bytes()?).into_owned())
    };
    Some(LoadFailure::traced(text(0)?, text(1)?, text(2)?))
}

/// Starts the interpreter; this thread then holds its lock.
fn initialise(table: &Table) -> Result<(), String> {
    // SAFETY: before initialisation, as its manual demands; a terminated wide string, copied.
    unsafe { (table.Py_SetPythonHome)(HOME.as_ptr()) };
    let mut config = Box::new(PyConfig([0; 4096]));
    // SAFETY: room for more than a PyConfig, aligned for any of its fields.
    unsafe { (table.PyConfig_InitPythonConfig)(&raw mut *config) };
    let pointers: [*const c_char; ARGUMENTS.len()] = ARGUMENTS.map(CStr::as_ptr);
    // SAFETY: the config is initialised; as many terminated strings as said, copied by the call.
    let told = unsafe {
        (table.PyConfig_SetBytesArgv)(
            &raw mut *config,
            pointers.len().cast_signed(),
            pointers.as_ptr(),
        )
    };
    let result = checked(table, told).and_then(|()| {
        // SAFETY: the config is initialised and filled.
        let started = unsafe { (table.Py_InitializeFromConfig)(&raw const *config) };
        checked(table, started)
    });
    // SAFETY: the config is initialised, and not used after this.
    unsafe { (table.PyConfig_Clear)(&raw mut *config) };
    result
}

fn checked(table: &Table, status: PyStatus) -> Result<(), String> {
    // SAFETY: a pure question about a status that CPython returned.
    if unsafe { (table.PyStatus_Exception)(status) } == 0 {
        return Ok(());
    }
    if status.message.is_null() {
        return Err(format!(
            "initialisation asks for exit status {} (kind {}, in {:p})",
            status.exit_code, status.kind, status.function
        ));
    }
    // SAFETY: not null, and CPython's messages are terminated strings that live for good.
    Err(unsafe { CStr::from_ptr(status.message) }
        .to_string_lossy()
        .into_owned())
}
