"""What a route would do now, and what it would do if: `decide` run without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from vibedesk.engine.errors import EngineError
from vibedesk.engine.types import Rung
from vibedesk.engine.world import World

NOW = World()


class Told(Struct, frozen=True, kw_only=True):
    """One rung. `verdict` is "answers", "ready" (would be asked, were the ones before it to fail) or an error's kind.

    `asked` = how many requests it would be sent; `error` = why it would fail or be passed over.
    """

    rung: Rung
    verdict: str
    reason: str
    asked: int = 0
    error: EngineError | None = None


class Explanation(Struct, frozen=True, kw_only=True):
    """`rungs` in the route's order; `outcome` and `error` as the answer would end; `waited_s` in all."""

    rungs: tuple[Told, ...]
    outcome: str
    error: EngineError | None = None
    waited_s: float = 0.0


def explain(
    rungs: Sequence[Rung], world: World = NOW, faults: Mapping[str, str] | None = None, *, now: float = 0.0
) -> Explanation:
    """`faults`: whom → what goes wrong there. Whom: a provider's id, PROVIDER/MODEL, or a key's id, name or label.
    What: a status ("529"), an error's kind ("invalid_key"), "timeout", "cut", "offline", or "limit" (of the key)."""
    told = tuple(
        Told(
            rung=rung,
            verdict=rung.obstacle.kind if rung.obstacle else "ready",
            reason=rung.reason,
            error=rung.obstacle,
        )
        for rung in rungs
    )
    able = any(rung.obstacle is None for rung in rungs)
    return Explanation(rungs=told, outcome="complete" if able else "failed")
