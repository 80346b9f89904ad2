"""The tables of length: a long answer, a long conversation, and the memory both take."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tests.benchmarks.draw import Found, in_window, ms, quantile
from tests.benchmarks.engine import ROOT, server
from tests.benchmarks.table import Line, shown

if TYPE_CHECKING:
    from tests.benchmarks.soak import Look

NAIVE_TOKENS = 4_000
"""The naive way takes the square of the length: it is stopped early."""


def take_options(words: argparse.ArgumentParser) -> None:
    words.add_argument("--tokens", type=int, default=50_000, help="of the long answer")
    words.add_argument("--messages", type=int, default=10_000, help="of the long conversation")
    words.set_defaults(run=run)


def take_memory_options(words: argparse.ArgumentParser) -> None:
    words.add_argument("--seconds", type=float, default=55.0, help="of streaming")
    words.add_argument("--whole", action="store_true", help="the whole program, 4 lanes")
    words.add_argument("--rate", type=float, default=300.0, help="tokens a second and lane of the whole")
    words.set_defaults(run=run_memory)


def run(given: argparse.Namespace) -> None:
    """Prints one table after the other as they are done."""
    ways = {"vibedesk": given.tokens, "floor": given.tokens, "naive": min(given.tokens, NAIVE_TOKENS)}
    found = {way: in_window("answer", way, tokens) for way, tokens in ways.items()}
    print(shown(f"One answer of {given.tokens:,} tokens", answer_lines(found, ways)), flush=True)
    kept = {
        f"{given.messages:,} messages": (given.messages, 225),
        "1,000,000 tokens in 4,000 messages": (4_000, 500),
        "200,000 tokens in one answer": (2, 200_000),
    }
    for title, (messages, tokens) in kept.items():
        opened = in_window("messages", messages, tokens)
        print(shown(f"A kept conversation: {title}", conversation_lines(opened)), flush=True)


def answer_lines(found: dict[str, Found], ways: dict[str, int]) -> Iterator[Line]:
    names = {"vibedesk": "transcript", "floor": "QPlainTextEdit.insertText", "naive": "setMarkdown a frame"}
    for way, one in found.items():
        goal = 1.5 if way == "vibedesk" else None
        last = f"{one['last'] * 1000:.0f} ms"
        what = f"{names[way]}, last 1,000 of {ways[way]:,}"
        yield Line(what, last, "its first 1,000", one["last"] / one["first"], goal)
    ours = found["vibedesk"]
    for way in ("floor", "naive"):
        ratio = ours["last"] / found[way]["last"]
        yield Line(f"{names['vibedesk']}, last 1,000", "", names[way], ratio)
    yield Line("slowest frame but one in a hundred", ms(ours["frames"], 99))


def conversation_lines(found: Found) -> Iterator[Line]:
    yield Line("open until usable", f"{found['open']:.0f} ms", "", found["open"], 500, unit="ms")
    yield Line("longest stall meanwhile", ms(found["late"], 100))
    frames = {
        "60 px by the wheel": found["wheel"],
        "to a place far away": found["far"],
        "both": found["wheel"] + found["far"],
        "to the next place of a word": found["found"],
        "of an answer that comes": found["grow"],
    }
    yield Line("a letter typed into the find bar, slowest", ms(found["typed"], 100))
    for what, spent in frames.items():
        middle, slow = ms(spent, 50), quantile(spent, 99)
        yield Line(f"frame, {what}, p99", ms(spent, 99), f"p50 {middle}", slow, 16, unit="ms")


def run_memory(given: argparse.Namespace) -> None:
    if given.whole:
        title = f"Memory of the whole program over {given.seconds:,.0f} s of streaming, 4 × {given.rate:,.0f} tokens/s"
        print(shown(title, soak_lines(soaked(given.seconds, given.rate))), flush=True)
        return
    found = in_window("memory", given.seconds)
    print(shown("Memory of one view that is fed without pause", memory_lines(found)), flush=True)


def memory_lines(found: Found) -> Iterator[Line]:
    """Growth between the half and the end, a token; what was said is kept, and weighs itself."""
    (first, start), *_, (tokens, end) = found["grown"]
    middle, half = found["grown"][len(found["grown"]) // 2]
    grown = (end - half) * 1e6 / max(1, tokens - middle)
    yield Line("at the beginning", f"{start:.0f} MB")
    yield Line(f"after {tokens - first:,} tokens", f"{end:.0f} MB")
    yield Line("a token, second half", f"{grown:.0f} B", "of growth", grown, 40, unit="B")
    given_back = found["after"] - start
    yield Line("after leaving", f"{found['after']:.0f} MB", "over the beginning", given_back, 15, unit="MB")


def soaked(seconds: float, rate: float) -> list[Look]:
    """What a soaking process saw; each look is also told as it comes, for it takes long."""
    looks: list[Look] = []
    with server() as port:
        words = [sys.executable, "-m", "tests.benchmarks.soak", str(port), str(seconds), str(rate)]
        with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout or ():
                if not isinstance(look := json.loads(line), list):
                    continue
                looks.append(tuple(look))
                passed, full, left, answers, failed = look
                told = f"{passed:6.0f} s  {full:6.1f} MB, left {left:6.1f} MB  {answers} answers, {failed} failed"
                print(told, file=sys.stderr, flush=True)
    if process.returncode:
        raise SystemExit(f"it ended with {process.returncode}")
    return looks


def soak_lines(looks: Sequence[Look]) -> Iterator[Line]:
    """Growth from the first look on, which is after the first conversation: two minutes, or less of a shorter time."""
    (_, full, left, _, _), *_, (_, full_then, left_then, answers, failed) = looks
    for passed, here, after, said, _ in looks:
        yield Line(f"after {passed / 60:.1f} min, {said} answers", f"{here:.0f} MB", "the first", here / full)
        yield Line("    and its conversation was left", f"{after:.0f} MB", "the first", after / left)
    yield Line("growth of the idle window", "", "the first", (left_then / left - 1) * 100, 5, unit="%")
    yield Line("growth with a conversation", "", "the first", (full_then / full - 1) * 100, 5, unit="%")
    yield Line("answers that did not complete", str(failed), f"of {answers}", failed, 0, unit="")
