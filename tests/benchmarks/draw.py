"""The table of drawing: the whole program under load beside a bare view and the naive way, in one run."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from tests.benchmarks.engine import ROOT, server
from tests.benchmarks.table import Line, shown

Found = dict[str, Any]


def take_options(words: argparse.ArgumentParser) -> None:
    words.add_argument("--seconds", type=float, default=15.0, help="of each way of drawing")
    words.add_argument("--no-peers", action="store_true", help="the program alone")
    words.add_argument("--no-fast", action="store_true", help="without twice the rate")
    words.set_defaults(run=run)


def run(given: argparse.Namespace) -> None:
    """Prints one table after the other as they are done."""
    with server() as port:
        ours = in_window("stream", "vibedesk", port, 2500, given.seconds, 8)
        peers = {
            way: in_window("stream", way, port, 2500, given.seconds, 8)
            for way in (() if given.no_peers else ("floor", "naive"))
        }
        print(shown("8 lanes × 2,500 tokens/s, 1600 × 900", lines(ours, peers, 8)), flush=True)
        fitted = in_window("stream", "fitted", port, 2500, given.seconds, 8)
        print(shown("The same with all eight lanes in sight", lines(fitted, {}, 8)), flush=True)
        if not given.no_fast:
            fast = in_window("stream", "vibedesk", port, 5000, given.seconds, 8)
            print(shown("8 lanes × 5,000 tokens/s, 1600 × 900", lines(fast, {}, 16)), flush=True)


def lines(ours: Found, peers: dict[str, Found], p99: float) -> Iterator[Line]:
    """Each goal, then the same of the peers as ratios."""
    usual = p99 == 8
    late = ours["late"]
    yield Line("stall p99", ms(late, 99), "", quantile(late, 99), p99, unit="ms")
    yield Line("stall p99.9", ms(late, 99.9), "", quantile(late, 99.9), 20 if usual else None, unit="ms")
    yield Line("stream reached", f"{ours['reach']:.1%}", "", ours["reach"] * 100, 98, True, "%")
    behind = quantile(ours["lag"], 99)
    yield Line("behind, p99 of all lanes", f"{behind:.1f} ms", "", behind, 60 if usual else None, unit="ms")
    yield Line("the same, since it was read", ms(ours["since_read"], 99))
    yield Line("processor", f"{ours['cpu']:.2f}", "", ours["cpu"], 0.9 if usual else None, unit="cores")
    yield Line("key to pixel p99", ms(ours["typed"], 99), "", quantile(ours["typed"], 99), 50, unit="ms")
    yield Line("stop", f"{ours['stop']:.0f} ms", "", ours["stop"], 150, unit="ms")
    for way, found in peers.items():
        name = {"floor": "QPlainTextEdit.insertText", "naive": "setMarkdown a frame"}[way]
        for what, one, other in (
            ("stall p99", quantile(late, 99), quantile(found["late"], 99)),
            ("processor", ours["cpu"], found["cpu"]),
            ("reach", ours["reach"], found["reach"]),
        ):
            yield Line(f"{what} of {name}", f"{other:.2f}", "ours to it", one / max(other, 1e-6))


def quantile(values: Sequence[float], percent: float) -> float:
    """The value that `percent` of all do not exceed; NaN of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else float("nan")


def ms(values: Sequence[float], percent: float) -> str:
    return f"{quantile(values, percent):.1f} ms"


def in_window(*words: object) -> Found:
    """What a measuring process printed."""
    command = [sys.executable, "-m", "tests.benchmarks.window", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, words))} failed:\n{done.stderr[-2000:]}")
    found: Found = json.loads(done.stdout.splitlines()[-1])
    return found
