"""Runs a program once and makes one thing fail in it: an allocation or a system call."""

import errno
import fcntl
import os
import signal
import socket
import struct
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from kernel import Answer, Listener

DUPLICATES = (fcntl.F_DUPFD, fcntl.F_DUPFD_CLOEXEC)
GONE_WITHIN_S = float(os.environ.get("FAULTS_WITHIN", "2"))  # a promise of assay, on a machine at rest
GIVEN_UP_AFTER_S = 90  # what is late is still its guardian's to remove


@dataclass(frozen=True)
class Fault:
    """The n-th call of this kind fails so; `on`: and all after it; `copies`: counted in forked copies
    of the program (the guardian, a child before its exec), not in the program."""

    call: str  # "memory", or a system call
    error: str  # "EIO"; "short": it does one byte of what was asked
    nth: int
    on: bool = False
    copies: bool = False

    def __str__(self):
        return (f"{self.call}:{self.error}:{self.nth}{'+' if self.on else ''}"
                f"{'@copies' if self.copies else ''}")

    @staticmethod
    def parse(text):
        rest, _, where = text.partition("@")
        call, error, nth = rest.split(":")
        return Fault(call, error, int(nth.rstrip("+")), nth.endswith("+"), where == "copies")

    @property
    def must_be_harmless(self):
        """An interrupted call is called again, and a short one goes on where it stopped."""
        return self.error in ("EINTR", "short")


@dataclass
class Outcome:
    status: int = 0  # negative: the signal that ended it
    hung: bool = False
    reached: bool = True  # the fault: the program may do less than the first time
    output: str = ""
    errors: str = ""
    trace: str = ""
    pid: int = 0
    left: list = field(default_factory=list)  # processes that were still there
    counts: dict = field(default_factory=dict)  # how often each call was made


class NotAllowed(Exception):
    """The kernel does not let us ask about system calls."""


def marked(mark):
    """Processes with this in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                arguments = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if arguments:  # a zombie has none
                    found.append((int(folder.name), arguments.strip()))
        except OSError:
            pass
    return found


def wait_for_the_rest(mark):
    """What is still there after the time that assay promises. Until it has gone, or for long enough that
    it will not go, nothing is judged: the next case is not to be blamed."""
    begun = time.monotonic()
    late = []
    while left := marked(mark):
        waited = time.monotonic() - begun
        if waited > GONE_WITHIN_S and not late:
            late = left
        if waited > GIVEN_UP_AFTER_S:
            break
        time.sleep(0.02)
    for pid, _ in left:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return [f"process {pid} {arguments[:80]}" for pid, arguments in late]


class Watcher(threading.Thread):
    """Answers for every call of the program's until nobody is left who could make one."""

    def __init__(self, ours, fault):
        super().__init__(daemon=True)
        self.ours = ours
        self.fault = fault
        self.pid = None
        self.counts = {}
        self.hits = 0
        self.allowed = True
        self.trouble = None

    def run(self):
        try:
            listener = Listener.receive(self.ours)
            if listener is None:
                self.allowed = False
                return
            with listener:
                while (question := listener.next()) is not None:
                    listener.reply(question, self.judge(listener, question))
        except Exception as problem:  # told by the main thread
            self.trouble = problem

    def is_asked_about(self, question):
        if question.name == "fcntl" and question.arguments[1] not in DUPLICATES:
            return False  # the others cannot fail on a file that is open
        of_program = os.path.exists(f"/proc/{self.pid}/task/{question.thread}")
        if self.fault is None or not self.fault.copies:
            return of_program
        return not of_program and question.is_copy_of(self.pid)

    def judge(self, listener, question):
        if not self.is_asked_about(question):
            if self.fault is None and question.is_copy_of(self.pid) and question.name != "fcntl":
                key = question.name + "@copies"
                self.counts[key] = self.counts.get(key, 0) + 1
            return Answer()
        count = self.counts[question.name] = self.counts.get(question.name, 0) + 1
        fault = self.fault
        if fault is None or count < fault.nth or (self.hits > 0 and not fault.on):
            return Answer()
        if fault.error == "short":
            done = listener.do_one_byte(question)
            if done is None:
                return Answer()  # this one cannot; the next may
            self.hits += 1
            return Answer(value=done)
        self.hits += 1
        return Answer(error=getattr(errno, fault.error))


