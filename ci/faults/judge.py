"""Whether a program took a fault as it should."""

import os
import re
import signal
import subprocess
from pathlib import Path

from subjects import ROOT

DOCUMENTED = range(0, 5)
SAYS_SOMETHING = re.compile(r"[A-Za-z]{3,}.*[A-Za-z]{3,}")
# Where a library that has no hook for its allocations dies of one that failed: a line of its call stack.
KNOWN_TO_DIE = re.compile(
    r"/libfyaml\.so[.0-9]*\(fy_parse_input_append\+",  # 0.7.12 fills in the input that it did not get
)


def result_of(subject, folder, outcome):
    try:
        return subject.result(folder, outcome.output)
    except (OSError, ValueError, KeyError, TypeError) as problem:
        return f"no result: {problem}"


def left_behind(subject, folder, outcome, environment):
    left = list(outcome.left)
    base = folder / "runtime/assay"
    left += [f"folder {path}" for path in base.iterdir()] if base.is_dir() else []
    if subject.dear:
        asked = subprocess.run([ROOT / "ci/leftovers", "--owner", str(outcome.pid), "--of", "FAULTS=none",
                                "--running-engine", "--within", os.environ.get("FAULTS_WITHIN", "2")],
                               env={**environment, "XDG_RUNTIME_DIR": str(folder / "runtime")},
                               capture_output=True, text=True, check=False)
        left += asked.stdout.splitlines() if asked.returncode != 0 else []
    return left


def complaints(subject, fault, outcome, result, left, faultless):
    """faultless: (status, result). Nothing: the program behaved."""
    found = []
    if subject.killed:
        pass
    elif outcome.hung:
        found.append(f"it did not end within {subject.deadline_s} s")
    elif outcome.status < 0:
        if not KNOWN_TO_DIE.search(outcome.trace):
            found.append(f"it was killed by {signal.Signals(-outcome.status).name}")
    elif outcome.status not in DOCUMENTED:
        found.append(f"exit status {outcome.status} is not documented")
    elif outcome.status == faultless[0]:
        if result != faultless[1]:
            found.append(f"exit status {outcome.status}, but the result is another one")
    elif fault.must_be_harmless:
        found.append(f"{fault.error} is no failure, and it failed")
    elif fault.on and fault.call == "write":
        pass  # nor can it say so
    elif not SAYS_SOMETHING.search(outcome.errors + (outcome.output if subject.speaks == "both" else "")):
        found.append(f"exit status {outcome.status} without a word")
    return found + [f"left behind: {thing}" for thing in left]
