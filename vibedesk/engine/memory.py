"""What the router keeps beyond one run of the app, and who keeps it for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from vibedesk.engine.allowance import Use
from vibedesk.engine.world import World


class Memory(Protocol):
    """Reads and writes where nobody waits for the disk on the loop's thread. None of them raises."""

    async def recall(self) -> World:
        """What was kept last."""

    async def keep(self, world: World) -> None:
        """Keeps what lasts of it (`world.lasting`)."""

    async def uses(self, key_ids: Sequence[str]) -> Mapping[str, Sequence[Use]]:
        """What these keys were used for since the beginning of the month (UTC)."""


class Forgetful:
    """Keeps nothing."""

    async def recall(self) -> World:
        return World()

    async def keep(self, world: World) -> None:
        return

    async def uses(self, key_ids: Sequence[str]) -> Mapping[str, Sequence[Use]]:
        return {}
