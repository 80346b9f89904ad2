"""What one `ask` leaves behind: a conversation in history, unless nobody wants it, and lines in the ledger."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from vibedesk.desk import Desk
from vibedesk.engine.types import Finished, Image, Request, Route
from vibedesk.store.history import LaneSpec, StoredAnswer, ended, new_id
from vibedesk.terminal.sentences import Sentences
from vibedesk.wording import words_for

if TYPE_CHECKING:
    from vibedesk.engine.cache import CachedAnswer
    from vibedesk.engine.router import Answer

SAVE_EVERY_S = 1.0
"""A streaming answer is written this often: a power cut costs no more of it."""


class Record:
    """Saves beside the answers, in threads: the stream never waits for a disk for long."""

    def __init__(self, desk: Desk, request: Request, *, via: str, save: bool) -> None:
        self._desk = desk
        self._sentences = Sentences(desk)
        self._request = request
        self._via = via
        self._save = save
        self._began = datetime.now(UTC)
        self._conversation: str | None = None
        self._answers: list[StoredAnswer] = []
        self._saved: dict[int, float] = {}

    async def begin(self, routes: Sequence[Route]) -> None:
        """Writes down the question. Nothing with `save` off."""
        if self._save:
            await asyncio.to_thread(self._begin, routes)

    async def hear(self, number: int, answer: Answer | CachedAnswer) -> None:
        """Lane `number` has said more."""
        now = time.monotonic()
        if self._conversation is None or now - self._saved.setdefault(number, now) < SAVE_EVERY_S:
            return
        self._saved[number] = now
        said = replace(self._answers[number], text=answer.text)
        await asyncio.to_thread(self._desk.history.save_answer, self._conversation, said)

    async def keep(self, number: int, finished: Finished) -> None:
        """Lane `number` has ended. The ledger counts what was sent, also with `save` off."""
        await asyncio.to_thread(self._keep, number, finished)

    def _begin(self, routes: Sequence[Route]) -> None:
        with self._desk.database.transaction():  # whoever interrupts this closes the database
            self._write_question(routes)

    def _write_question(self, routes: Sequence[Route]) -> None:
        specs = [self._lane(route) for route in routes]
        message = self._request.messages[0]
        images = [part for part in message.parts if isinstance(part, Image)]
        history = self._desk.history
        self._conversation = history.create(specs)
        turn = history.add_turn(self._conversation, message.text, images, [spec.id for spec in specs])
        for spec in specs:
            self._answers.append(
                StoredAnswer(id=new_id(), turn_id=turn.id, lane_id=spec.id, created=turn.created)
            )
            history.save_answer(self._conversation, self._answers[-1])

    def _lane(self, route: Route) -> LaneSpec:
        return LaneSpec(
            id=new_id(),
            model="" if route.name else route.model,
            route=route.name,
            via=self._via,
            system=self._request.system,
            parameters=self._request.parameters,
        )

    def _keep(self, number: int, finished: Finished) -> None:
        if finished.attempts or finished.cached:
            self._desk.ledger.record(finished, self._began, conversation_id=self._conversation)
        self._desk.keys.note_attempts(finished.attempts, self._began)
        if self._conversation is not None:
            self._desk.history.save_answer(self._conversation, self._ended(self._answers[number], finished))

    def _ended(self, answer: StoredAnswer, finished: Finished) -> StoredAnswer:
        error = finished.error
        words = (
            words_for(error, provider_name=self._sentences.provider_name(error.provider)) if error else None
        )
        title, text = (
            (words.title, self._sentences.clean(f"{words.sentence} {words.fix}")) if words else ("", "")
        )
        return ended(answer, finished, title, text)
