"""Route → rungs: the deployments in the order they would be tried, and what stands in the way of each. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from vibedesk.engine.catalog import Catalog, origin_of
from vibedesk.engine.errors import EngineError, Misconfigured, NoKey, RetiredModel, UnknownProvider
from vibedesk.engine.transport import assert_may_send, choose, url_of
from vibedesk.engine.types import ApiKey, Deployment, Gateway, Model, Provider, Route, Rung, Terms

KeysOf = Callable[[Provider], Sequence[ApiKey]]


def rungs_of(route: Route, catalog: Catalog, keys: KeysOf, gateway: Gateway | None) -> tuple[Rung, ...]:
    """Primary first, then the fallbacks, each with all its keys in their order; one that repeats an earlier one is
    left out. Sends and reads nothing."""
    names = dict.fromkeys((_overridden(route, catalog), *route.fallback_models))
    terms = Terms(timeouts=route.timeouts, fallback_on_policy=route.fallback_on_policy, on_cut=route.on_cut)
    return tuple(
        replace(rung, terms=terms)
        for place, name in enumerate(names)
        for rung in _rungs(name, place, route.provider_override, catalog, keys, gateway)
    )


def _overridden(route: Route, catalog: Catalog) -> str:
    """An override that names another provider asks that one for the model (seed: "force a specific provider")."""
    override = route.provider_override
    provider, _, model = route.model.partition("/")
    if override in (None, "", "direct", "gateway", provider) or override not in catalog.providers:
        return route.model
    return f"{override}/{model}"


def _rungs(
    name: str, place: int, override: str | None, catalog: Catalog, keys: KeysOf, gateway: Gateway | None
) -> list[Rung]:
    """One for each key that may be sent there; one with an obstacle where there is none."""
    reason = "first choice" if place == 0 else f"fallback {place}"
    try:
        provider = catalog.provider(name.partition("/")[0])
        model = catalog.model(name)
    except (UnknownProvider, Misconfigured) as exc:
        return [Rung(deployment=_nowhere(name), reason=reason, obstacle=exc)]
    meant = _meant(override, provider, catalog)
    found = []
    for turn, key in enumerate(_keys(provider, keys)):
        via, why = choose(provider, meant, gateway, key)
        front = gateway if via == "gateway" else None
        deployment = Deployment(provider=provider, model=model, key=key, via=via, why_via=why, gateway=front)
        why_now = reason if turn == 0 else f"{reason}, key {turn + 1}"
        found.append(
            Rung(deployment=deployment, reason=why_now, obstacle=_obstacle(deployment, override, keys))
        )
    return found


def _meant(override: str | None, provider: Provider, catalog: Catalog) -> str | None:
    """A provider named by the route is a word about its own models only: a fallback elsewhere goes its usual way."""
    return None if override in catalog.providers and override != provider.id else override


def _keys(provider: Provider, keys: KeysOf) -> Sequence[ApiKey | None]:
    """Those stored for this origin; failing that the first, so that the obstacle can name it."""
    if provider.simulated:
        return [None]
    usable = keys(provider)
    home = origin_of(provider.base_url)
    return [key for key in usable if key.origin == home] or list(usable[:1]) or [None]


def _obstacle(deployment: Deployment, override: str | None, keys: KeysOf) -> EngineError | None:
    provider, model = deployment.provider, deployment.model
    if provider.simulated:
        return None
    if model.state == "retired" and not model.listed_live:
        return RetiredModel(
            f"{model.full_id} is gone", provider=provider.id, model=model.id, replacement=model.replacement
        )
    if deployment.key is None and not provider.keyless:
        return NoKey(f"no key for {provider.name}", provider=provider.id)
    if override == "gateway" and deployment.via == "direct":
        return Misconfigured(deployment.why_via, provider=provider.id, setting="gateway")
    try:
        assert_may_send(deployment, url_of(deployment, "/"))
    except EngineError as exc:
        exc.provider = provider.id
        return exc
    return None


def _nowhere(name: str) -> Deployment:
    """A deployment that exists by name only, for the rung of a provider nobody knows."""
    provider, _, model = name.partition("/")
    return Deployment(
        provider=Provider(id=provider, name=provider, dialect="openai-chat", base_url=""),
        model=Model(provider=provider, id=model, name=model, state="unlisted"),
        key=None,
        via="direct",
    )
