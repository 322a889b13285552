//! The socket to the spawner: descriptor 3, one message a datagram, descriptors beside it.

#![expect(unsafe_code, reason = "takes ownership of descriptors by number")]

use keylane_policy::abi::message::{FromZygote, ToZygote};
use keylane_policy::abi::wire::{self, WireError};
use keylane_policy::limit::MESSAGE_BYTES;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::signal::SigSet;
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, SockType, getsockopt, recvmsg, send, sockopt,
};
use std::fmt;
use std::io::IoSliceMut;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Where the spawner puts the socket.
const AT: RawFd = 3;

/// The most descriptors that the kernel passes with one message (SCM_MAX_FD). Room for all of
/// them, because those that a short buffer cuts off would stay open unseen.
const PASSED: usize = 253;

/// The socket to the spawner.
pub(crate) struct Link(OwnedFd);

/// Why there is no next message.
#[derive(Debug)]
pub(crate) enum LinkFault {
    /// Descriptor 3 is not the socket.
    NotASocket(Errno),
    /// Descriptor 3 is a socket that keeps no message boundaries.
    NotSeqpacket,
    Receive(Errno),
    Send(Errno),
    Message(WireError),
}

impl fmt::Display for LinkFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LinkFault::NotASocket(errno) => write!(
                f,
                "descriptor {AT} is not the spawner's socket ({errno}); only Keylane's spawner \
                 starts this program"
            ),
            LinkFault::NotSeqpacket => write!(f, "descriptor {AT} is not a SOCK_SEQPACKET socket"),
            LinkFault::Receive(errno) => write!(f, "receiving from the spawner: {errno}"),
            LinkFault::Send(errno) => write!(f, "sending to the spawner: {errno}"),
            LinkFault::Message(error) => write!(f, "the spawner sent no message of ours: {error}"),
        }
    }
}

impl std::error::Error for LinkFault {}

impl Link {
    /// Takes descriptor 3. To be called once, first of all.
    pub(crate) fn inherited() -> Result<Self, LinkFault> {
        // SAFETY: borrowed for the one question whether it is open, which is an error and not
        // undefined where it is not; nothing else in this process owns or closes it.
        let borrowed = unsafe { BorrowedFd::borrow_raw(AT) };
        let kind = getsockopt(&borrowed, sockopt::SockType).map_err(LinkFault::NotASocket)?;
        if kind != SockType::SeqPacket {
            return Err(LinkFault::NotSeqpacket);
        }
        // SAFETY: open, as the lines above showed, and owned by nobody: the standard library has
        // opened nothing yet and `main` calls this once.
        Ok(Link(unsafe { OwnedFd::from_raw_fd(AT) }))
    }

    /// Sends one message.
    pub(crate) fn send(&self, message: &FromZygote) -> Result<(), LinkFault> {
        let bytes = wire::encode(message).map_err(LinkFault::Message)?;
        loop {
            match send(self.0.as_raw_fd(), &bytes, MsgFlags::MSG_NOSIGNAL) {
                Ok(_) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(LinkFault::Send(errno)),
            }
        }
    }

    /// Sleeps until there is a message, the peer is gone, or a signal of `mask`'s complement
    /// arrives. True if there is something to receive.
    pub(crate) fn wait(&self, mask: SigSet) -> Result<bool, LinkFault> {
        let mut asked = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        match ppoll(&mut asked, None, Some(mask)) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::EINTR) => Ok(false),
            Err(errno) => Err(LinkFault::Receive(errno)),
        }
    }

    /// The next message and its descriptors; `None` when the peer is gone.
    pub(crate) fn receive(&self) -> Result<Option<(ToZygote, Vec<OwnedFd>)>, LinkFault> {
        let mut bytes = vec![0; MESSAGE_BYTES];
        let mut control = nix::cmsg_space!([RawFd; PASSED]);
        let mut buffers = [IoSliceMut::new(&mut bytes)];
        let received = loop {
            match recvmsg::<()>(
                self.0.as_raw_fd(),
                &mut buffers,
                Some(&mut control),
                MsgFlags::MSG_CMSG_CLOEXEC,
            ) {
                Ok(received) => break received,
                Err(Errno::EINTR) => {}
                Err(Errno::ECONNRESET) => return Ok(None),
                Err(errno) => return Err(LinkFault::Receive(errno)),
            }
        };
        let mut descriptors = Vec::new();
        for message in received.cmsgs().map_err(LinkFault::Receive)? {
            if let ControlMessageOwned::ScmRights(numbers) = message {
                // SAFETY: the kernel has just opened these descriptors for this process, and
                // nobody else has been told their numbers.
                descriptors.extend(
                    numbers
                        .into_iter()
                        .map(|number| unsafe { OwnedFd::from_raw_fd(number) }),
                );
            }
        }
        let (length, cut) = (received.bytes, received.flags.contains(MsgFlags::MSG_TRUNC));
        if cut {
            let over = WireError::TooLong(MESSAGE_BYTES.saturating_add(1));
            return Err(LinkFault::Message(over));
        }
        match wire::decode(bytes.get(..length).unwrap_or_default()) {
            Ok(message) => Ok(Some((message, descriptors))),
            Err(WireError::Empty) => Ok(None),
            Err(error) => Err(LinkFault::Message(error)),
        }
    }
}
