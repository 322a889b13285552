"""One QEMU: starts it, talks to guest/init, carries the command's streams.

Each stream is a virtio port joined to a socket pair, so stdout and stderr come
apart and untouched. The guest counts what it sent; the run is good only when
that many bytes came and the closing line was said. Anything else is an error
that shows the console's last lines.
"""

import base64
import os
import selectors
import socket
import subprocess
import sys
import time

QEMU = "/usr/bin/qemu-system-x86_64"
MEMORY_MIB = int(os.environ.get("KEYLANE_RIG_MEMORY", "1024"))
# A boot takes 4 to 8 seconds; this is for a machine that does ten other things.
BOOT_LIMIT_S = 120.0
# For the last bytes on their way, once the guest has said how many it sent.
CLOSING_LIMIT_S = 20.0
CONSOLE_TAIL_LINES = 60
# What a kernel says when it goes on, but something in it is wrong.
KERNEL_COMPLAINTS = (b"WARNING:", b"BUG:", b"INFO: task", b"rcu: INFO")
CHANNELS = ("console", "control", "out", "err")


class Died(Exception):
    """The machine did not come to its closing line."""


class Hung(Died):
    """It took longer than it may."""


def arguments(kernel, ends, disks, chosen):
    """QEMU's command line."""
    # One host thread takes turns at being each processor. With a thread for each,
    # TCG can translate kernel code while another processor patches it, and run a
    # breakpoint that is no longer there: `Oops: int3`, once in about 75 boots of
    # 6.12 on QEMU 7.2, and each time where a static key is switched 800 times.
    # oops=panic: a broken kernel must not look like a broken test.
    # no_timer_check: the kernel counts timer interrupts for a moment to see whether they
    # are wired up; on a busy host too few come in time, and the boot hangs.
    append = "console=ttyS0 quiet panic=-1 oops=panic no_timer_check"
    if chosen.no_landlock:
        append += " lsm=lockdown,yama,loadpin,safesetid,integrity,apparmor"
    words = [
        # The machine must not outlive this process, however that ends.
        "/usr/bin/setpriv", "--pdeathsig", "KILL", "--", QEMU,
        "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-nic", "none",
        "-accel", f"tcg,thread={'multi' if chosen.parallel else 'single'}", "-smp", "2", "-m", str(MEMORY_MIB),
        "-cpu", "max,-pku" if chosen.no_pku else "max",
        "-kernel", str(kernel / "vmlinuz"), "-initrd", str(kernel / "initrd"), "-append", append,
        "-serial", "chardev:console", "-device", "virtio-serial-pci,max_ports=4",
    ]
    for name, end in ends.items():
        words += ["-chardev", f"socket,id={name},fd={end.fileno()}"]
    for number, name in enumerate(("control", "out", "err"), start=1):
        words += ["-device", f"virtserialport,chardev={name},nr={number},name={name}"]
    for number, disk in enumerate(disks):
        # A snapshot: the guest may write, nothing is kept, two rigs can share a root.
        path = f"/proc/self/fd/{disk.fileno()}"
        words += [
            "-drive", f"id=disk{number},if=none,format=raw,snapshot=on,file={path}",
            "-device", f"virtio-blk-pci,drive=disk{number}",
        ]
    return words


def write_all(descriptor, data):
    """Blocks until a reader of ours has taken everything; the guest waits too."""
    while data:
        data = data[os.write(descriptor, data):]


class Conversation:
    """What the guest has said so far. Methods are named for the channel."""

    def __init__(self, control, settings):
        self._control, self._settings = control, settings
        self._line = b""
        self.console_text = bytearray()
        self.received = {"out": 0, "err": 0}
        self.phase = "booting"
        self.result = None
        self.sent = None

    def console(self, data):
        self.console_text += data
        del self.console_text[:-65536]

    def out(self, data):
        self.received["out"] += len(data)
        write_all(1, data)

    def err(self, data):
        self.received["err"] += len(data)
        write_all(2, data)

    def control(self, data):
        self._line += data
        *lines, self._line = self._line.split(b"\n")
        for line in lines:
            self._said(line.decode(errors="replace").split())

    def _said(self, words):
        match words:
            case ["ready", _release]:
                self._control.sendall(base64.b64encode(self._settings.encode()) + b"\n")
            case ["started"]:
                self.phase = "running"
            case ["left", *names]:
                print(f"rig: the command left processes behind: {' '.join(names)}", file=sys.stderr, flush=True)
            case ["done", status, out, err]:
                self.result, self.sent = int(status), {"out": int(out), "err": int(err)}
                self.phase = "closing"
            case _:
                raise Died(f"the guest said {' '.join(words)!r}, which is no part of the protocol")

    def is_complete(self):
        return self.sent is not None and self.received == self.sent

    def tail(self):
        lines = self.console_text.decode(errors="replace").replace("\r", "").splitlines()[-CONSOLE_TAIL_LINES:]
        return "\n".join(["the console's last lines:", *(f"  | {line}" for line in lines or ["(nothing)"])])


def run(kernel, disks, settings, chosen):
    """The command's exit status."""
    pairs = {name: socket.socketpair() for name in CHANNELS}
    far_ends = {name: pair[1] for name, pair in pairs.items()}
    kept = [*(end.fileno() for end in far_ends.values()), *(disk.fileno() for disk in disks)]
    started = time.monotonic()
    process = subprocess.Popen(arguments(kernel, far_ends, disks, chosen), stdin=subprocess.DEVNULL,
                               stdout=2, stderr=2, pass_fds=kept)
    try:
        for end in far_ends.values():
            end.close()
        near_ends = {name: pair[0] for name, pair in pairs.items()}
        conversation = Conversation(near_ends["control"], settings)
        converse(conversation, near_ends, started, chosen.timeout)
        if any(complaint in conversation.console_text for complaint in KERNEL_COMPLAINTS):
            print(f"rig: the kernel complained; {conversation.tail()}", file=sys.stderr, flush=True)
        return conversation.result
    finally:
        process.kill()
        process.wait()


def converse(conversation, ends, started, timeout):
    """Carries data until the run is complete; raises where it will never be."""
    waiting = selectors.DefaultSelector()
    for name, end in ends.items():
        waiting.register(end, selectors.EVENT_READ, getattr(conversation, name))
    deadline, phase = started + BOOT_LIMIT_S, conversation.phase
    while not conversation.is_complete():
        if conversation.phase != phase:
            phase = conversation.phase
            if phase == "running":
                print(f"rig: booted in {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)
                deadline = time.monotonic() + timeout
            elif phase == "closing":
                deadline = time.monotonic() + CLOSING_LIMIT_S
        left = deadline - time.monotonic()
        if left <= 0 and phase == "closing":
            raise Died(f"of stdout and stderr {conversation.received} bytes came, and the guest says that it sent "
                       f"{conversation.sent}; {conversation.tail()}")
        if left <= 0:
            limit = f"did not boot within {BOOT_LIMIT_S:g}" if phase == "booting" else f"was still running after {timeout:g}"
            raise Hung(f"the {'machine' if phase == 'booting' else 'command'} {limit} seconds; {conversation.tail()}")
        for key, _ in waiting.select(left):
            data = key.fileobj.recv(65536)
            if data:
                key.data(data)
            else:
                waiting.unregister(key.fileobj)
        if not waiting.get_map():
            raise Died(f"the machine ended while {conversation.phase}, before its closing line; {conversation.tail()}")
