"""The kernel's questions about system calls: seccomp_unotify(2), linux/seccomp.h."""

import array
import ctypes
import fcntl
import os
import select
import socket
import struct
from dataclasses import dataclass

RECEIVE = 0xC0502100  # SECCOMP_IOCTL_NOTIF_RECV
SEND = 0xC0182101  # SECCOMP_IOCTL_NOTIF_SEND
GO_ON = 1  # SECCOMP_USER_NOTIF_FLAG_CONTINUE
QUESTION = struct.Struct("QIIiIQ6Q")  # struct seccomp_notif
ANSWER = struct.Struct("QqiI")  # struct seccomp_notif_resp
PIDFD_GETFD = 438
FLAGS_OF_NO_CONSEQUENCE = socket.MSG_NOSIGNAL | socket.MSG_DONTWAIT

libc = ctypes.CDLL(None, use_errno=True)


@dataclass
class Answer:
    """Nothing given: the call is made as if nobody had asked."""

    error: int = 0
    value: int | None = None


@dataclass
class Question:
    id: int
    thread: int
    name: str
    arguments: tuple

    @property
    def process(self):
        with open(f"/proc/{self.thread}/status", encoding="ascii", errors="replace") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("Tgid:"))

    def is_copy_of(self, pid):
        """Forked from it, and still the same program."""
        try:
            return (self.process != pid and
                    os.readlink(f"/proc/{self.thread}/exe") == os.readlink(f"/proc/{pid}/exe"))
        except OSError:
            return False


class Listener:
    def __init__(self, descriptor, names):
        self.descriptor = descriptor
        self.names = names
        self.poll = select.poll()
        self.poll.register(descriptor, select.POLLIN)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.descriptor)

    @staticmethod
    def receive(ours):
        """What system_call.c sends; None: it could not have one."""
        text, descriptors, _, _ = socket.recv_fds(ours, 8192, 1)
        if not descriptors:
            return None
        pairs = (entry.split("=") for entry in text.decode().split())
        return Listener(descriptors[0], {int(number): name for name, number in pairs})

    def next(self):
        """None: nobody is left who could ask."""
        while True:
            (_, events), = self.poll.poll()
            if not events & select.POLLIN:
                return None
            buffer = array.array("B", bytes(QUESTION.size))
            try:
                fcntl.ioctl(self.descriptor, RECEIVE, buffer, True)
            except OSError:  # it was killed meanwhile
                continue
            number, thread, _, call, _, _, *arguments = QUESTION.unpack(buffer)
            return Question(number, thread, self.names[call], tuple(arguments))

    def reply(self, question, answer):
        go_on = answer.error == 0 and answer.value is None
        try:
            fcntl.ioctl(self.descriptor, SEND, ANSWER.pack(
                question.id, answer.value or 0, -answer.error, GO_ON if go_on else 0))
        except OSError:  # it was killed meanwhile
            pass

    def do_one_byte(self, question):
        """Reads or writes one byte in the asker's place; None where that would not be a short one."""
        descriptor, address, length = question.arguments[:3]
        reads = question.name in ("read", "recvfrom")
        if length < 2 or question.name not in ("read", "recvfrom", "write", "sendto"):
            return None
        if question.name in ("recvfrom", "sendto") and question.arguments[3] & ~FLAGS_OF_NO_CONSEQUENCE:
            return None
        try:
            with Borrowed(question.process, descriptor) as copy:
                if not copy.is_stream() or not copy.is_ready(select.POLLIN if reads else select.POLLOUT):
                    return None
                memory = os.open(f"/proc/{question.thread}/mem", os.O_RDWR)
                try:
                    if not reads:
                        return os.write(copy.descriptor, os.pread(memory, 1, address))
                    byte = os.read(copy.descriptor, 1)
                    return os.pwrite(memory, byte, address) if byte else 0
                finally:
                    os.close(memory)
        except OSError:
            return None


class Borrowed:
    """A descriptor of another process."""

    def __init__(self, process, descriptor):
        pidfd = os.pidfd_open(process)
        try:
            self.descriptor = libc.syscall(PIDFD_GETFD, pidfd, ctypes.c_int(descriptor & 0xFFFFFFFF), 0)
        finally:
            os.close(pidfd)
        if self.descriptor < 0:
            raise OSError(ctypes.get_errno(), "pidfd_getfd")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.descriptor)

    def is_stream(self):
        """Of a packet, and of a counter, a part is not a short one: it is a wrong one."""
        target = os.readlink(f"/proc/self/fd/{self.descriptor}")
        if target.startswith("socket:"):
            with socket.socket(fileno=os.dup(self.descriptor)) as copy:
                return copy.type == socket.SOCK_STREAM
        return not target.startswith("anon_inode:")

    def is_ready(self, wanted):
        poll = select.poll()
        poll.register(self.descriptor, wanted)
        return bool(poll.poll(0))
