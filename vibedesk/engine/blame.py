"""What a request's end changes for all later ones: breakers, dead keys, cooled scopes, counted uses. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from vibedesk.engine import breaker as breakers
from vibedesk.engine.allowance import UNLIMITED, Reservation, Use, Uses, reserved, settled
from vibedesk.engine.climb import Failed, Moment, State
from vibedesk.engine.errors import NotAsked
from vibedesk.engine.policy import Rule, cooled_until, pause_after
from vibedesk.engine.standing import reservation_of
from vibedesk.engine.types import Deployment
from vibedesk.engine.world import (
    Out,
    Unreached,
    World,
    cleared,
    scopes_of,
    target_of,
    with_out,
    without,
)

PENDING_S = 60.0


def sent(state: State, position: int, now: float) -> State:
    """A request leaves: its allowance is taken, and where the breaker is open it is the probe."""
    world, climb = state.world, state.climb
    deployment = climb.rungs[position].deployment
    holds = 0
    key = deployment.key
    if key is not None and key.limits != UNLIMITED:
        tokens, usd = reservation_of(climb, deployment, now)
        holds = world.number + 1
        uses = reserved(world.uses.get(key.id, Uses()), Reservation(holds, tokens, usd))
        world = replace(world, number=holds, uses={**world.uses, key.id: uses})
    target = target_of(deployment)
    known = world.breakers.get(target)
    probes = known is not None and known.opens > 0
    if known is not None and probes:
        world = replace(world, breakers={**world.breakers, target: breakers.probed(known, now)})
    return State(world, replace(climb, holds=holds, probes=probes))


def ended(state: State, use: Use | None) -> State:
    """The request under way is over: what it really came to takes the place of what was reserved."""
    world, climb = state.world, state.climb
    key = climb.rungs[climb.position].deployment.key if climb.position >= 0 else None
    if not climb.holds or key is None:
        return state
    uses = settled(world.uses.get(key.id, Uses()), climb.holds, use)
    return State(replace(world, uses={**world.uses, key.id: uses}), replace(climb, holds=0))


def praised(state: State, event: Moment) -> World:
    """It answered to the end: its breaker closes, its key lives, its scopes are warm."""
    world, deployment = state.world, _asked(state)
    target = target_of(deployment)
    world = _counted(world, event)
    done = breakers.completed(world.breakers.get(target), event.now)
    world = replace(world, breakers={**world.breakers, target: done})
    if world.gone:
        world = replace(world, gone=without(world.gone, target))
    if world.cooled:
        world = replace(world, cooled=without(world.cooled, *scopes_of(world, deployment)))
    known = world.dead or world.cooled
    return cleared(world, deployment.key.id, target) if known and deployment.key is not None else world


def called_back(state: State) -> World:
    """The request tells nothing about the deployment: the next one may be the probe."""
    world = state.world
    target = target_of(_asked(state))
    known = world.breakers.get(target)
    if known is None or not state.climb.probes:
        return world
    return replace(world, breakers={**world.breakers, target: breakers.released(known)})


def blamed(state: State, event: Failed, rule: Rule) -> World:
    """What a failure says beyond this ask."""
    deployment, error = _asked(state), event.error
    world = called_back(state)
    if not rule.unreached and not isinstance(error, NotAsked):
        world = _counted(world, event)
    if rule.counts:
        world = _failed(world, deployment, event, rule)
    key = deployment.key
    if rule.kills and key is not None:
        name = key.id if rule.kills == "key" else f"{key.id}@{target_of(deployment)}"
        out = Out(kind=error.kind, since=event.now, hint=key.hint)
        world = replace(world, dead=with_out(world.dead, name, out))
    if rule.cools:
        world = _cooled(world, state, event, rule)
    if error.kind == "model_not_found":
        world = replace(world, gone={**world.gone, target_of(deployment): error.kind})
    return world


def _asked(state: State) -> Deployment:
    return state.climb.rungs[state.climb.position].deployment


def _failed(world: World, deployment: Deployment, event: Failed, rule: Rule) -> World:
    target = target_of(deployment)
    if rule.unreached and not deployment.provider.local:
        before = world.unreached.get(target)
        count = before.count + 1 if before is not None and event.now - before.at < PENDING_S else 1
        pending = Unreached(deployment.provider.id, event.now, count)
        return replace(world, unreached={**world.unreached, target: pending})
    after = breakers.failed(world.breakers.get(target), event.now, event.luck, event.error.retry_after_s)
    return replace(world, breakers={**world.breakers, target: after})


def _counted(world: World, event: Moment) -> World:
    """Somebody has answered, so the network is up: who could not be reached lately is to blame itself."""
    if not world.unreached:
        return world
    changed = dict(world.breakers)
    for target, pending in world.unreached.items():
        if event.now - pending.at < PENDING_S:
            for _ in range(pending.count):
                changed[target] = breakers.failed(changed.get(target), event.now, event.luck)
    return replace(world, breakers=changed, unreached={})


def _cooled(world: World, state: State, event: Failed, rule: Rule) -> World:
    climb = state.climb
    tries = climb.tries[climb.position]
    pause_s = pause_after(event.error, max(tries - 1, 0), event.luck)
    account, share, *front = scopes_of(world, _asked(state))
    scope = {"account": account, "model": share}.get(rule.cools) or (front[0] if front else share)
    until = cooled_until(event.error, event.now, pause_s)
    key = _asked(state).key
    whose = key.id if key is not None and rule.cools == "account" else ""
    out = Out(kind=event.error.kind, since=event.now, until=until, key=whose)
    return replace(world, cooled=with_out(world.cooled, scope, out))
