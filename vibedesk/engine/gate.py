"""The start line: requests of one question wait here, connected and ready, until all of them can leave together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

PATIENCE_S = 2.0
"""How long those that are ready wait for one that is not: then they leave without it."""


class Gate:
    """Opens once every ticket stands before it or was given back, or `patience_s` after the first came."""

    def __init__(
        self, *, patience_s: float = PATIENCE_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._patience_s = patience_s
        self._opened = asyncio.Event()
        self._tickets: list[Ticket] = []

    def ticket(self) -> Ticket:
        """One request's place at the line; all are taken before the first is used."""
        ticket = Ticket(self)
        self._tickets.append(ticket)
        return ticket

    @property
    def spread_s(self) -> float | None:
        """Time between the first and the last request that left; None before two have."""
        left = [ticket.left_at for ticket in self._tickets if ticket.left_at is not None]
        return max(left) - min(left) if len(left) > 1 else None

    def after_first_s(self, ticket: Ticket) -> float | None:
        """How long after the first request this one left; None when it never did."""
        left = [one.left_at for one in self._tickets if one.left_at is not None]
        return ticket.left_at - min(left) if ticket.left_at is not None else None

    @property
    def open(self) -> bool:
        return self._opened.is_set()

    def _look(self) -> None:
        if all(ticket.ready for ticket in self._tickets):
            self._opened.set()

    async def _wait(self) -> None:
        self._look()
        try:
            async with asyncio.timeout(self._patience_s):
                await self._opened.wait()
        except TimeoutError:
            self._opened.set()


class Ticket:
    """`left_at` is the moment, by the gate's clock, when the request went out; None = it has not."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.ready = False
        self.left_at: float | None = None

    async def leave(self) -> float:
        """Waits for the others, once; gives how long, in seconds. Later requests of the same answer pass at once, where
        the others have left: who failed before they could, and asks somebody else, is not ahead of them by that."""
        if self.left_at is not None or (self.ready and self._gate.open):
            return 0.0
        self.ready = True
        came = self._gate._clock()
        await self._gate._wait()
        self.left_at = self._gate._clock()
        return self.left_at - came

    def give_back(self) -> None:
        """Nobody need wait for this one: it left, failed before it could, or was stopped."""
        self.ready = True
        self._gate._look()

    @property
    def after_first_s(self) -> float | None:
        return self._gate.after_first_s(self)
