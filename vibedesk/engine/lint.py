"""What is off about a route before it is asked: pure, no network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date

from msgspec import Struct

from vibedesk.engine.catalog import Catalog
from vibedesk.engine.fitting import fitted
from vibedesk.engine.rungs import rungs_of
from vibedesk.engine.types import ApiKey, Gateway, Model, Provider, Route, Rung

_OBSTACLES = {
    "unknown_provider": "unknown_provider",
    "no_key": "no_key",
    "retired_model": "retired_model",
    "wrong_origin": "wrong_origin",
    "insecure_address": "insecure_address",
    "misconfigured": "no_gateway",
}


class Lint(Struct, frozen=True, kw_only=True):
    """`rule` is a stable word for scripts; `message` one sentence that names the model."""

    route: str
    rule: str
    message: str


def lint(
    route: Route, catalog: Catalog, keys: Callable[[Provider], Sequence[ApiKey]], gateway: Gateway | None
) -> tuple[Lint, ...]:
    """Everything that is off, in the order of the rungs."""
    rungs = fitted(rungs_of(route, catalog, keys, gateway), route, today=date.min)
    found = [*_repeated(route), *_gateway_missing(route, rungs, gateway), *_contradicted(route)]
    for rung in rungs:
        found += _blocked(rung)
        found += _refused(route, rung.deployment.model)
    found += _smaller(rungs)
    found += _shared(rungs, keys)
    return tuple(Lint(route=route.name, rule=rule, message=message) for rule, message in dict.fromkeys(found))


def _repeated(route: Route) -> Iterator[tuple[str, str]]:
    earlier = {route.model}
    for name in route.fallback_models:
        if name in earlier:
            yield "fallback_equals_primary", f"The fallback {name} is already asked before."
        earlier.add(name)


def _gateway_missing(
    route: Route, rungs: Sequence[Rung], gateway: Gateway | None
) -> Iterator[tuple[str, str]]:
    """A route that leaves the way open means the gateway: say where it cannot be had."""
    if route.provider_override is not None or gateway is None:
        return
    for rung in rungs:
        provider = rung.deployment.provider
        if (
            rung.deployment.via == "direct"
            and not (provider.local or provider.simulated)
            and rung.obstacle is None
        ):
            yield "no_gateway", f"{rung.deployment.name} goes direct: {rung.deployment.why_via}."


def _blocked(rung: Rung) -> Iterator[tuple[str, str]]:
    error = rung.obstacle
    if error is None:
        return
    name, rule = rung.deployment.name, _OBSTACLES.get(error.kind, error.kind)
    match rule:
        case "unknown_provider":
            yield rule, f"{name}: {rung.deployment.provider.id} is not a provider."
        case "no_key":
            yield rule, f"{name} has no key."
        case "retired_model":
            provider, replacement = rung.deployment.provider.id, rung.deployment.model.replacement
            yield (
                rule,
                f"{name} is gone" + (f"; use {provider}/{replacement} instead." if replacement else "."),
            )
        case _:
            yield rule, f"{name}: {error.detail}."


def _refused(route: Route, model: Model) -> Iterator[tuple[str, str]]:
    """Parameters this model would refuse: they are left out when it is asked."""
    wanted, traits = route.parameters, model.traits
    limit = model.max_output
    if wanted.max_tokens is not None and limit is not None and wanted.max_tokens > limit:
        yield (
            "max_tokens_over_limit",
            f"{model.full_id} answers with at most {limit:,} tokens, not {wanted.max_tokens:,}.",
        )
    window = model.context_window
    if wanted.max_tokens is not None and window is not None and wanted.max_tokens >= window:
        yield (
            "window_too_small",
            f"{model.full_id} takes {window:,} tokens in all: {wanted.max_tokens:,} of answer leave no room to ask.",
        )
    if wanted.temperature is not None and _temperature_refused(route, model):
        yield "parameter_refused", f"{model.full_id} takes no temperature here."
    effort = wanted.reasoning_effort
    if effort is not None and effort not in traits.efforts and model.state != "unlisted" and effort != "none":
        yield "parameter_refused", f"{model.full_id} does not know the reasoning effort “{effort}”."


def _temperature_refused(route: Route, model: Model) -> bool:
    match model.traits.temperature:
        case "never":
            return True
        case "without_reasoning":
            return (route.parameters.reasoning_effort or model.traits.default_effort) != "none"
    return False


def _smaller(rungs: Sequence[Rung]) -> Iterator[tuple[str, str]]:
    window = rungs[0].deployment.model.context_window if rungs else None
    for rung in rungs[1:]:
        model, own = rung.deployment.model, rung.deployment.model.context_window
        if window is not None and own is not None and own < window:
            yield (
                "window_smaller",
                (f"The fallback {model.full_id} takes {own:,} tokens, less than the {window:,} before it."),
            )


def _shared(rungs: Sequence[Rung], keys: Callable[[Provider], Sequence[ApiKey]]) -> Iterator[tuple[str, str]]:
    """Several keys of one account are one life, not several: what limits one limits all."""
    asked = {rung.deployment.provider.id: rung.deployment for rung in rungs if rung.deployment.key}
    for deployment in asked.values():
        scopes: dict[str, list[str]] = {}
        for key in keys(deployment.provider):
            scopes.setdefault(key.scope, []).append(key.name)
        for scope, names in scopes.items():
            if len(names) > 1:
                account = f"the account {scope}" if scope else "one account, as far as is known"
                whose = f"{', '.join(names)} at {deployment.provider.id}/"
                yield "same_quota_scope", f"{whose} belong to {account}: a limit of one is one of all."


def _contradicted(route: Route) -> Iterator[tuple[str, str]]:
    """What the route says against itself."""
    waits, total = route.timeouts, route.timeouts.total_s
    if total is not None and waits.first_token_s is not None and waits.first_token_s >= total:
        yield (
            "waits_contradict",
            f"{route.model} is given {waits.first_token_s:g} s for its first token, and {total:g} s in all.",
        )
    if route.cache.on and (route.parameters.temperature or 0) > 0:
        yield (
            "cache_with_temperature",
            f"{route.model} is asked for variety, and its answers are kept: the same question gets the same words.",
        )
