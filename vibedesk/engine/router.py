"""Route → answer: what all asks share. Each is an `Answer`; who is asked next is decided in `ladder`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import date

from msgspec.structs import replace

from vibedesk.engine.allowance import UNLIMITED, uses_of
from vibedesk.engine.answer import Answer
from vibedesk.engine.gate import Ticket
from vibedesk.engine.http import Http
from vibedesk.engine.memory import Forgetful, Memory
from vibedesk.engine.rungs import rungs_of
from vibedesk.engine.timers import Timers
from vibedesk.engine.types import ApiKey, Request, Rung, Secret
from vibedesk.engine.world import World, fresh_network, lasting, revived

__all__ = ["Answer", "Router", "rungs_of"]

ASLEEP_S = 30.0
"""The two clocks drift apart by so much only while the machine sleeps."""
SecretOf = Callable[[ApiKey], Awaitable[Secret]]


class Router:
    """Remembers, for all asks, who fails, which key is out, what was used, and which model refused which parameter.

    `timers`, where given, takes the place of what is usual for a model. `luck` gives numbers from 0 to 1.
    """

    def __init__(
        self,
        http: Http,
        secret_of: SecretOf,
        *,
        timers: Timers | None = None,
        memory: Memory | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        today: Callable[[], date] = date.today,
        luck: Callable[[], float] | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.http = http
        self.secret_of = secret_of
        self.timers = timers
        self.clock = clock
        self.wall = wall
        self.today = today
        self.luck = luck or _luck
        self.pause = pause
        self.refused: dict[str, tuple[str, ...]] = {}
        self.world = World()
        self._memory: Memory = memory or Forgetful()
        self._recalling: asyncio.Lock | None = asyncio.Lock()
        self._missed: list[Callable[[World], World]] = []
        """What happened before it was known what was kept."""
        self._kept = World()
        self._keeping = asyncio.Lock()
        self._ahead_s = wall() - clock()

    def ask(self, request: Request, rungs: Sequence[Rung], ticket: Ticket | None = None) -> Answer:
        """Asks nothing yet: the answer's `events` do. With a `ticket` its first request leaves with the others'."""
        return Answer(self, request, rungs, ticket)

    @property
    def recalled(self) -> bool:
        """What was kept over the restart is known."""
        return self._recalling is None

    def network_changed(self) -> None:
        """Another network, or the machine woke up: nobody is left alone for what happened before."""
        self._change(fresh_network)

    def key_changed(self, key_id: str) -> None:
        """The key was edited, or a check found it good: it is asked with again."""
        self._change(lambda world: revived(world, key_id))

    def _change(self, change: Callable[[World], World]) -> None:
        self.world = change(self.world)
        if not self.recalled:
            self._missed.append(change)

    async def prepare(self, rungs: Sequence[Rung]) -> None:
        """Recalls what was kept, and what the keys with limits were used for, before anything is decided."""
        if self._recalling is not None:
            async with self._recalling:
                if self._recalling is not None:
                    self.world = await self._memory.recall()
                    self._kept = replace(self.world, said={})
                    for change in self._missed:
                        self.world = change(self.world)
                    self._recalling = None
        ahead_s = self.wall() - self.clock()
        if ahead_s - self._ahead_s > ASLEEP_S:
            self.network_changed()
        self._ahead_s = ahead_s
        await self._count(rungs)

    async def _count(self, rungs: Sequence[Rung]) -> None:
        keys = {key.id: key for rung in rungs if (key := rung.deployment.key) is not None}
        new = [id for id, key in keys.items() if key.limits != UNLIMITED and id not in self.world.uses]
        if not new:
            return
        past = await self._memory.uses(new)
        uses = {id: uses_of(past.get(id, ()), self.wall()) for id in new}
        self.world = replace(self.world, uses=uses | self.world.uses)

    async def keep(self) -> None:
        """Writes down what lasts, where it changed: the latest last, and again what a cancellation kept from it."""
        changed = replace(lasting(self.world), said={})
        if changed == self._kept:
            return
        before, self._kept = self._kept, changed
        try:
            async with self._keeping:
                await self._memory.keep(self.world)
        except BaseException:
            self._kept = before
            raise


def _luck() -> float:
    from random import random  # slow to load, and not needed to list things

    return random()
