"""The two sides of a comparison: how each is built, run once, and cleaned up."""

import json
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PATIENCE_S = 600  # for one measurement, and for what it does when it is interrupted


class Failed(Exception):
    """A measurement or a build that did not work; the text says which and why."""


def run(command, environment=None, folder=None):
    """Its standard output. Ctrl-C reaches the child, too: it is left the time to clean up."""
    name = f"{Path(command[0]).name} {' '.join(map(str, command[1:3]))}"
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          stdin=subprocess.DEVNULL, env=environment, cwd=folder) as child:
        try:
            output, errors = child.communicate(timeout=PATIENCE_S)
        except BaseException as reason:
            if not isinstance(reason, KeyboardInterrupt):
                child.terminate()
            child.wait(PATIENCE_S)
            if isinstance(reason, subprocess.TimeoutExpired):
                raise Failed(f"{name}: no end after {PATIENCE_S} s") from None
            raise
    if child.returncode != 0:
        raise Failed(f"{name}: exit status {child.returncode}: {errors.strip()[-2000:]}")
    return output


class Ours:
    """build/ci/bench/start_stack, and the order that says what both sides start."""

    def __init__(self, build, profile):
        self.profile = profile
        self.program = build / "ci/bench/start_stack"
        if not (build / "build.ninja").exists():
            run(["meson", "setup", build, ROOT])
        run(["ninja", "-C", build, "ci/bench/start_stack"])
        self.environment = {"ASSAY_FIXTURES": str(ROOT / "fixtures"), **os.environ}
        self.holder = None

    def place_order(self):
        """Makes the images. The engine stays (a private one only lives as long) until close()."""
        self.holder = subprocess.Popen([self.program, "order", "--profile", self.profile],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                       env=self.environment)
        line = self.holder.stdout.readline()
        if not line:
            raise Failed("start_stack order: no order (its message is above)")
        order = json.loads(line)
        self.environment["DOCKER_HOST"] = order["engine"]
        return order

    def time(self, *arguments, profile=None):
        command = [self.program, "time", "--profile", profile or self.profile, *arguments]
        return json.loads(run(command, self.environment))

    def close(self):
        if self.holder is not None:
            self.holder.stdin.close()
            self.holder.wait(PATIENCE_S)


class Peer:
    """The program in peer/. Everything that it starts carries a label of this session."""

    def __init__(self, order, scratch):
        self.label = f"bench-{uuid.uuid4().hex[:12]}"
        self.program = scratch / "peer"
        self.order = scratch / "order.json"
        self.order.write_text(json.dumps(order))
        self.built = False
        self.environment = {**os.environ, "DOCKER_HOST": order["engine"],
                            "TMPDIR": str(scratch),  # for its password files: goes, however it ends
                            # Its reaper is an image of its own, which not every machine can have;
                            # without it the peer is faster.
                            "TESTCONTAINERS_RYUK_DISABLED": "true"}
        if order["engine"].startswith("unix://"):
            # Ports are on this machine; where this runs in a container, its guess would be wrong.
            self.environment.setdefault("TESTCONTAINERS_HOST_OVERRIDE", "127.0.0.1")

    def build(self):
        if shutil.which("go") is None:
            raise Failed("it needs Go (1.21 or later, which fetches the version that go.mod asks for)")
        run(["go", "build", "-o", self.program, "."], folder=HERE / "peer")
        self.built = True

    def time(self, *arguments):
        command = [self.program, *arguments, "--order", self.order, "--label", self.label]
        return json.loads(run(command, self.environment))

    def close(self):
        """Removes what an interrupted measurement left: only what carries this session's label."""
        if not self.built:
            return
        removed = json.loads(run([self.program, "clean", "--label", self.label], self.environment))
        if any(removed.values()):
            print(f"bench: removed what the peer had left: {removed}", file=sys.stderr)
