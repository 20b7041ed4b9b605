"""What is put to the test, and what its result is."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

ROOT = Path(__file__).resolve().parent.parent.parent

# How system calls fail, in the kernel's words. What a call cannot answer is left out; an error that stands
# for many (no memory, a broken disk) is given where it is likely. "short" and EINTR are no failures; EINTR is
# given where our handlers' SA_RESTART does not keep it away (signal(7)), and where our own code asks for it.
ERRORS = {
    "access faccessat faccessat2": "EIO ENOMEM",
    "bind": "EADDRINUSE EACCES",
    "chdir": "EACCES EIO",
    "clock_nanosleep": "EINTR",
    "clone clone3 fork": "EAGAIN ENOMEM",
    "connect": "ECONNREFUSED ETIMEDOUT EACCES EAGAIN",
    "dup dup2 dup3": "EMFILE",
    "epoll_create1 eventfd2 timerfd_create": "EMFILE ENOMEM",
    "epoll_ctl": "ENOMEM ENOSPC",
    "epoll_wait epoll_pwait": "EINTR",
    "execve": "EACCES ENOENT ENOMEM E2BIG",
    "fchmod fchmodat fchown fchownat": "EPERM EIO EROFS",
    "fcntl": "EMFILE",
    "flock": "EINTR ENOLCK",
    "fstat newfstatat stat lstat statx": "EACCES EIO ENOMEM",
    "fsync": "EIO ENOSPC",
    "ftruncate fallocate": "EIO ENOSPC",
    "getcwd": "ENOENT",
    "getdents64": "EIO",
    "getrandom": "EINTR",
    "getsockopt setsockopt getsockname getpeername": "ENOBUFS",
    "listen accept4": "EMFILE EADDRINUSE",
    "lseek": "EIO",
    "memfd_create": "EMFILE ENOMEM",
    "mkdir mkdirat": "ENOSPC EACCES EROFS",
    "mmap mprotect": "ENOMEM",
    "open openat": "EMFILE ENFILE EACCES EIO ENOMEM",
    "pidfd_open": "EMFILE ENOSYS",
    "pipe2 socketpair": "EMFILE ENFILE",
    "poll ppoll select pselect6": "EINTR ENOMEM",
    "read pread64": "EIO EINTR short",
    "readlink readlinkat": "EACCES EIO",
    "recvfrom recvmsg": "ECONNRESET ETIMEDOUT EINTR short",
    "rename renameat renameat2": "ENOSPC EIO EACCES",
    "sendto sendmsg": "ECONNRESET EPIPE ENOBUFS EINTR short",
    "setpgid setsid": "EPERM",
    "socket": "EMFILE ENOMEM EACCES",
    "statfs fstatfs": "EIO",
    "unlink unlinkat rmdir": "EIO EACCES EROFS",
    "wait4": "EINTR",
    "write writev pwrite64": "ENOSPC EIO EDQUOT short",
}
ERRORS_OF = {call: errors.split() for calls, errors in ERRORS.items() for call in calls.split()}


@dataclass(frozen=True)
class Subject:
    name: str
    command: tuple
    result: Callable = lambda folder, output: output  # what must not get lost
    prepare: Callable = lambda folder: None
    deadline_s: float = 20
    speaks: str = "errors"  # where it says what failed: "both": its output is a report
    needs_engine: bool = False
    copies: bool = False  # also in forked copies: its guardian and its children before their exec
    dear: bool = False
    killed: bool = False  # at a random moment; only its copies are made to fail, and only what is left counts
    only: tuple = ()  # of memory and the calls; nothing: all


def all_files(folder, output):
    files = sorted(path for path in (folder / "report").rglob("*") if path.is_file())
    return output + "".join(f"== {path.name}\n{path.read_text(errors='replace')}" for path in files)


def without_numbers(folder, output):
    """What changes from minute to minute: free bytes, the rest of a lease."""
    return re.sub(r"\d+(\.\d+)? (GiB|min|s)\b", "N", output).replace(str(folder), ".")


def of_a_run(folder, output):
    """The tests and what they came to, the services, in each of the reports; not how long it took."""
    report = json.loads((folder / "report/assay.json").read_text())
    tests = sorted(f"{suite['name']} {test['name']} {test['outcome']}"
                   for suite in report["suites"] for test in suite["tests"])
    services = sorted(f"{service['name']} {service['kind']} {service['state']}"
                      for service in report["services"])
    junit = (folder / "report/assay.junit.xml").read_text()
    tap = (folder / "report/assay.tap").read_text()
    return "\n".join([
        *tests, *services, str(report["failure"]), output.rstrip().rpartition("\n")[2],
        f"junit: {junit.count('<testcase')} tests, ended {junit.rstrip().endswith('</testsuites>')}",
        f"tap: {len(re.findall('^ *ok ', tap, re.M))} ok, {len(re.findall('^ *not ok ', tap, re.M))} not"])


def put_leases(folder):
    """Two stacks that `assay up` left running, as far as their files say."""
    stacks = folder / "state/stacks"
    stacks.mkdir(parents=True)
    for name in ("first", "second"):
        (stacks / f"{name}.json").write_text(json.dumps({
            "run": "abcdefghij", "folder": "/run/nowhere", "engine": "unix:///run/nowhere/sock",
            "environment": f"/run/nowhere/{name}", "project": name, "idle_ms": 1800000,
            "expires_wall_ms": 4000000000000}))


def put_settings(folder):
    """Less patience than a user's: a service that cannot be reached any more is to fail within the
    deadline of a case."""
    services = "".join(f"  {name}: {{ready_timeout: 40s}}\n" for name in ("postgres", "pgbouncer", "reference-api"))
    (folder / "assay.yaml").write_text("services:\n" + services)


def subjects(build):
    assay, tools = str(build / "assay"), build / "ci/faults"
    stack = ("--profile", "minimal", "--settings", "assay.yaml", "--suite", str(build / "suites/postgres"),
             "--shard", "1/17", "--report", "report", "--format", "terminal,junit,tap,json")
    return [
        Subject("help", (assay, "--help")),
        Subject("list", (assay, "run", "--list", "--suite", "postgres", "--suite", "engine"), copies=True),
        Subject("plan", (str(tools / "read_plan"), str(ROOT / "fixtures/devstack/compose.yaml"))),
        Subject("reports", (str(tools / "write_reports"), "report"), result=all_files),
        Subject("status", (assay, "status"), result=without_numbers, prepare=put_leases),
        Subject("doctor", (assay, "doctor"), result=without_numbers, speaks="both", needs_engine=True),
        Subject("images", (assay, "images", "list"), needs_engine=True),
        Subject("run", (assay, "run", *stack), result=of_a_run, prepare=put_settings,
                speaks="both", deadline_s=150, needs_engine=True, copies=True, dear=True),
        Subject("guardian", (assay, "run", *stack), prepare=put_settings, deadline_s=150, needs_engine=True,
                copies=True, dear=True, killed=True),
    ]


def controls(build):
    """Known to be bad: at least one fault of each must be found wrong."""
    careless = str(build / "ci/faults/careless")
    return [
        Subject("bad-memory", (careless, "memory"), only=("memory",)),
        Subject("bad-write", (careless, "write"), only=("write",)),
        Subject("bad-hang", (careless, "hang"), only=("memory",), deadline_s=1),
        Subject("bad-mute", (careless, "mute"), only=("memory",)),
        Subject("bad-litter", (careless, "litter"), only=("memory",)),
    ]
