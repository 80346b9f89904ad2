"""Lays answers side by side where it takes long: in a thread, and only the last wish is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from vibedesk.state.lens import LONG, Difference, Point, disagreements, word_diff
from vibedesk.state.tasks import Tasks

T = TypeVar("T")


class Comparing:
    """Short texts are compared at once."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._wish = 0

    def words(self, one: str, other: str, take: Callable[[Difference], None]) -> None:
        """`take` gets where the two differ, unless something else was wished for meanwhile."""
        self._do(len(one) + len(other), lambda: word_diff(one, other), take)

    def points(self, answers: Sequence[str], take: Callable[[tuple[Point, ...]], None]) -> None:
        """`take` gets what not all say."""
        self._do(sum(map(len, answers)), lambda: disagreements(answers), take)

    def _do(self, size: int, work: Callable[[], T], take: Callable[[T], None]) -> None:
        self._wish += 1
        if size < LONG:
            take(work())
        elif not self._tasks.closed:
            self._tasks.start(self._later(self._wish, work, take), name="compare answers")

    async def _later(self, wish: int, work: Callable[[], T], take: Callable[[T], None]) -> None:
        found = await asyncio.to_thread(work)
        if wish == self._wish:
            take(found)

    def forget(self) -> None:
        """Whoever asked is gone."""
        self._wish += 1
