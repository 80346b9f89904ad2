"""How the answers of several lanes reach one stream: as JSON lines as they happen, or as blocks one after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from vibedesk.amounts import count, duration, money, speed
from vibedesk.engine.types import (
    Continued,
    Deployment,
    Event,
    FellBack,
    Finished,
    ReasoningDelta,
    Restarted,
    Started,
    TextDelta,
    Waiting,
)
from vibedesk.terminal.events import event_object
from vibedesk.terminal.output import Output
from vibedesk.terminal.sentences import Sentences

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Face(Protocol):
    """Told every event of every lane. Raises BrokenPipeError once nobody reads any more."""

    def tell(self, lane: int, event: Event) -> None: ...


class JsonFace:
    """One object a line, flushed as it happens."""

    def __init__(self, output: Output, sentences: Sentences, asked: Sequence[str]) -> None:
        self._output = output
        self._sentences = sentences
        self._asked = asked

    def tell(self, lane: int, event: Event) -> None:
        self._output.json(event_object(event, lane, self._asked[lane], self._sentences))


class BlockFace:
    """For a person: the first lane streams, the others wait in memory and follow as blocks, in the order asked.

    The answer goes to standard output and nothing else does, but for the headings that keep several lanes apart.
    """

    def __init__(self, output: Output, sentences: Sentences, asked: Sequence[str]) -> None:
        self._output = output
        self._sentences = sentences
        self._asked = asked
        self._waiting: list[list[Event]] = [[] for _ in asked]
        self._showing = 0
        self._written = ""
        self._thinking = False

    def tell(self, lane: int, event: Event) -> None:
        if lane != self._showing:
            if isinstance(event, Restarted):
                self._waiting[lane] = _without_taken_back(self._waiting[lane], event)
            else:
                self._waiting[lane].append(event)
            return
        self._show(event)
        ended = isinstance(event, Finished)
        while ended and self._showing < len(self._asked) - 1:
            ended = self._next_lane()

    def _next_lane(self) -> bool:
        """Shows what the next lane has said so far; True when it has ended too."""
        self._showing += 1
        self._written, self._thinking = "", False
        said, self._waiting[self._showing] = self._waiting[self._showing], []
        for event in said:
            self._show(event)
        return bool(said) and isinstance(said[-1], Finished)

    def _show(self, event: Event) -> None:
        match event:
            case Started():
                self._heading()
            case TextDelta(text):
                self._heading()
                self._write(text)
            case ReasoningDelta() if not self._thinking and not self._written.strip():
                self._thinking = True
                self._aside("thinking …")
            case Waiting(seconds, error):
                turn = error.facts.get("limit") == "concurrent"
                wait = "waiting for its turn" if turn else f"waiting {duration(seconds)}"
                self._aside(f"{wait}: {self._sentences.of(error)}", "warn")
            case FellBack(error, failed, next):
                said = self._sentences.of(error)
                self._aside(f"{_step(failed, next)}: {said}", "warn")
            case Continued():
                self._aside("the answer had broken off here and goes on:", "warn")
            case Restarted(discard_from):
                self._restart(discard_from)
            case Finished():
                self._heading()
                self._end(event)

    def _heading(self) -> None:
        """Once a lane, and only where there are several."""
        if len(self._asked) == 1 or self._written:
            return
        gap = "\n" if self._showing else ""
        title = f"{LETTERS[self._showing % 26]}  {self._asked[self._showing]}"
        self._output.stream(gap)
        self._output.line(self._output.styled(title, "accent"))
        self._written = "\n"

    def _write(self, text: str) -> None:
        self._output.stream(text)
        self._written += text

    def _restart(self, discard_from: int) -> None:
        if len(self._written.removeprefix("\n")) > discard_from:
            self._aside("the answer starts again:", "warn")

    def _aside(self, text: str, style: str = "dim") -> None:
        self._close_line()
        self._output.note(text, style)

    def _close_line(self) -> None:
        if self._written and not self._written.endswith("\n"):
            self._write("\n")

    def _end(self, finished: Finished) -> None:
        self._close_line()
        if finished.error is not None:
            self._output.error(self._sentences.of(finished.error))
            if own := self._sentences.provider_message(finished.error):
                self._output.note(f"{self._sentences.provider_name(finished.error.provider)}: “{own}”")
        if finished.attempts:
            self._output.note(receipt(finished), "warn" if finished.outcome != "complete" else "dim")
        elif words := cached_receipt(finished):
            self._output.note(words)


def _step(failed: Deployment, next: Deployment) -> str:
    if failed.name == next.name:
        return f"{failed.name}: changed from the key {failed.key_name} to {next.key_name}"
    return f"fell back from {failed.name} to {next.name}"


def _without_taken_back(said: Sequence[Event], event: Restarted) -> list[Event]:
    """What a lane has said and nobody has seen yet, without the text it took back."""
    text = "".join(piece.text for piece in said if isinstance(piece, TextDelta))[: event.discard_from]
    return [*(piece for piece in said if not isinstance(piece, TextDelta)), TextDelta(text)]


def cached_receipt(finished: Finished) -> str:
    """One line: who had said it when, and what it saved to give it again."""
    use = finished.cache
    if use is None:
        return ""
    kept = f"kept {use.kept_at.astimezone():%d %b %H:%M}" if use.kept_at else ""
    saved = f"saved {money(use.saved.usd)}" if use.saved else ""
    shared = "asked once for several lanes" if use.verdict == "shared" else "given from the answer cache"
    return " · ".join(part for part in (finished.deployment, shared, kept, saved) if part)


def receipt(finished: Finished) -> str:
    """One line: who answered, through what, how fast, for how much."""
    last = finished.attempts[-1]
    parts = [
        "" if finished.outcome == "complete" else finished.outcome,
        _END.get(finished.finish_reason or "", ""),
        finished.deployment,
        _through(finished),
        last.key,
        f"{duration(finished.ttft_s)} to the first word" if finished.ttft_s is not None else "",
        speed(finished.tokens_per_s) if finished.tokens_per_s is not None else "",
        _tokens(finished),
        money(finished.cost.usd, finished.cost.estimated) if finished.cost else "cost —",
        "its halves joined" if finished.joined_at else "",
        "begun again" if finished.restarts else "",
        f"{len(finished.attempts)} attempts" if len(finished.attempts) > 1 else "",
    ]
    return " · ".join(part for part in parts if part)


_END = {"length": "ended at the token limit", "content_filter": "ended by the content filter"}


def _through(finished: Finished) -> str:
    last = finished.attempts[-1]
    return f"{last.via} ({last.why_via})" if last.why_via else last.via


def _tokens(finished: Finished) -> str:
    usage = finished.usage
    if usage is None:
        return "tokens —"
    reasoning = f" ({count(usage.reasoning_tokens)} reasoning)" if usage.reasoning_tokens else ""
    return f"{count(usage.input_tokens)} in, {count(usage.output_tokens)} out{reasoning}"
