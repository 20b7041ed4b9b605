"""./run-all-tests by the clock: warm, and as on a fresh machine."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from sides import ROOT, Failed


def run_all_tests(folder, environment, reports):
    """Seconds. Only a run that exits 0 counts: a failing one may be quick for the wrong reason."""
    started = time.monotonic()
    ended = subprocess.run(["./run-all-tests", "--report", reports], cwd=folder, env=environment,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, check=False)
    seconds = time.monotonic() - started
    if ended.returncode != 0:
        raise Failed(f"./run-all-tests: exit status {ended.returncode}:\n{ended.stdout[-2000:]}")
    return seconds


def warm_once():
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as reports:
        return {"ready_ms": run_all_tests(ROOT, dict(os.environ), reports) * 1000}


def mounts_below(folder):
    return [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()
            if line.split()[4].startswith(f"{folder}/")]


def cold_once():
    """A fresh clone of what is committed, no engine, no image, no build folder: everything lies in a
    scratch folder that goes afterwards; the state of the user's own runs is not touched. What stays
    warm are the packages that are installed already and the file cache of the machine."""
    if os.geteuid() != 0:
        raise Failed("--cold starts a private engine of its own, which takes root")
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("DOCKER_HOST", "DOCKER_CONTEXT", "ASSAY_BUILD")}
    scratch = Path(tempfile.mkdtemp(prefix="assay-cold-"))
    environment["ASSAY_STATE"] = str(scratch / "state")
    try:
        subprocess.run(["git", "clone", "--quiet", ROOT, scratch / "clone"], check=True)
        seconds = run_all_tests(scratch / "clone", environment, scratch / "reports")
        if not (scratch / "state/engine").exists():
            raise Failed("an engine was running already: this was not a fresh machine")
        return {"ready_ms": seconds * 1000}
    finally:
        remove(scratch)


def remove(scratch):
    """Its private engine may need a moment to let go of its mounts."""
    deadline = time.monotonic() + 60
    while mounts_below(scratch) and time.monotonic() < deadline:
        time.sleep(0.1)
    if mounts_below(scratch):
        print(f"bench: {scratch} still has mounts and stays; remove it when they are gone")
    else:
        shutil.rmtree(scratch)
