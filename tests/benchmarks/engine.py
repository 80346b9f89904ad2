"""The engine's tables: what one event costs beside raw sockets, plain httpx and the usual SDKs; a request; import."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.table import Line, shown

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vibedesk-benchmarks"
PEERS = CACHE / "peers"
PACKAGES = ("openai", "litellm")

Costs = dict[str, list[float]]
"""Way of reading → µs of processor an event, one number a round."""


def take_options(words: argparse.ArgumentParser) -> None:
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--seconds", type=float, default=4.0, help="of each stream at a fixed rate")
    words.add_argument("--no-peers", action="store_true", help="without the SDKs, which take longest")
    words.set_defaults(run=run)


def run(given: argparse.Namespace) -> None:
    """Prints one table after the other as they are done."""
    peers = () if given.no_peers else PACKAGES
    if peers:
        set_up_peers()
    with server() as port:
        fast = costs(
            port,
            ("raw", "httpx", "events", "batches", *peers),
            8,
            f"rate-2500-{given.seconds:g}",
            given.rounds,
        )
        print(shown("CPU per event, 8 streams × 2,500/s", fast_lines(fast)), flush=True)
        full = costs(port, ("raw", "httpx", "events", "batches", *peers), 1, "count-30000", given.rounds)
        print(shown("CPU per event, one stream at full speed", fast_lines(full)), flush=True)
        ways = ("httpx", "httpx:qasync", "httpx:vibedesk", "events", "events:vibedesk", "batches:vibedesk")
        slow = costs(port, ways, 8, f"rate-100-{given.seconds:g}", given.rounds)
        print(shown("CPU per event, 8 streams × 100/s, by loop", slow_lines(slow)), flush=True)
        print(shown("One short request after the other", short_lines(port)), flush=True)
    print(shown("Import", import_lines(given.rounds * 3)), flush=True)


def fast_lines(found: Costs) -> Iterator[Line]:
    """Floor, plain httpx and peers, each as a ratio."""
    for way, numbers in found.items():
        median = statistics.median(numbers)
        value = f"{median:.1f} µs"
        match way:
            case "events" | "batches":
                yield Line(f"engine, {way}", value, "httpx + msgspec", ratio(found, way, "httpx"), 1.3)
                yield Line("", "", "raw socket + msgspec", ratio(found, way, "raw"))
            case "openai" | "litellm":
                goal = 5 if way == "openai" else 20
                yield Line(way, value, "engine, events", ratio(found, way, "events"), goal, at_least=True)
            case "httpx":
                yield Line("httpx + msgspec", value)
            case _:
                yield Line("raw socket + msgspec", value)


def slow_lines(found: Costs) -> Iterator[Line]:
    for way, numbers in found.items():
        name, _, loop = way.partition(":")
        where = {"": "asyncio", "qasync": "qasync as it comes", "vibedesk": "qasync as we run it"}[loop]
        goal = 1.2 if name != "httpx" and loop == "vibedesk" else None
        against = "" if way == "httpx" else "httpx on asyncio"
        compared = None if way == "httpx" else ratio(found, way, "httpx")
        what = "httpx + msgspec" if name == "httpx" else f"engine, {name}"
        yield Line(f"{what}, {where}", f"{statistics.median(numbers):.0f} µs", against, compared, goal)


def short_lines(port: int, times: int = 300) -> Iterator[Line]:
    """The two by turns in one process, so that both had the same neighbours."""
    took = json.loads(reader("short", port, times, "-", "asyncio"))
    plain, ours = (statistics.median(took[way]) for way in ("httpx", "events"))
    yield Line("httpx + msgspec", f"{plain:.2f} ms")
    yield Line("engine", f"{ours:.2f} ms", "more than httpx, p50", ours - plain, 0.3, unit="ms")


def import_lines(times: int) -> Iterator[Line]:
    """Compiled beforehand, as when installed. `engine.router` is all that asking needs, short of httpx itself,
    which it loads with the first request."""
    took: dict[str, list[float]] = {"httpx": [], "vibedesk.engine": [], "vibedesk.engine.router": []}
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(CACHE / "compiled")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    for turn in range(times + 1):
        for module, numbers in took.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", f"import {module}"], cwd=ROOT, env=environment, check=True)
            if turn:
                numbers.append(time.perf_counter() - began)
    for module, numbers in took.items():
        compared = None if module == "httpx" else ratio(took, module, "httpx")
        against, goal = ("", None) if module == "httpx" else ("import httpx", 1.3)
        yield Line(f"import {module}", f"{statistics.median(numbers) * 1000:.0f} ms", against, compared, goal)


def ratio(found: Costs, way: str, floor: str) -> float:
    """Median of the ratios within a round: what disturbed a round disturbed both."""
    return statistics.median(one / other for one, other in zip(found[way], found[floor], strict=True))


def costs(port: int, ways: tuple[str, ...], streams: int, model: str, rounds: int) -> Costs:
    """`way` or `way:loop`."""
    found: Costs = {way: [] for way in ways}
    for _ in range(rounds):
        for way in ways:
            name, _, loop = way.partition(":")
            result = json.loads(reader(name, port, streams, model, loop or "asyncio"))
            found[way].append(result["cpu_s"] / result["events"] * 1e6)
    return found


def reader(way: str, port: int, streams: int, model: str, loop: str) -> str:
    """The last line a reader printed, in a process of its own."""
    if way in PACKAGES:
        command = [PEERS / "bin" / "python", ROOT / "tests" / "benchmarks" / "peers.py"]
    else:
        command = [sys.executable, "-m", "tests.benchmarks.readers"]
    words = [*map(str, command), way, str(port), str(streams), model, loop]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{way} failed:\n{done.stderr[-2000:]}")
    return done.stdout.splitlines()[-1]


@contextmanager
def server() -> Iterator[int]:
    """The streaming server in its own process; its port."""
    words = [sys.executable, "-m", "tests.benchmarks.server"]
    with subprocess.Popen(
        words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


def set_up_peers() -> None:
    """Once: an environment of their own, in the user's cache, so that no lock of ours names them."""
    if (PEERS / "complete").is_file():
        return
    venv.create(PEERS, with_pip=True, clear=True)
    subprocess.run([PEERS / "bin" / "python", "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    (PEERS / "complete").touch()
