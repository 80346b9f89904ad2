"""A blind comparison: who answers is hidden, the lanes are shuffled, nothing is shown before all have ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import SystemRandom
from typing import TYPE_CHECKING, Literal

from msgspec import Struct
from PySide6.QtCore import QObject, Signal

from vibedesk.state.lane import Lane
from vibedesk.state.story import Exchange
from vibedesk.store.database import DatabaseProblem
from vibedesk.store.votes import BOTH_BAD, TIE

if TYPE_CHECKING:
    from vibedesk.state.playground import Playground

Stage = Literal["off", "ready", "asked", "voting", "revealed"]
LETTERS = "ABCDEFGH"


class Said(Struct, frozen=True, kw_only=True):
    """One turn of a contestant: the question, the answer, and how it ended in a word that tells nothing of who."""

    question: str
    answer: str = ""
    mark: Literal["", "stopped", "cut", "failed"] = ""


class Contestant(Struct, frozen=True, kw_only=True):
    """All that may be known of a lane before the vote. `said` is the same for all until all have ended."""

    letter: str
    said: tuple[Said, ...]
    can_win: bool


class Result(Struct, frozen=True, kw_only=True):
    """How the vote went, names and all; `choice` None = revealed without a vote."""

    choice: int | None
    letters: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def sentence(self) -> str:
        if self.choice is None:
            return "Revealed without a vote."
        if self.choice == TIE:
            return "A tie: " + " and ".join(self.names) + "."
        if self.choice == BOTH_BAD:
            return ("Both bad: " if len(self.names) == 2 else "All bad: ") + " and ".join(self.names) + "."
        return f"You preferred {self.letters[self.choice]}: {self.names[self.choice]}."


class Contest(QObject):
    """`changed` at every stage and every new question. While `hidden`, the screen knows `contestants` and no lane."""

    changed = Signal()
    voted = Signal()

    def __init__(self, playground: Playground, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._playground = playground
        self._random = SystemRandom()
        self.stage: Stage = "off"
        self.since = 0
        self.tag = ""
        self.result: Result | None = None
        playground.all_finished.connect(self.look)

    @property
    def on(self) -> bool:
        return self.stage != "off"

    @property
    def hidden(self) -> bool:
        """Whether nobody may know now who is who."""
        return self.stage in ("ready", "asked", "voting")

    def lanes(self) -> list[Lane]:
        """Those that take part, in the shuffled order."""
        return [lane for lane in self._playground.targets() if lane.spec.model or lane.spec.route]

    def contestants(self) -> tuple[Contestant, ...]:
        """What may be shown."""
        may = self.stage == "voting"
        return tuple(
            Contestant(
                letter=LETTERS[place],
                said=_all_said(self._exchanges(lane), may),
                can_win=may and bool(_last_text(self._exchanges(lane))),
            )
            for place, lane in enumerate(self.lanes())
        )

    # What is wanted

    def begin(self) -> bool:
        """Hides and shuffles; False where there are not two lanes to compare, or a question is on its way."""
        if self._playground.running or self._playground.asking.locked() or len(self.lanes()) < 2:
            return False
        self._begin()
        self.changed.emit()
        return True

    def end(self) -> None:
        """Everything is shown again; what was open is closed without a vote."""
        if self.hidden:
            self._close(None)
        self._set("off")

    def vote(self, choice: int) -> None:
        """`choice` is a place among the contestants, `TIE` or `BOTH_BAD`; then everything is revealed."""
        lanes = self.lanes()
        able = [place for place, one in enumerate(self.contestants()) if one.can_win]
        if self.stage != "voting" or len(able) < 2 or (choice >= 0 and choice not in able):
            return
        names = _names([lanes[place] for place in able])
        among = able.index(choice) if choice >= 0 else choice
        self._close(Result(choice=among, letters=tuple(LETTERS[place] for place in able), names=names))
        self._playground.write(self._cast(names, among, self.tag), "keep a vote")
        self._set("revealed")

    def reveal(self) -> None:
        """Shows who is who without a vote."""
        if self.stage == "voting":
            self._close(None)
            self._set("revealed")

    # What the playground tells

    def before_question(self) -> None:
        """A question is about to be shown: after a reveal it begins a new round."""
        if self.stage == "revealed" and len(self.lanes()) > 1:
            self._begin()
        if self.hidden:
            self._set("asked")

    async def keep(self) -> None:
        """Writes down that this conversation is blind, before anybody is asked."""
        conversation, since = self._playground.conversation, self.since
        if self.hidden and conversation:
            await self._try(lambda: self._playground.desk.votes.hide(conversation, since))

    def look(self) -> None:
        """Once everybody who was asked has ended, whether anybody could be asked or not, there is a vote."""
        if self.stage == "asked" and not self._playground.running and all(map(_ended, self.lanes())):
            self._set("voting")

    def opened(self, since: int | None) -> None:
        """Another conversation is shown: blind from turn `since` on, or not at all. A new one stays as it was."""
        self.result = None
        if since is not None:
            self.since, self.stage = since, "voting"
        elif self._playground.conversation or len(self.lanes()) < 2:
            self.stage = "off"
        elif self.on:
            self._begin()

    # Inside

    def _begin(self) -> None:
        self.since, self.result, self.stage = self._playground.turns, None, "ready"
        order = list(range(len(self._playground.lanes)))
        self._random.shuffle(order)
        self._playground.put_in_order(order)

    def _exchanges(self, lane: Lane) -> list[Exchange]:
        return [one for one in lane.exchanges if one.turn.position >= self.since]

    def _close(self, result: Result | None) -> None:
        lanes = self.lanes()
        unvoted = Result(choice=None, letters=tuple(LETTERS[: len(lanes)]), names=_names(lanes))
        self.result = result or unvoted
        self._playground.write(self._reveal(self._playground.conversation), "keep a reveal")

    def _set(self, stage: Stage) -> None:
        self.stage = stage
        self.changed.emit()

    async def _reveal(self, conversation: str) -> None:
        """After the question that is on its way, with which it is written down that this conversation is blind."""
        async with self._playground.asking:
            conversation = conversation or self._playground.conversation
            if conversation:
                await self._try(lambda: self._playground.desk.votes.reveal(conversation))
                self._playground.conversation_saved.emit(conversation)

    async def _cast(self, names: tuple[str, ...], choice: int, tag: str) -> None:
        await self._try(lambda: self._playground.desk.votes.cast(names, choice, tag))
        self.voted.emit()

    async def _try(self, work: Callable[[], object]) -> None:
        try:
            await asyncio.to_thread(work)
        except DatabaseProblem as problem:
            self._playground.complain(str(problem))


def _ended(lane: Lane) -> bool:
    answer = lane.exchanges[-1].answer if lane.exchanges else None
    return answer is not None and answer.outcome is not None


def _all_said(exchanges: list[Exchange], may: bool) -> tuple[Said, ...]:
    """What came before the last question stays in sight; its own answers come together."""
    return tuple(_said(one, may or place < len(exchanges) - 1) for place, one in enumerate(exchanges))


def _said(exchange: Exchange, may: bool) -> Said:
    answer = exchange.answer
    if not may or answer is None or answer.outcome is None:
        return Said(question=exchange.turn.text)
    mark = answer.outcome if answer.outcome in ("stopped", "cut", "failed") else ""
    return Said(question=exchange.turn.text, answer=answer.text, mark=mark)  # type: ignore[arg-type]


def _last_text(exchanges: list[Exchange]) -> str:
    answer = exchanges[-1].answer if exchanges else None
    return answer.text if answer is not None and answer.outcome is not None else ""


def _names(lanes: list[Lane]) -> tuple[str, ...]:
    """Who answered, told apart by what was set where one model stands in several lanes."""
    names = [_who(lane) for lane in lanes]
    return tuple(
        " · ".join((name, *_settings(lane))) if names.count(name) > 1 else name
        for name, lane in zip(names, lanes, strict=True)
    )


def _who(lane: Lane) -> str:
    answer = lane.exchanges[-1].answer if lane.exchanges else None
    return (answer.deployment if answer is not None else "") or lane.spec.model or lane.spec.route


def _settings(lane: Lane) -> list[str]:
    spec, parameters = lane.spec, lane.spec.parameters
    found = [f"route {spec.route}" if spec.route else "", spec.via]
    if parameters.temperature is not None:
        found.append(f"temperature {parameters.temperature:g}")
    if parameters.reasoning_effort is not None:
        found.append(f"effort {parameters.reasoning_effort}")
    if parameters.max_tokens is not None:
        found.append(f"at most {parameters.max_tokens} tokens")
    found.append("with a system prompt" if spec.system else "")
    return [word for word in found if word]
