//! One end of a socket pair that carries messages, bounded and typed.
//!
//! `SOCK_SEQPACKET` keeps message borders (unix(7)); descriptors travel as `SCM_RIGHTS`, and a
//! receiver that asks for it learns the sender's process id from the kernel (`SCM_CREDENTIALS`).
//! A message that is too long, or brings more descriptors than [`limit::MESSAGE_DESCRIPTORS`]
//! (`MSG_TRUNC`, `MSG_CTRUNC`), is an error; descriptors that come with a refused message are
//! closed, because they are owned before anything is looked at.

use keylane_policy::abi::wire::{self, WireError};
use keylane_policy::limit;
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, recvmsg,
    send, sendmsg, setsockopt, socketpair, sockopt,
};
use serde::{Serialize, de::DeserializeOwned};
use std::io::{self, IoSlice, IoSliceMut};
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// The most descriptors that the kernel passes with one message (SCM_MAX_FD). There is room for all
/// of them: those that come with a message which is cut (MSG_CTRUNC) are open, and nix does not tell
/// their numbers.
const PASSED: usize = 253;

/// A message as it came in.
#[derive(Debug)]
pub struct Received<T> {
    /// The message.
    pub message: T,
    /// The descriptors that came with it.
    pub descriptors: Vec<OwnedFd>,
    /// The sender's process id in this process's pid namespace, as the kernel says.
    pub sender: Option<i32>,
}

/// What a receive brought.
#[derive(Debug)]
pub enum Incoming<T> {
    /// A message.
    Message(Received<T>),
    /// Nothing now (the link does not block).
    Nothing,
    /// The peer closed its end, and all messages have been read.
    Closed,
    /// Bytes that are not a message: the peer is broken or hostile.
    Garbage(WireError),
}

/// One end of a link that sends `Out` and receives `In`.
#[derive(Debug)]
pub struct Link<Out, In> {
    socket: OwnedFd,
    types: PhantomData<fn(Out) -> In>,
}

/// Whether a socket that became readable holds a message; it does not where the peer has closed its
/// end. The message stays where it is.
pub fn holds_message(socket: impl AsFd) -> bool {
    let mut byte = [0];
    let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
    let mut slices = [IoSliceMut::new(&mut byte)];
    // Not recv, which a lane's filter refuses.
    let peeked = recvmsg::<()>(socket.as_fd().as_raw_fd(), &mut slices, None, flags);
    matches!(peeked, Ok(message) if message.bytes > 0)
}

/// The two ends of a new socket, both close-on-exec.
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(
        AddressFamily::Unix,
        SockType::SeqPacket,
        None,
        SockFlag::SOCK_CLOEXEC,
    )?)
}

impl<Out: Serialize, In: DeserializeOwned> Link<Out, In> {
    /// The link over `socket`.
    pub fn over(socket: OwnedFd) -> Self {
        Link {
            socket,
            types: PhantomData,
        }
    }

    /// Asks the kernel to attach the sender's process id to what is received from now on.
    pub fn want_credentials(&self) -> io::Result<()> {
        Ok(setsockopt(&self.socket, sockopt::PassCred, &true)?)
    }

    /// Sends one message with its descriptors. Blocks while the peer's queue is full unless the
    /// socket is non-blocking ([`Link::try_send`]).
    pub fn send(&self, message: &Out, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        self.send_with(message, descriptors, MsgFlags::MSG_NOSIGNAL)
    }

    /// Sends without ever blocking: `WouldBlock` when the peer does not read.
    pub fn try_send(&self, message: &Out, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        self.send_with(
            message,
            descriptors,
            MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT,
        )
    }

