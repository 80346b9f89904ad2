"""A route as a flat table of plain values, and back: the fields people write in `config/routes.toml`. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, get_args

from msgspec import Struct

from vibedesk.engine.types import (
    CachePolicy,
    Effort,
    GatewayPolicy,
    OnCut,
    Parameters,
    Replay,
    Route,
    Timeouts,
)

EFFORTS: tuple[str, ...] = get_args(Effort)
LONGEST_WAIT_S = 86_400
LONGEST_KEPT_S = 31_536_000
GATEWAY_TTL_S = (60, 2_592_000)
"""What Cloudflare takes as `cf-aig-cache-ttl`: a minute to a month."""


class Field(Struct, frozen=True):
    """`of` gives the value a route has, `default` what an absent field means; `takes` ends "NAME …" as a sentence."""

    name: str
    of: Callable[[Route], Any]
    good: Callable[[Any], bool]
    takes: str
    default: Any = None


def written(route: Route) -> dict[str, Any]:
    """Only what differs from the default, in the order of `FIELDS`."""
    values = {field.name: field.of(route) for field in _TABLE}
    return {field.name: values[field.name] for field in _TABLE if values[field.name] != field.default}


def whole(route: Route) -> dict[str, Any]:
    """Every field, those that say nothing with their default."""
    return {field.name: field.of(route) for field in _TABLE}


def refusals(table: object) -> list[str]:
    """What is wrong with a table; each begins with the field's name."""
    if not isinstance(table, Mapping):
        return ["it is written as a table"]
    return [
        f"{field.name} {field.takes}"
        for field in _TABLE
        if (field.name in table or field.name == "name") and not field.good(table.get(field.name))
    ]


def unknown(table: object) -> list[str]:
    """Its fields that no route has."""
    return [name for name in table if name not in FIELDS] if isinstance(table, Mapping) else []


def read(name: str, table: Mapping[str, Any]) -> Route:
    """The route of a table without `refusals`."""
    fallback = table.get("fallback_model", [])
    temperature = table.get("temperature")
    return Route(
        name=name,
        model=table["name"].strip(),
        provider_override=table.get("provider_override"),
        parameters=Parameters(
            max_tokens=table.get("max_tokens"),
            temperature=None if temperature is None else float(temperature),
            reasoning_effort=table.get("reasoning_effort"),
        ),
        fallback_models=(fallback,) if isinstance(fallback, str) else tuple(fallback),
        system=table.get("system", ""),
        timeouts=Timeouts(**{wait: _seconds(table.get(wait)) for wait in _WAITS}),
        fallback_on_policy=table.get("fallback_on_policy", False),
        on_cut=table.get("on_cut", "keep"),
        cache=_cache(table),
        gateway=GatewayPolicy(
            cache_ttl_s=table.get("gateway_cache_ttl_s"),
            skip_cache=table.get("gateway_skip_cache", False),
            cache_key=table.get("gateway_cache_key", ""),
            send_price=table.get("gateway_send_price", False),
        ),
    )


def _cache(table: Mapping[str, Any]) -> CachePolicy:
    usual = CachePolicy()
    return CachePolicy(
        on=table.get("cache", usual.on),
        ttl_s=table.get("cache_ttl_s", usual.ttl_s),
        replay=table.get("cache_replay", usual.replay),
    )


def _seconds(value: float | None) -> float | None:
    return None if value is None else float(value)


def _plain(number: float | None) -> float | int | None:
    """A whole number is written as people do: 0, not 0.0."""
    is_whole = number is not None and math.isfinite(number) and number == int(number)
    return int(number) if is_whole and number is not None else number


# What a field may hold


def is_model(value: object) -> bool:
    """Whether this is PROVIDER/MODEL."""
    if not isinstance(value, str):
        return False
    provider, slash, model = value.strip().partition("/")
    return bool(provider and slash and model)


