"""What was said so far in one answer: deltas in whole characters, reasoning apart from text, each fact told once."""

from __future__ import annotations

from decimal import Decimal

from vibedesk.engine.dialects.surrogates import SurrogateJoiner, whole
from vibedesk.engine.dialects.thinking import ThinkSplitter, split_whole
from vibedesk.engine.types import (
    FinishReason,
    FinishReported,
    ModelReported,
    Piece,
    ReasoningDelta,
    TextDelta,
    Usage,
    UsageReported,
)


class Speech:
    """What an interpreter has heard so far, piece by piece, in whole characters."""

    def __init__(self, *, think_tags: bool = False) -> None:
        self.pieces: list[Piece] = []
        self.notes: list[str] = []
        self.spoke = False
        self.thought = False
        self.finish_raw = ""
        self._think_tags = think_tags
        self._text = SurrogateJoiner()
        self._reasoning = SurrogateJoiner()
        self._splitter: ThinkSplitter | None = ThinkSplitter(known=think_tags)
        self._last: tuple[object, ...] = ()
        self._model = ""
        self._reason: FinishReason | None = None

    def say(self, text: str) -> None:
        """A delta of the answer; think tags in it are taken out."""
        if self._splitter is None or self._splitter.passes(text):
            if not text.isascii() or self._text.waiting:
                self._say(text)
            elif text:
                self.spoke = True
                self.pieces.append(TextDelta(text))
            return
        self._parts(self._splitter.feed(text))
        if self._splitter.settled:
            self._splitter = None

    def say_whole(self, text: str) -> None:
        """The answer in one piece."""
        thought, answer = split_whole(text, known=self._think_tags)
        self.think(whole(thought))
        self._splitter = None
        self._say(whole(answer))

    def think(self, text: str) -> None:
        """A delta of the reasoning."""
        text = self._reasoning.feed(text)
        if text:
            self.thought = True
            self.pieces.append(ReasoningDelta(text))

    def usage(self, usage: Usage | None, cost_usd: Decimal | None = None) -> None:
        """Tokens counted so far; None = what was reported cannot be true."""
        if usage is not None and (usage, cost_usd) != self._last:
            self._last = (usage, cost_usd)
            self.pieces.append(UsageReported(usage, cost_usd))

    def finish(self, reason: FinishReason, raw: str) -> None:
        """Why it ended; said again only when it changed."""
        if (reason, raw) != (self._reason, self.finish_raw):
            self._reason, self.finish_raw = reason, raw
            self.pieces.append(FinishReported(reason, raw))

    def model(self, model: str, request_id: str = "") -> None:
        """Who answers: said once."""
        if model and not self._model:
            self._model = model
            self.pieces.append(ModelReported(whole(model), whole(request_id)))

    @property
    def blocked(self) -> bool:
        """The last finish reason was a filter's or a refusal's."""
        return self._reason == "content_filter"

    def flush(self) -> None:
        """At the end: what waited for its other half."""
        if self._splitter is not None:
            self._parts(self._splitter.flush())
            self._splitter = None
        self._say(self._text.flush())
        if left := self._reasoning.flush():
            self.think(left)

    def drain(self) -> list[Piece]:
        """The pieces since the last time."""
        pieces, self.pieces = self.pieces, []
        return pieces

    def _parts(self, parts: list[tuple[bool, str]]) -> None:
        for thought, part in parts:
            (self.think if thought else self._say)(part)

    def _say(self, text: str) -> None:
        text = self._text.feed(text)
        if text:
            self.spoke = True
            self.pieces.append(TextDelta(text))