    fn send_with(
        &self,
        message: &Out,
        descriptors: &[BorrowedFd<'_>],
        flags: MsgFlags,
    ) -> io::Result<()> {
        let bytes = wire::encode(message).map_err(io::Error::other)?;
        let raw: Vec<RawFd> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
        let rights = [ControlMessage::ScmRights(&raw)];
        loop {
            let sent = if raw.is_empty() {
                // Not sendmsg, which an instance's filter refuses: a child whose program cannot be
                // executed tells so from behind it.
                send(self.socket.as_raw_fd(), &bytes, flags)
            } else {
                let slices = [IoSlice::new(&bytes)];
                sendmsg::<()>(self.socket.as_raw_fd(), &slices, &rights, flags, None)
            };
            match sent {
                Ok(_) => return Ok(()),
                Err(nix::errno::Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// Receives one message, waiting for it.
    pub fn recv(&self) -> io::Result<Incoming<In>> {
        self.recv_with(MsgFlags::MSG_CMSG_CLOEXEC)
    }

    /// Receives one message if one is there.
    pub fn try_recv(&self) -> io::Result<Incoming<In>> {
        self.recv_with(MsgFlags::MSG_CMSG_CLOEXEC | MsgFlags::MSG_DONTWAIT)
    }

    fn recv_with(&self, flags: MsgFlags) -> io::Result<Incoming<In>> {
        let mut bytes = vec![0u8; limit::MESSAGE_BYTES];
        let mut control = nix::cmsg_space!([RawFd; PASSED], nix::libc::ucred);
        let mut reset = false;
        let (length, overlong, descriptors, sender) = loop {
            let mut slices = [IoSliceMut::new(&mut bytes)];
            let answer = recvmsg::<()>(
                self.socket.as_raw_fd(),
                &mut slices,
                Some(&mut control),
                flags,
            );
            match answer {
                Ok(got) => {
                    let (descriptors, sender) = adopt(got.cmsgs()?);
                    let cut = got
                        .flags
                        .intersects(MsgFlags::MSG_TRUNC | MsgFlags::MSG_CTRUNC);
                    let cut = cut || descriptors.len() > limit::MESSAGE_DESCRIPTORS;
                    break (got.bytes, cut, descriptors, sender);
                }
                Err(nix::errno::Errno::EINTR) => {}
                Err(nix::errno::Errno::EAGAIN) => return Ok(Incoming::Nothing),
                // The peer closed before it read all that was sent to it. This comes once, before
                // what the peer had said, which may be why it closed.
                Err(nix::errno::Errno::ECONNRESET) if !reset => reset = true,
                Err(nix::errno::Errno::ECONNRESET) => return Ok(Incoming::Closed),
                Err(errno) => return Err(errno.into()),
            }
        };
        if overlong {
            let over = limit::MESSAGE_BYTES.saturating_add(1);
            return Ok(Incoming::Garbage(WireError::TooLong(over)));
        }
        // A zero-length datagram cannot be told from the end of the stream; we send none.
        if length == 0 {
            return Ok(Incoming::Closed);
        }
        match wire::decode(bytes.get(..length).unwrap_or_default()) {
            Ok(message) => Ok(Incoming::Message(Received {
                message,
                descriptors,
                sender,
            })),
            Err(fault) => Ok(Incoming::Garbage(fault)),
        }
    }
}

/// Takes ownership of every descriptor among the control messages.
fn adopt(messages: impl Iterator<Item = ControlMessageOwned>) -> (Vec<OwnedFd>, Option<i32>) {
    let mut descriptors = Vec::new();
    let mut sender = None;
    for message in messages {
        match message {
            ControlMessageOwned::ScmRights(raw) => {
                descriptors.extend(raw.into_iter().map(|fd| {
                    #[expect(unsafe_code, reason = "adopting descriptors from SCM_RIGHTS")]
                    // SAFETY: from_raw_fd wants an open descriptor without another owner; the
                    // kernel installed `fd` for this recvmsg alone (unix(7)) and nix hands it out
                    // as a bare number once.
                    unsafe {
                        OwnedFd::from_raw_fd(fd)
                    }
                }));
            }
            ControlMessageOwned::ScmCredentials(credentials) => sender = Some(credentials.pid()),
            // Nothing else is asked for on these sockets, and nothing else carries descriptors.
            _ => {}
        }
    }
    (descriptors, sender)
}

impl<Out, In> AsFd for Link<Out, In> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl<Out, In> AsRawFd for Link<Out, In> {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links() -> (Link<u32, u32>, Link<u32, u32>) {
        let (a, b) = pair().unwrap();
        (Link::over(a), Link::over(b))
    }

    #[test]
    fn a_message_arrives_with_its_descriptors_and_its_sender() {
        let (a, b) = links();
        b.want_credentials().unwrap();
        a.send(&7, &[a.as_fd(), b.as_fd()]).unwrap();
        match b.recv().unwrap() {
            Incoming::Message(got) => {
                assert_eq!(got.message, 7);
                assert_eq!(got.descriptors.len(), 2);
                assert_eq!(got.sender, Some(std::process::id() as i32));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn too_many_descriptors_are_garbage_and_none_stays_open() {
        use std::io::Read;
        for (count, credentials) in [(5, false), (5, true), (13, false), (PASSED, true)] {
            let (a, b) = links();
            if credentials {
                b.want_credentials().unwrap();
            }
            let (read, write) = nix::unistd::pipe().unwrap();
            a.send(&7, &vec![write.as_fd(); count]).unwrap();
            drop(write);
            assert!(matches!(b.recv().unwrap(), Incoming::Garbage(_)));
            // The end of the pipe shows that no copy of its write end is left anywhere.
            assert_eq!(std::fs::File::from(read).read(&mut [0]).unwrap(), 0);
        }
    }

    #[test]
    fn a_closed_peer_and_an_empty_queue_are_told_apart() {
        let (a, b) = links();
        assert!(matches!(b.try_recv().unwrap(), Incoming::Nothing));
        drop(a);
        assert!(matches!(b.try_recv().unwrap(), Incoming::Closed));
    }

    #[test]
    fn what_a_peer_said_before_it_closed_is_heard_though_it_read_nothing() {
        let (a, b) = links();
        b.send(&1, &[]).unwrap();
        a.send(&7, &[]).unwrap();
        drop(a);
        match b.try_recv().unwrap() {
            Incoming::Message(got) => assert_eq!(got.message, 7),
            other => panic!("{other:?}"),
        }
        assert!(matches!(b.try_recv().unwrap(), Incoming::Closed));
    }
}