def _are_models(value: object) -> bool:
    return is_model(value) or (isinstance(value, list | tuple) and all(map(is_model, value)))


def _is_word(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_switch(value: object) -> bool:
    return type(value) is bool


def _is_header(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isprintable() and value == value.strip()


def _count(least: int, most: int | None = None) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and value >= least and (most is None or value <= most)


def _is_temperature(value: object) -> bool:
    return type(value) in (int, float) and 0 <= value <= 2  # type: ignore[operator]


def _is_wait(value: object) -> bool:
    return type(value) in (int, float) and 0 < value <= LONGEST_WAIT_S  # type: ignore[operator]


def _one_of(words: tuple[str, ...]) -> tuple[Callable[[Any], bool], str]:
    return (lambda value: value in words), "is one of " + ", ".join(f'"{word}"' for word in words)


_SECONDS = f"is a number of seconds, more than 0 and at most {LONGEST_WAIT_S:,}"
_SWITCH = "is true or false"
_WAITS = ("connect_s", "first_token_s", "idle_s", "total_s")

_TABLE: tuple[Field, ...] = (
    Field("name", lambda route: route.model, is_model, "is a model, PROVIDER/MODEL"),
    Field(
        "provider_override",
        lambda route: route.provider_override,
        _is_word,
        'is "direct" or a provider',
    ),
    Field("reasoning_effort", lambda route: route.parameters.reasoning_effort, *_one_of(EFFORTS)),
    Field("max_tokens", lambda route: route.parameters.max_tokens, _count(1), "is a whole number, 1 or more"),
    Field(
        "temperature",
        lambda route: _plain(route.parameters.temperature),
        _is_temperature,
        "is a number from 0 to 2",
    ),
    Field(
        "fallback_model",
        lambda route: list(route.fallback_models),
        _are_models,
        "is a model, or a list of models",
        [],
    ),
    Field("system", lambda route: route.system, _is_text, "is a text", ""),
    Field("connect_s", lambda route: _plain(route.timeouts.connect_s), _is_wait, _SECONDS),
    Field("first_token_s", lambda route: _plain(route.timeouts.first_token_s), _is_wait, _SECONDS),
    Field("idle_s", lambda route: _plain(route.timeouts.idle_s), _is_wait, _SECONDS),
    Field("total_s", lambda route: _plain(route.timeouts.total_s), _is_wait, _SECONDS),
    Field("fallback_on_policy", lambda route: route.fallback_on_policy, _is_switch, _SWITCH, False),
    Field("on_cut", lambda route: route.on_cut, *_one_of(get_args(OnCut)), "keep"),
    Field("cache", lambda route: route.cache.on, _is_switch, _SWITCH, False),
    Field(
        "cache_ttl_s",
        lambda route: route.cache.ttl_s,
        _count(1, LONGEST_KEPT_S),
        f"is a whole number of seconds, 1 to {LONGEST_KEPT_S:,}",
        CachePolicy().ttl_s,
    ),
    Field("cache_replay", lambda route: route.cache.replay, *_one_of(get_args(Replay)), "at_once"),
    Field(
        "gateway_cache_ttl_s",
        lambda route: route.gateway.cache_ttl_s,
        _count(*GATEWAY_TTL_S),
        f"is a whole number of seconds, {GATEWAY_TTL_S[0]} to {GATEWAY_TTL_S[1]:,}",
    ),
    Field("gateway_skip_cache", lambda route: route.gateway.skip_cache, _is_switch, _SWITCH, False),
    Field(
        "gateway_cache_key",
        lambda route: route.gateway.cache_key,
        _is_header,
        "is a text of plain characters",
        "",
    ),
    Field("gateway_send_price", lambda route: route.gateway.send_price, _is_switch, _SWITCH, False),
)
FIELDS: tuple[str, ...] = tuple(field.name for field in _TABLE)
"""In the order they are written; `name` is the model, as the seed calls it."""
