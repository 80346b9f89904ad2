"""What an export and an import consist of, and what several formats ask of a route."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from vibedesk.engine.catalog import Catalog
from vibedesk.engine.errors import EngineError
from vibedesk.engine.types import Model, Provider, Route


class Export(Struct, frozen=True, kw_only=True):
    """`lost`: what the format cannot carry, one sentence each; `file` is what such a file is usually called."""

    format: str
    file: str
    text: str
    lost: tuple[str, ...] = ()


class Import(Struct, frozen=True, kw_only=True):
    """`names`: (variable, provider id) of the keys a file names, never their values; `lost` as in `Export`."""

    routes: tuple[Route, ...] = ()
    names: tuple[tuple[str, str], ...] = ()
    lost: tuple[str, ...] = ()


class Place(Struct, frozen=True):
    """A model of a route and who serves it."""

    provider: Provider
    model: Model


def places(route: Route, catalog: Catalog) -> tuple[list[Place], list[str]]:
    """The models in their order, each once, and what of them no other tool can ask."""
    found: list[Place] = []
    lost: list[str] = []
    for name in dict.fromkeys((overridden(route, catalog), *route.fallback_models)):
        try:
            place = Place(catalog.provider(name.partition("/")[0]), catalog.model(name))
        except EngineError:
            lost.append(f"{route.name}: {name} is left out, its provider is not known.")
            continue
        if place.provider.simulated:
            lost.append(f"{route.name}: {name} is left out, it is a simulation.")
        else:
            found.append(place)
    return found, lost


def overridden(route: Route, catalog: Catalog) -> str:
    """The model as it is asked: an override that names another provider asks that one for it."""
    provider, _, model = route.model.partition("/")
    override = route.provider_override
    return f"{override}/{model}" if override in catalog.providers and override != provider else route.model


def variable_of(provider: Provider) -> str:
    """Where the provider's key is expected: its own variable, else one made of its name."""
    return provider.env[0] if provider.env else re.sub(r"[^A-Z0-9]+", "_", provider.id.upper()) + "_API_KEY"


def unsaid(route: Route, *carried: str) -> list[str]:
    """What the route says beside model and fallbacks that a format without these fields loses."""
    said = {
        "system": route.system and "its system prompt",
        "reasoning_effort": route.parameters.reasoning_effort and "its reasoning effort",
        "max_tokens": route.parameters.max_tokens is not None and "its limit of tokens",
        "temperature": route.parameters.temperature is not None and "its temperature",
        "connect_s": route.timeouts.connect_s is not None and "its time to connect",
        "first_token_s": route.timeouts.first_token_s is not None and "its time to the first token",
        "idle_s": route.timeouts.idle_s is not None and "its time between two pieces",
        "total_s": route.timeouts.total_s is not None and "its time in all",
        "fallback_on_policy": route.fallback_on_policy and "going on after a refusal by policy",
        "on_cut": route.on_cut != "keep" and "what follows a cut",
        "cache": route.cache.on and "its answer cache",
        "cache_replay": route.cache.on and route.cache.replay != "at_once" and "replay as recorded",
        "gateway": route.gateway != type(route.gateway)() and "its wishes to the gateway",
    }
    return [str(words) for field, words in said.items() if words and field not in carried]


def sentence(route: Route, unsaid: Sequence[str]) -> list[str]:
    return [f"{route.name}: {', '.join(unsaid)} cannot be carried over."] if unsaid else []


def one_line(text: str) -> str:
    """Fit for a comment: no line breaks, no control characters."""
    return "".join(character if character.isprintable() else " " for character in text)
