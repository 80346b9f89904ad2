"""Whom a failure concerns beside the rung it happened to. Pure."""

from __future__ import annotations

from vibedesk.engine.climb import State
from vibedesk.engine.errors import EngineError
from vibedesk.engine.policy import Rule
from vibedesk.engine.types import Deployment
from vibedesk.engine.world import account_of, host_of, target_of


def sharing(state: State, rule: Rule) -> frozenset[int]:
    """Rungs that wait with this one: the world has cooled what they share."""
    climb = state.climb
    mine = climb.rungs[climb.position].deployment
    if mine.key is None or rule.cools == "front":
        return frozenset()
    account = account_of(state.world, mine.key)
    return frozenset(
        position
        for position, rung in enumerate(climb.rungs)
        if (key := rung.deployment.key) is not None
        and account_of(state.world, key) == account
        and (rule.cools == "account" or rung.deployment.model.id == mine.model.id)
    )


def spent_by(state: State, rule: Rule) -> frozenset[int]:
    """The rungs that are of no use any more after a failure of this kind."""
    climb, position = state.climb, state.climb.position
    mine = climb.rungs[position].deployment
    why = dict(climb.refused).get(position)

    def alike(one: Deployment) -> bool:
        match rule.spent:
            case "key":
                return one.key is not None and mine.key is not None and one.key.id == mine.key.id
            case "target":
                return target_of(one) == target_of(mine)
            case "host":
                return host_of(one) == host_of(mine)
            case "provider":
                return one.provider.id == mine.provider.id
            case "window":
                return not _larger(one, mine, why)
            case "front":
                return one.via == "gateway" and mine.via == "gateway"
        return False

    others = (place for place, rung in enumerate(climb.rungs) if alike(rung.deployment))
    return frozenset({position, *others})


def _larger(one: Deployment, mine: Deployment, error: EngineError | None) -> bool:
    """Its window is known to be larger than the one that was too small."""
    told = error.facts.get("window") if error is not None else None
    small = max(mine.model.context_window or 0, told if isinstance(told, int) else 0)
    return one.model.context_window is not None and one.model.context_window > small
