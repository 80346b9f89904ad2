"""Where the API is, when it is not where the base URL says: at another path of the same origin, or behind TLS."""

from __future__ import annotations

import re

from msgspec.structs import replace

from vibedesk.engine import probes
from vibedesk.engine.check_asking import Asking, port_of
from vibedesk.engine.errors import (
    EngineError,
    GatewayError,
    Malformed,
    Misconfigured,
    NetworkBlocked,
    NotThisApi,
    Overloaded,
    ProviderError,
    RegionBlocked,
    ServerError,
)
from vibedesk.engine.proxies import proxy_for

_ENDPOINTS = re.compile(r"/(?:chat/completions|completions|responses|messages|models)$")
_VERSIONED = re.compile(r"/v\d+(?:beta\d*)?$")
_TLS_WANTED = re.compile(r"http request .{0,20}(?:to|on) (?:an? )?https", re.IGNORECASE)


async def put_right(ask: Asking, error: EngineError) -> None:
    """Adds to a failure the base URL that would be right (fact `suggestion`), if one is found; no key is sent for it.

    Raises `Misconfigured` instead where the port speaks TLS and the base URL says http.
    """
    if await _wants_tls(ask, error):
        there = "https" + ask.provider.base_url[len("http") :]
        facts = {"nuance": "needs_tls", "suggestion": there, "host": ask.remote().host}
        raise Misconfigured("this port speaks TLS", setting="base_url", **facts)
    strays = isinstance(error, NotThisApi | Malformed) or error.status in (404, 405)
    if strays and not ask.provider.bundled and ask.deployment.via == "direct":
        for base_url in other_places(ask.provider.base_url):
            if await _answers_at(ask, base_url):
                error.facts["suggestion"] = base_url
                return


def is_api(error: EngineError) -> bool:
    """Whether this refusal is one that the API itself gives."""
    if isinstance(error, GatewayError):
        return error.facts.get("fault") in ("token", "provider_key", "rate_limit", "credit", "spend_limit")
    strange = NetworkBlocked | RegionBlocked | ServerError | Overloaded
    own = isinstance(error, ProviderError) and not isinstance(error, strange)
    return own and error.status not in (404, 405)


def is_the_gateway_s(error: EngineError) -> bool:
    """Whether the gateway itself refused; one that passed on a provider's refusal had let the request through."""
    return isinstance(error, GatewayError) and error.facts.get("fault") != "provider_key"


def other_places(base_url: str) -> list[str]:
    """Where the same API often is, when it is not here, likeliest first."""
    bare = _ENDPOINTS.sub("", base_url)
    below = [] if _VERSIONED.search(bare) else [f"{bare}/v1", f"{bare}/api/v1", f"{bare}/openai/v1"]
    places = [bare, *below, _VERSIONED.sub("", bare)]
    return [place for place in dict.fromkeys(places) if place != base_url]


async def _wants_tls(ask: Asking, error: EngineError) -> bool:
    address = ask.remote()
    if address.scheme != "http" or proxy_for(address):
        return False
    silent = isinstance(error, NotThisApi) and "speak HTTP" in error.detail
    told = _TLS_WANTED.search(error.provider_message) is not None
    suspected = told or silent or error.kind == "connection_lost"
    return suspected and await probes.speaks_tls(address.host, port_of(address))


async def _answers_at(ask: Asking, base_url: str) -> bool:
    there = replace(ask.provider, base_url=base_url)
    deployment = replace(ask.deployment, provider=there, key=None)
    try:
        answered = await ask.aside(deployment, ask.dialect.list_models(there).path)
        if answered.status < 300:
            return bool(ask.dialect.read_models(answered.body, there))
    except EngineError:
        return False
    return answered.status in (400, 401, 403) and is_api(ask.refusal(answered))
