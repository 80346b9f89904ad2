"""Writes the open conversation down as it happens: in a thread, in order, to the end, and says once when it cannot."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from vibedesk.desk import Desk
from vibedesk.engine.errors import Misconfigured
from vibedesk.engine.types import Finished
from vibedesk.state.notices import Notices
from vibedesk.state.tasks import Tasks
from vibedesk.store.database import DatabaseProblem
from vibedesk.store.history import Conversation, LaneSpec, StoredAnswer, StoredTurn

_log = logging.getLogger(__name__)
T = TypeVar("T")


class Autosave(QObject):
    """One writer: what was given first is written first, whatever becomes of whoever gave it.

    `saved(conversation id)` after each change to the list.
    """

    saved = Signal(str)

    def __init__(self, desk: Desk, tasks: Tasks, notices: Notices, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self._tasks, self._notices = desk, tasks, notices
        self._in_turn = asyncio.Lock()
        self._failing = False

    async def create(self, lanes: Iterable[LaneSpec], title: str, blind_since: int | None = None) -> str:
        """A new conversation's id, blind from that turn on where one is given; "" when it cannot be kept."""

        def write() -> str:
            with self._desk.database.transaction():
                id = self._desk.history.create(tuple(lanes), title)
                if blind_since is not None:
                    self._desk.votes.hide(id, blind_since)
            return id

        id = await asyncio.shield(self._give(write, ""))
        if id:
            self.saved.emit(id)
        return id

    async def turn(self, conversation: str, shown: StoredTurn) -> StoredTurn:
        """Keeps what the user said; where that fails the turn is only shown."""
        if not conversation:
            return shown

        def write() -> StoredTurn:
            return self._desk.history.add_turn(
                conversation, shown.text, shown.images, shown.lanes, shown.parents, id=shown.id
            )

        return await asyncio.shield(self._give(write, shown, changed=conversation))

    def answer(self, conversation: str, answer: StoredAnswer) -> None:
        """Keeps an answer as far as it has come."""
        if conversation:
            self._give(lambda: self._desk.history.save_answer(conversation, answer), None)

    def finished(self, conversation: str, answer: StoredAnswer, finished: Finished) -> asyncio.Future[None]:
        """Keeps what it cost, whatever becomes of its conversation, and the whole answer; done when both are kept."""

        def book() -> None:
            self._desk.ledger.record(finished, datetime.now(UTC), conversation_id=conversation or None)
            self._desk.keys.note_attempts(finished.attempts, datetime.now(UTC))

        def write() -> None:
            if conversation:
                self._desk.history.save_answer(conversation, answer)

        if finished.attempts or finished.cached:
            self._give(book, None)
        return self._give(write, None, changed=conversation)

    async def whole(self, conversation: str) -> Conversation | None:
        """All that is kept of it, as it is now; None where it is not kept."""
        if not conversation:
            return None
        return await asyncio.shield(self._give(lambda: self._desk.history.load(conversation), None))

    async def remove_turn(self, conversation: str, turn_id: str) -> None:
        if conversation:
            remove = lambda: self._desk.history.remove_turn(conversation, turn_id)  # noqa: E731
            await asyncio.shield(self._give(remove, None, changed=conversation))

    async def put_turn_back(self, before: Conversation, turn_id: str) -> None:
        """A removed turn as it was in the conversation `before`."""
        put_back = lambda: self._desk.history.put_turn_back(before, turn_id)  # noqa: E731
        await asyncio.shield(self._give(put_back, None, changed=before.id))

    def title(self, conversation: str, title: str) -> None:
        if conversation:
            self._give(lambda: self._desk.history.set_title(conversation, title), None, changed=conversation)

    def lanes(self, conversation: str, lanes: Sequence[LaneSpec]) -> None:
        """Keeps which lanes are open: in the conversation, and for the next one."""
        shown = [lane for lane in lanes if not lane.aside]
        models = [lane.model for lane in shown if lane.model]

        def write() -> None:
            if conversation:
                self._desk.history.set_lanes(conversation, lanes)
            if self._desk.settings.get("lanes.last") != models:
                self._desk.settings.set("lanes.last", models)
            self._desk.lane_sets.keep_last(shown)

        self._give(write, None)

    def _give(self, work: Callable[[], T], otherwise: T, *, changed: str | None = None) -> asyncio.Task[T]:
        """Has it written after what was given before; then `changed`, a conversation, is told."""
        return self._tasks.start(self._write(work, otherwise, changed), name="write down", to_the_end=True)

    async def _write(self, work: Callable[[], T], otherwise: T, changed: str | None) -> T:
        async with self._in_turn:
            result = await self._written(work, otherwise)
        if changed is not None:
            self.saved.emit(changed)
        return result

    async def _written(self, work: Callable[[], T], otherwise: T) -> T:
        try:
            result = await asyncio.to_thread(work)
        except (DatabaseProblem, OSError) as problem:
            self._complain(problem)
            return otherwise
        except Misconfigured as problem:  # settings.toml, with an error in it, says so itself
            self._notices.add(problem.detail, "bad")
            return otherwise
        self._failing = False
        return result

    def _complain(self, problem: Exception) -> None:
        _log.warning("the conversation was not saved: %s", problem)
        if not self._failing:
            self._notices.add(f"The conversation could not be saved: {problem}", "bad", seconds=0)
        self._failing = True
