"""What is known of providers and keys beyond one ask: who fails, who is out, what was used, what was said. Pure.

A value that is replaced, never changed. Times are seconds since 1970. What can be kept over a restart is kept
(`lasting`); what only holds for this session is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from vibedesk.engine import errors
from vibedesk.engine.allowance import Uses
from vibedesk.engine.breaker import Breaker
from vibedesk.engine.errors import EngineError
from vibedesk.engine.rates import Bucket, buckets_of, organisation_of
from vibedesk.engine.types import ApiKey, Deployment

V = TypeVar("V")
SAID_KEPT = 200
OFFLINE_S = 5.0
"""Providers that cannot be reached within so long of one another are one failure: the network's."""


class Out(Struct, frozen=True, kw_only=True):
    """Why and until when somebody is not asked. `hint` is that of the key it was said of: another one, another key."""

    kind: str
    since: float
    until: float | None = None
    """None = until the user does something about it."""
    hint: str = ""
    key: str = ""
    """Whose account is out: a check that finds this key good lets it in again."""


class Unreached(Struct, frozen=True):
    """Connections that did not come about; they count as failures once somebody else has answered."""

    provider: str
    at: float
    count: int


class World(Struct, frozen=True, kw_only=True):
    """`breakers` by target, `dead` by key (`KEY` or `KEY@TARGET`), `cooled` by scope, `uses` by key, `said` by key and
    model, `learned`: key → organisation, `gone`: targets without that model, `endings`: how often an unknown host ended
    a stream without saying so (-1 = it says so), `unreached` by target."""

    breakers: dict[str, Breaker] = {}
    dead: dict[str, Out] = {}
    cooled: dict[str, Out] = {}
    uses: dict[str, Uses] = {}
    said: dict[str, dict[str, Bucket]] = {}
    learned: dict[str, str] = {}
    gone: dict[str, str] = {}
    endings: dict[str, int] = {}
    unreached: dict[str, Unreached] = {}
    number: int = 0
    """Of the last reservation."""


def lasting(world: World) -> World:
    """What is kept over a restart: how somebody fared, never what is under way; counts come from the ledger."""
    breakers = {
        name: replace(one, probe_until=0.0)
        for name, one in world.breakers.items()
        if one.failures or one.opens
    }
    return World(
        breakers=breakers,
        dead=world.dead,
        cooled=world.cooled,
        said=world.said,
        learned=world.learned,
        endings=world.endings,
    )


def fresh_network(world: World) -> World:
    """Another network, or the machine woke up: what failed may work now. What providers said of keys still holds."""
    return replace(world, breakers={}, unreached={})


# Names


def target_of(deployment: Deployment) -> str:
    """Provider, its address, the way and the model: what a breaker watches."""
    return f"{deployment.name}|{deployment.via}|{_address_of(deployment)}"


def host_of(deployment: Deployment) -> str:
    """What cannot be reached when no connection comes about."""
    return _address_of(deployment)


def _address_of(deployment: Deployment) -> str:
    gateway = deployment.gateway
    if deployment.via == "gateway" and gateway is not None:
        return f"{gateway.base_url}/{gateway.account}/{gateway.name}"
    return deployment.provider.base_url


def account_of(world: World, key: ApiKey) -> str:
    """The account whose limits the key shares: the user's word, else the provider's, else one for all."""
    return f"{key.provider}:{key.scope or world.learned.get(key.id, '')}"


def scopes_of(world: World, deployment: Deployment) -> tuple[str, ...]:
    """What may be cooled and concerns this deployment: its account, the account's share of the model, its gateway."""
    gateway = deployment.gateway if deployment.via == "gateway" else None
    fronts = (f"gateway:{gateway.account}/{gateway.name}",) if gateway is not None else ()
    key = deployment.key
    account = account_of(world, key) if key is not None else f"{deployment.provider.id}:"
    return (account, f"{account}|{deployment.model.id}", *fronts)


# Changes


def without(entries: Mapping[str, V], *names: str) -> dict[str, V]:
    return {name: one for name, one in entries.items() if name not in names}


def with_out(entries: Mapping[str, Out], name: str, out: Out) -> dict[str, Out]:
    """One more, and those whose time is over gone."""
    return {
        **{old: one for old, one in entries.items() if one.until is None or one.until > out.since},
        name: out,
    }


