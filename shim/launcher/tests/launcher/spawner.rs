//! The spawner's part: starts the launcher, speaks over its socket, takes its output.

#![expect(
    unsafe_code,
    reason = "places a descriptor in the child before it runs"
)]

use crate::tree::Tree;
use keylane_policy::abi::message::{FromZygote, ToZygote};
use keylane_policy::abi::wire;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, recvmsg,
    sendmsg, setsockopt, socketpair, sockopt,
};
use std::io::{IoSlice, IoSliceMut, Read};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Longer than anything here takes, short enough for a hang to be noticed.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Zygote {
    child: Child,
    pub(crate) socket: OwnedFd,
    output: Option<(Collected, Collected)>,
    _tree: Tree,
}

/// What a whole run of a zygote left behind.
pub(crate) struct Remains {
    pub(crate) status: ExitStatus,
    pub(crate) output: String,
    pub(crate) errors: String,
}

/// What is written to a pipe until its last writer is gone.
pub(crate) struct Collected(JoinHandle<String>);

/// Starts to collect.
pub(crate) fn collect(mut pipe: impl Read + Send + 'static) -> Collected {
    Collected(std::thread::spawn(move || {
        let mut text = Vec::new();
        pipe.read_to_end(&mut text).unwrap();
        String::from_utf8(text).unwrap()
    }))
}

impl Collected {
    /// All of it.
    pub(crate) fn text(self) -> String {
        let since = Instant::now();
        while !self.0.is_finished() {
            assert!(since.elapsed() < PATIENCE, "a writer keeps its pipe open");
            std::thread::sleep(Duration::from_millis(2));
        }
        self.0.join().unwrap()
    }
}

