"""Going on with an answer that had ended early, because the user wants the rest: joined to what stands."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Protocol

from msgspec.structs import replace

from vibedesk.engine.climb import Resume
from vibedesk.engine.resuming import going_on, splice_for
from vibedesk.engine.types import Event, Finished, Request, Restarted, Rung, TextDelta

_WORDS = (
    "Your last message ended too early. Write the rest of it. Begin by repeating its last words exactly as they are, "
    "and go on from there; write no introduction and repeat nothing else. Its last words are:\n\n"
)


class Asked(Protocol):
    """What the router and the answer cache give: one ask."""

    @property
    def first_s(self) -> float | None: ...
    def batches(self) -> AsyncGenerator[Sequence[Event], None]: ...
    def stopped(self) -> Finished: ...


def way_of(rungs: Sequence[Rung]) -> Resume:
    """Prefill where every model that may answer takes it, else by asking it to repeat its last words."""
    able = [rung for rung in rungs if rung.obstacle is None]
    return "prefill" if able and all(rung.deployment.model.traits.prefill for rung in able) else "overlap"


def further(request: Request, said: str, way: Resume) -> Request:
    """Asks for what follows `said`, the answer to `request` so far."""
    asked = going_on(request, said, way, _WORDS)
    if way == "overlap":
        return asked
    # who goes on from a prefill cannot think first
    return replace(asked, parameters=replace(asked.parameters, reasoning_effort=None))


class Continued:
    """The same answer, with `said` before it. Where nobody can say how the halves belong together they are two
    paragraphs, and nothing is lost."""

    def __init__(self, answer: Asked, said: str, way: Resume, rung: Rung) -> None:
        self._answer, self._said = answer, said
        self._splice = splice_for(said, way, rung.deployment)
        self._rest: list[str] = []
        self._heard: list[str] = []

    @property
    def text(self) -> str:
        return self._said + "".join(self._rest)

    @property
    def first_s(self) -> float | None:
        """Seconds from the first request being sent to the first token of the rest."""
        return self._answer.first_s

    def stopped(self) -> Finished:
        """The record so far, once whoever listened is gone."""
        return self._whole(self._answer.stopped())

    async def batches(self) -> AsyncGenerator[Sequence[Event], None]:
        """The answer's events; what was said already is not told again."""
        async with aclosing(self._answer.batches()) as batches:
            async for batch in batches:
                if told := [event for one in batch for event in self._told(one)]:
                    yield told

    def _told(self, event: Event) -> list[Event]:
        match event:
            case TextDelta(text):
                self._heard.append(text)
                return self._say(self._splice.feed(text))
            case Restarted():
                self._heard, self._rest = [], []
                return [Restarted(len(self._said))]
            case Finished():
                last = self._say(self._splice.close())
                if self._splice.seam == "lost" and self._heard:
                    last += self._say("\n\n" + "".join(self._heard).strip())
                return [*last, self._whole(event)]
        return [event]

    def _say(self, text: str) -> list[Event]:
        if not text:
            return []
        self._rest.append(text)
        return [TextDelta(text)]

    def _whole(self, finished: Finished) -> Finished:
        return replace(finished, text=self.text, joined_at=(len(self._said), *finished.joined_at))