def revived(world: World, key_id: str) -> World:
    """The key was edited, or a check found it good."""
    dead = {name: out for name, out in world.dead.items() if name.partition("@")[0] != key_id}
    cooled = {name: out for name, out in world.cooled.items() if out.key != key_id}
    same = len(dead) == len(world.dead) and len(cooled) == len(world.cooled)
    return world if same else replace(world, dead=dead, cooled=cooled)


def cleared(world: World, key_id: str, target: str) -> World:
    """The key answered at this target: it lives, and may use this model. What it may not use elsewhere stays so."""
    dead = without(world.dead, key_id, f"{key_id}@{target}")
    cooled = {name: out for name, out in world.cooled.items() if out.key != key_id}
    same = len(dead) == len(world.dead) and len(cooled) == len(world.cooled)
    return world if same else replace(world, dead=dead, cooled=cooled)


def heard(world: World, deployment: Deployment, headers: Mapping[str, str], now: float) -> World:
    """What an answer's headers say of the key's limits and of whose it is."""
    key = deployment.key
    if key is None:
        return world
    buckets = buckets_of(headers, deployment.provider.id, now)
    if buckets:
        name = said_name(key.id, deployment.model.id)
        said = {**without(world.said, name), name: {**world.said.get(name, {}), **buckets}}
        if len(said) > SAID_KEPT:
            said.pop(next(iter(said)))
        world = replace(_together(world, key, deployment.model.id, buckets, now), said=said)
    organisation = organisation_of(headers)
    if organisation and world.learned.get(key.id) != organisation:
        world = replace(world, learned={**world.learned, key.id: organisation})
    return world


def said_name(key_id: str, model: str) -> str:
    """Under which `World.said` keeps what a provider says of this key's limits for this model."""
    return f"{key_id}|{model}"


def _together(world: World, key: ApiKey, model: str, buckets: Mapping[str, Bucket], now: float) -> World:
    """Two keys of which one's last remaining request is followed by the other's next lower share an account."""
    mine = buckets.get("requests") or buckets.get("requests-day")
    if mine is None or mine.remaining is None or key.id in world.learned:
        return world
    for name, theirs in world.said.items():
        other, _, same_model = name.partition("|")
        last = theirs.get("requests") or theirs.get("requests-day")
        if other == key.id or same_model != model or last is None or last.remaining is None:
            continue
        close = now - last.said_at < 60 and last.limit == mine.limit
        if close and last.remaining - 1 == mine.remaining and other in world.learned:
            return replace(world, learned={**world.learned, key.id: world.learned[other]})
    return world


# What stands in the way


def shadow_of(world: World, deployment: Deployment, now: float) -> tuple[EngineError, float | None] | None:
    """Why this deployment is better not asked now, from what earlier asks learnt, and until when. None = nothing."""
    key, target = deployment.key, target_of(deployment)
    if key is not None and world.dead:
        for name in (key.id, f"{key.id}@{target}"):
            out = world.dead.get(name)
            if out is not None and out.hint == key.hint and (out.until is None or out.until > now):
                return _remembered(out, deployment, now), out.until
    if world.cooled:
        for scope in scopes_of(world, deployment):
            out = world.cooled.get(scope)
            if out is not None and (out.until is None or out.until > now):
                error = _remembered(out, deployment, now)
                if out.kind == "no_credit" and scope.endswith(f"|{deployment.model.id}"):
                    error.facts["scope"] = "model"
                return error, out.until
    if target in world.gone:
        kind = errors.ModelNotFound
        return _about(kind("not offered a while ago", remembered=True), deployment), None
    return None


def _remembered(out: Out, deployment: Deployment, now: float) -> EngineError:
    kind = _KINDS.get(out.kind, errors.ProviderError)
    wait_s = None if out.until is None else max(0.0, out.until - now)
    return _about(kind("as it said before", remembered=True, retry_after_s=wait_s), deployment)


def _about(error: EngineError, deployment: Deployment) -> EngineError:
    error.provider, error.key = deployment.provider.id, deployment.key_name
    error.facts["model"] = deployment.model.id
    return error


_KINDS: dict[str, type[EngineError]] = {
    kind.kind: kind
    for kind in (
        errors.InvalidKey,
        errors.LeakedKey,
        errors.WrongKeyType,
        errors.Restricted,
        errors.WrongOrganisation,
        errors.NoCredit,
        errors.SpendLimit,
        errors.RateLimited,
        errors.GatewayError,
    )
}