class Attempt:
    """One run of a command in a folder of its own."""

    def __init__(self, tools, folder, environment, deadline_s, killed_after_s=None):
        self.tools = tools
        self.folder = folder
        self.environment = dict(environment)
        self.deadline_s = deadline_s
        self.killed_after_s = killed_after_s
        self.mark = f"FAULTS={os.getpid()}-{folder.name}"
        self.environment.update([self.mark.split("=")])

    def run(self, command, fault=None, count=None):
        """fault: what fails. count: "memory", "memory@copies" or "calls": only counts them."""
        if (fault is not None and fault.call == "memory") or (count or "").startswith("memory"):
            return self._with_memory(command, fault, count == "memory@copies")
        if fault is not None or count == "calls":
            return self._with_calls(command, fault)
        return self._start(command, {})

    def _with_memory(self, command, fault, copies):
        counts_file = self.folder / "counts"
        counts_file.write_bytes(bytes(16))
        variables = {"LD_PRELOAD": str(self.tools / "fault_allocation.so"),
                     "FAULT_COUNTS": str(counts_file), "FAULT_TRACE": str(self.folder / "trace")}
        if fault is not None:
            variables["FAULT_NTH"] = str(fault.nth)
            if fault.on:
                variables["FAULT_ON"] = "1"
        if copies or (fault is not None and fault.copies):
            variables["FAULT_IN"] = "copies"
        outcome = self._start(command, variables)
        calls, failed = struct.unpack("QQ", counts_file.read_bytes())
        in_copies = fault.copies if fault is not None else copies
        outcome.counts = {"memory@copies" if in_copies else "memory": calls}
        outcome.reached = failed > 0
        trace = self.folder / "trace"
        outcome.trace = trace.read_text(errors="replace") if trace.exists() else ""
        return outcome

    def _with_calls(self, command, fault):
        ours, theirs = socket.socketpair()
        watcher = Watcher(ours, fault)
        variables = {"LD_PRELOAD": str(self.tools / "fault_system_call.so"),
                     "FAULT_CALLS": fault.call if fault is not None else "all",
                     "FAULT_SOCKET": str(theirs.fileno())}
        with ours:
            outcome = self._start(command, variables, theirs, watcher)
            watcher.join(10)
        if watcher.trouble is not None:
            raise watcher.trouble
        if not watcher.allowed:
            raise NotAllowed
        outcome.counts = watcher.counts
        outcome.reached = watcher.hits > 0
        return outcome

    def _start(self, command, variables, theirs=None, watcher=None):
        outcome = Outcome()
        out, err = self.folder / "output", self.folder / "errors"
        with out.open("wb") as out_file, err.open("wb") as err_file:
            process = subprocess.Popen(
                command, cwd=self.folder, env={**self.environment, **variables},
                stdin=subprocess.DEVNULL, stdout=out_file, stderr=err_file, start_new_session=True,
                pass_fds=[theirs.fileno()] if theirs is not None else [])
        outcome.pid = process.pid
        if watcher is not None:
            watcher.pid = process.pid
            theirs.close()
            watcher.start()
        try:
            outcome.status = process.wait(self.killed_after_s or self.deadline_s)
        except subprocess.TimeoutExpired:
            outcome.hung = self.killed_after_s is None
            process.kill()
            outcome.status = process.wait()
        outcome.left = wait_for_the_rest(self.mark)
        outcome.output = out.read_text(errors="replace")
        outcome.errors = err.read_text(errors="replace")
        return outcome