/// Makes `number` descriptor 3 as well, in a child that is about to exec, and sees to it that the
/// child gets nothing beyond that: whatever ran this program may have left descriptors open.
fn place(number: RawFd) -> std::io::Result<()> {
    // A socket that is number 3 already would keep its close-on-exec flag.
    if number == 3 {
        return Err(std::io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: the parent holds `number` open until it has spawned; nothing here owns number 3.
    if unsafe { libc::dup2(number, 3) } < 0 {
        return Err(std::io::Error::last_os_error());
    }
    let cloexec = i32::try_from(libc::CLOSE_RANGE_CLOEXEC).map_err(std::io::Error::other)?;
    // SAFETY: only marks descriptors, which all close at the exec that follows.
    if unsafe { libc::close_range(4, u32::MAX, cloexec) } < 0 {
        return Err(std::io::Error::last_os_error());
    }
    Ok(())
}

impl Zygote {
    /// Starts a launcher without waiting for its first message.
    pub(crate) fn start(files: &[(&str, &str)], handler: &str) -> Self {
        Zygote::start_with(files, handler, &[])
    }

    pub(crate) fn start_with(
        files: &[(&str, &str)],
        handler: &str,
        environment: &[(&str, &str)],
    ) -> Self {
        let program = env!("CARGO_BIN_EXE_keylane-launcher");
        Zygote::start_program(program, Tree::with(files), handler, environment)
    }

    /// Starts the launcher of native functions on what `source`, in C or C++, is compiled to.
    pub(crate) fn start_native(source: &str, handler: &str) -> Self {
        Zygote::start_native_in(crate::compiler::tree(source), handler)
    }

    /// Starts the launcher of native functions on this tree.
    pub(crate) fn start_native_in(tree: Tree, handler: &str) -> Self {
        let program = env!("CARGO_BIN_EXE_keylane-native");
        Zygote::start_program(program, tree, handler, &[])
    }

    /// As [`Zygote::start_native`] with the only function of `libf.so`, and waits until it is loaded.
    pub(crate) fn native(source: &str) -> Self {
        let zygote = Zygote::start_native(source, "libf.so");
        assert_eq!(zygote.receive().0, FromZygote::Loaded);
        zygote
    }

    fn start_program(
        program: &str,
        tree: Tree,
        handler: &str,
        environment: &[(&str, &str)],
    ) -> Self {
        let (ours, theirs) = socketpair(
            AddressFamily::Unix,
            SockType::SeqPacket,
            None,
            SockFlag::SOCK_CLOEXEC,
        )
        .unwrap();
        setsockopt(&ours, sockopt::PassCred, &true).unwrap();
        let mut command = Command::new(program);
        command
            .arg0("function")
            .arg(tree.path())
            .arg(handler)
            .current_dir(tree.path())
            .env_clear()
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let number = theirs.as_raw_fd();
        // SAFETY: `place` makes one async-signal-safe call and reads errno.
        unsafe { command.pre_exec(move || place(number)) };
        let mut child = command.spawn().unwrap();
        let output = collect(child.stdout.take().unwrap());
        let errors = collect(child.stderr.take().unwrap());
        Zygote {
            child,
            socket: ours,
            output: Some((output, errors)),
            _tree: tree,
        }
    }

    /// Starts a launcher and waits until it has loaded its function.
    pub(crate) fn loaded(files: &[(&str, &str)], handler: &str) -> Self {
        let zygote = Zygote::start(files, handler);
        assert_eq!(zygote.receive().0, FromZygote::Loaded);
        zygote
    }

    /// The next message and the process id that the kernel vouches for.
    pub(crate) fn receive(&self) -> (FromZygote, i32) {
        let mut asked = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
        let timeout = PollTimeout::try_from(PATIENCE).unwrap();
        assert_eq!(poll(&mut asked, timeout), Ok(1), "no message came");
        let mut bytes = vec![0; 1 << 16];
        let mut control = nix::cmsg_space!(nix::sys::socket::UnixCredentials, [RawFd; 4]);
        let mut buffers = [IoSliceMut::new(&mut bytes)];
        let received = recvmsg::<()>(
            self.socket.as_raw_fd(),
            &mut buffers,
            Some(&mut control),
            MsgFlags::empty(),
        )
        .unwrap();
        let mut sender = 0;
        for message in received.cmsgs().unwrap() {
            match message {
                ControlMessageOwned::ScmCredentials(credentials) => sender = credentials.pid(),
                ControlMessageOwned::ScmRights(numbers) => {
                    for number in numbers {
                        // SAFETY: just received, and owned by nobody.
                        drop(unsafe { OwnedFd::from_raw_fd(number) });
                    }
                    panic!("the launcher sent descriptors");
                }
                _ => {}
            }
        }
        let length = received.bytes;
        (wire::decode(&bytes[..length]).unwrap(), sender)
    }

    /// Sends bytes and descriptors as they are.
    pub(crate) fn send_raw(&self, bytes: &[u8], descriptors: &[&OwnedFd]) {
        let numbers: Vec<RawFd> = descriptors.iter().map(|fd| fd.as_raw_fd()).collect();
        sendmsg::<()>(
            self.socket.as_raw_fd(),
            &[IoSlice::new(bytes)],
            &[ControlMessage::ScmRights(&numbers)],
            MsgFlags::empty(),
            None,
        )
        .unwrap();
    }

    pub(crate) fn send_fork(&self, serial: u64, capacity: u64, descriptors: &[&OwnedFd]) {
        let message = wire::encode(&ToZygote::Fork { serial, capacity }).unwrap();
        self.send_raw(&message, descriptors);
    }

    /// The zygote's process id.
    pub(crate) fn id(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    /// Closes the socket and waits for the end.
    pub(crate) fn finish(mut self) -> Remains {
        let (null, _) = socketpair(
            AddressFamily::Unix,
            SockType::SeqPacket,
            None,
            SockFlag::SOCK_CLOEXEC,
        )
        .unwrap();
        drop(std::mem::replace(&mut self.socket, null));
        self.remains()
    }

    /// Waits for the end without closing the socket.
    pub(crate) fn remains(&mut self) -> Remains {
        let since = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(since.elapsed() < PATIENCE, "the zygote does not end");
            std::thread::sleep(Duration::from_millis(2));
        };
        let (output, errors) = self.output.take().unwrap();
        Remains {
            status,
            output: output.text(),
            errors: errors.text(),
        }
    }
}

impl Drop for Zygote {
    fn drop(&mut self) {
        // Gone already in most tests; a failing one must not leave it behind.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
