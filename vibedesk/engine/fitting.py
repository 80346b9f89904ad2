"""A route's wishes on its rungs: how answers are cached, what the gateway is asked, whose keys it has itself. Pure.

Keys stored at a Cloudflare AI Gateway: wire.md §10.10.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from msgspec.structs import replace

from vibedesk.engine.catalog import origin_of
from vibedesk.engine.errors import EngineError, Misconfigured
from vibedesk.engine.pricing import price_on
from vibedesk.engine.transport import assert_may_send, url_of
from vibedesk.engine.types import Deployment, Gateway, GatewayControls, Model, Route, Rung

CLOUDFLARE = "https://gateway.ai.cloudflare.com"
_ACCOUNT = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
LONGEST_NAME = 100
"""Characters of a route's name that go into the gateway's logs."""
_NOT_NEEDED = ("no_key", "wrong_origin")
"""What stands in the way of a key that is not sent at all."""


def fitted(rungs: Sequence[Rung], route: Route, *, today: date) -> tuple[Rung, ...]:
    """The rungs with what the route says of caching and of the gateway.

    With keys stored at the gateway nobody needs one here, and several keys of a provider are one way to it.
    """
    found: dict[object, Rung] = {}
    for place, rung in enumerate(rungs):
        fit = _fitted(rung, route, today)
        keyless = fit.deployment.gateway is not None and fit.deployment.gateway.stored_keys
        found.setdefault(fit.deployment.name if keyless else place, fit)
    return tuple(found.values())


def _fitted(rung: Rung, route: Route, today: date) -> Rung:
    deployment, gateway = rung.deployment, rung.deployment.gateway
    if gateway is None:
        return replace(rung, cache=route.cache)
    gateway = replace(gateway, controls=_controls(route, deployment.model, today))
    if (wrong := _malformed(gateway)) is not None:
        rung = replace(rung, obstacle=wrong)
    if not gateway.stored_keys:
        return replace(rung, cache=route.cache, deployment=replace(deployment, gateway=gateway))
    deployment = replace(
        deployment, gateway=gateway, key=None, why_via=f"{deployment.why_via}, which keeps the key"
    )
    return replace(rung, cache=route.cache, deployment=deployment, obstacle=_obstacle(rung, deployment))


def _malformed(gateway: Gateway) -> EngineError | None:
    """An id that Cloudflare never gives: known before asking, where its answer would only be that there is no way."""
    if origin_of(gateway.base_url) != CLOUDFLARE:
        return None
    if not _ACCOUNT.fullmatch(gateway.account):
        words = "The account id of the gateway is not one: it has 32 characters, 0 to 9 and a to f."
    elif not _NAME.fullmatch(gateway.name):
        words = "The gateway’s name is not one: it has at most 64 letters, digits, - and _."
    else:
        return None
    return Misconfigured(words, setting="gateway", fix="Correct it in the settings.")


def _obstacle(rung: Rung, deployment: Deployment) -> EngineError | None:
    if rung.obstacle is None or rung.obstacle.kind not in _NOT_NEEDED:
        return rung.obstacle
    try:
        assert_may_send(deployment, url_of(deployment, "/"))
    except EngineError as exc:
        return exc
    return None


def _controls(route: Route, model: Model, today: date) -> GatewayControls:
    wishes, first_token_s = route.gateway, route.timeouts.first_token_s
    named = {"route": route.name[:LONGEST_NAME]} if route.name else {}
    return GatewayControls(
        cache_ttl_s=wishes.cache_ttl_s,
        skip_cache=wishes.skip_cache,
        cache_key=wishes.cache_key,
        timeout_ms=None if first_token_s is None else max(1, round(first_token_s * 1000)),
        metadata={"app": "vibedesk", **named},
        price=_price(model, today) if wishes.send_price else None,
    )


def _price(model: Model, today: date) -> tuple[Decimal, Decimal] | None:
    if model.price is None:
        return None
    price = price_on(model.price, today)
    return price.input / 1_000_000, price.output / 1_000_000
