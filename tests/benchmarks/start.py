"""The start's table: first frame, ready to type and memory, beside a bare Qt window of the same run.

Every start is a process of its own, on a home that was used before; both windows are on the platform this runs on
(`offscreen` unless told otherwise), and their modules are compiled beforehand, as when installed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.engine import CACHE, ROOT, ratio
from tests.benchmarks.table import Line, shown

Found = dict[str, dict[str, list[float]]]
"""What was measured → of which window → one number a round."""


def take_options(words: argparse.ArgumentParser) -> None:
    words.add_argument("--rounds", type=int, default=7)
    words.set_defaults(run=run)


def run(given: argparse.Namespace) -> None:
    """Prints both tables. The first round only compiles and is left out."""
    with tempfile.TemporaryDirectory() as home:
        environment = environment_of(Path(home))
        found: Found = {}
        for turn in range(given.rounds + 1):
            for window in ("bare", "vibedesk"):
                for what, number in start(window, environment).items():
                    if turn:
                        found.setdefault(what, {}).setdefault(window, []).append(number)
    print(shown("From the command to the window", time_lines(found)), flush=True)
    print(shown("Resident memory, two seconds later", memory_lines(found)), flush=True)


def time_lines(found: Found) -> Iterator[Line]:
    bare = "bare QWidget, first paint"
    first = found["first paint"]
    yield Line(bare, f"{statistics.median(first['bare']) * 1000:.0f} ms")
    for what, goal in (("first paint", 1.5), ("ready to type", 2.5), ("ready to ask", None)):
        taken = {"bare": first["bare"], "vibedesk": found[what]["vibedesk"]}
        median = f"{statistics.median(taken['vibedesk']) * 1000:.0f} ms"
        yield Line(f"VibeDesk, {what}", median, bare, ratio(taken, "vibedesk", "bare"), goal)


def memory_lines(found: Found) -> Iterator[Line]:
    memory = found["memory"]
    yield Line("bare QWidget", f"{statistics.median(memory['bare']):.0f} MB")
    median = f"{statistics.median(memory['vibedesk']):.0f} MB"
    yield Line("VibeDesk, idle", median, "bare QWidget", ratio(memory, "vibedesk", "bare"), 2.0)


def environment_of(home: Path) -> dict[str, str]:
    """Nobody's own folders."""
    (home / "cache").mkdir(mode=0o700)
    environment = {**os.environ, "VIBEDESK_HOME": str(home), "VIBEDESK_VAULT": "file"}
    environment |= {"PYTHONPYCACHEPREFIX": str(CACHE / "compiled")}
    environment.setdefault("QT_QPA_PLATFORM", "offscreen")
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def start(window: str, environment: dict[str, str]) -> dict[str, float]:
    """Seconds since the command was given, and megabytes."""
    # A home without keys would begin with the welcome page; the playground is what nearly every start shows.
    Path(environment["VIBEDESK_HOME"], "cache", "front").write_bytes(b"playground")
    words = [sys.executable, "-m", "tests.benchmarks.starters", window, repr(time.monotonic())]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{window} failed:\n{done.stderr[-2000:]}")
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result
