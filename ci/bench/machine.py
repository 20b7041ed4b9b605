"""Where and of what a table was measured."""

import os
import platform
import subprocess
from datetime import datetime, timezone
from pathlib import Path

from sides import HERE, ROOT


def processor():
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def commit():
    def git(*arguments):
        return subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True,
                              check=False).stdout.strip()
    changed = git("status", "--porcelain", "--untracked-files=no")
    return git("rev-parse", "--short", "HEAD") + (" and changes" if changed else "")


def peer_version():
    for line in (HERE / "peer/go.mod").read_text(encoding="utf-8").splitlines():
        if "testcontainers/testcontainers-go " in line:
            return line.split()[-1]
    return "?"


def describe(engine_version, with_peer=True):
    now = datetime.now(timezone.utc).strftime("%Y-%m-%d")
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    peer = f", testcontainers-go {peer_version()}" if with_peer else ""
    kernel = ".".join(platform.release().split(".")[:2])
    return (f"{now}, commit {commit()}{peer}; {processor()}, "
            f"{os.cpu_count()} processors, {memory_gib:.0f} GiB, Linux {kernel}, "
            f"{f'Docker {engine_version}, ' if engine_version else ''}"
            f"load before the first round {os.getloadavg()[0]:.1f}.")


def is_busy():
    return os.getloadavg()[0] > os.cpu_count() / 2
