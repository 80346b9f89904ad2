"""How the rungs of an ask stand: who can be asked now, who when, and what stands in the way. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from vibedesk.engine import errors
from vibedesk.engine.allowance import UNLIMITED, Uses, free_at
from vibedesk.engine.breaker import stand_of
from vibedesk.engine.climb import Climb, State
from vibedesk.engine.errors import EngineError
from vibedesk.engine.policy import RUNG_CAP, TARGET_CAP
from vibedesk.engine.pricing import cost_of
from vibedesk.engine.types import Deployment, Usage
from vibedesk.engine.world import World, shadow_of, target_of

Hurdle = Literal["", "obstacle", "spent", "shadow", "rest", "own_limit"]


class Standing(Struct, frozen=True):
    """`hurdle` "" = can be asked. `until` = when it is gone, None where nobody knows."""

    hurdle: Hurdle = ""
    error: EngineError | None = None
    until: float | None = None


READY = Standing()


def standing_of(state: State, position: int, now: float) -> Standing:
    """How one rung stands."""
    climb, world = state.climb, state.world
    rung = climb.rungs[position]
    if rung.obstacle is not None:
        return Standing("obstacle", rung.obstacle)
    if position in climb.spent or worn_out(climb, position):
        return Standing("spent", dict(climb.refused).get(position))
    deployment = rung.deployment
    shadow = shadow_of(world, deployment, now)
    if shadow is not None:
        return Standing("shadow", *shadow)
    breaker = world.breakers.get(target_of(deployment)) if world.breakers else None
    if breaker is not None and (stand := stand_of(breaker, now)) in ("open", "probing"):
        until = breaker.open_until if stand == "open" else None
        return Standing("rest", _resting(deployment, until, now), until)
    return own_limit_of(state, position, now)


def own_limit_of(state: State, position: int, now: float) -> Standing:
    """Whether a limit of the user's holds the request back."""
    deployment = state.climb.rungs[position].deployment
    key = deployment.key
    if key is None or key.limits == UNLIMITED:
        return READY
    tokens, usd = reservation_of(state.climb, deployment, now)
    at, limit = free_at(key.limits, state.world.uses.get(key.id, Uses()), now, tokens, usd)
    if not limit:
        return READY
    error = errors.OwnLimit(f"{limit} of the user's own", limit=limit, retry_after_s=at - now)
    return Standing("own_limit", _named(error, deployment), at)


def reservation_of(climb: Climb, deployment: Deployment, now: float) -> tuple[int, Decimal]:
    """Tokens and dollars this request may come to."""
    taken, given = climb.tokens
    key = deployment.key
    if key is None or key.limits.monthly_usd is None:
        return taken + given, Decimal(0)
    usage = Usage(input_tokens=taken, output_tokens=given)
    cost = cost_of(usage, deployment.model, on=datetime.fromtimestamp(now, UTC).date())
    return taken + given, cost.usd if cost is not None else Decimal(0)


def worn_out(climb: Climb, position: int) -> bool:
    """It has had all the requests that one ask gives."""
    if climb.tries[position] >= RUNG_CAP:
        return True
    if climb.attempts < TARGET_CAP:
        return False
    name = target_of(climb.rungs[position].deployment)
    return tries_of(climb, name) >= TARGET_CAP


def tries_of(climb: Climb, target: str) -> int:
    """Requests this deployment has had from this ask, over all its keys."""
    pairs = zip(climb.rungs, climb.tries, strict=True)
    return sum(tries for rung, tries in pairs if tries and target_of(rung.deployment) == target)


def worn(world: World, target: str, now: float) -> bool:
    """It has failed so often lately that somebody else is asked rather than it again."""
    breaker = world.breakers.get(target)
    pending = world.unreached.get(target)
    failures = (breaker.failures if breaker else 0) + (pending.count if pending else 0)
    return failures >= 3 or stand_of(breaker, now) != "closed"


def _resting(deployment: Deployment, until: float | None, now: float) -> EngineError:
    wait_s = None if until is None else until - now
    return _named(errors.Resting("it failed several times in a row", retry_after_s=wait_s), deployment)


def _named(error: EngineError, deployment: Deployment) -> EngineError:
    error.provider, error.key = deployment.provider.id, deployment.key_name
    error.facts["model"] = deployment.model.id
    return error
