"""Routes taken to another tool, and brought back: pure, and never with a key in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from vibedesk.engine.catalog import Catalog
from vibedesk.engine.errors import Misconfigured
from vibedesk.engine.exports import agent_config, cloudflare, dev_vars, litellm, own, portkey
from vibedesk.engine.exports.parcel import Export, Import
from vibedesk.engine.types import Gateway, Route

__all__ = ["FORMATS", "Export", "Import", "export", "read"]

FORMATS: Mapping[str, Callable[[Sequence[Route], Catalog, Gateway | None], Export]] = {
    "toml": own.write,
    "dev-vars": dev_vars.write,
    "agent-config": agent_config.write,
    "litellm": litellm.write,
    "cloudflare": cloudflare.write,
    "portkey": portkey.write,
}


def export(
    format: str,
    routes: Sequence[Route],
    catalog: Catalog,
    gateway: Gateway | None = None,
    *,
    redact: Callable[[str], str] = str,
) -> Export:
    """The routes in one of `FORMATS`. `redact` blanks what looks like a key in the words a person wrote: a prompt may
    hold one. Raises `KeyError` for a format there is not."""
    done = FORMATS[format]([_redacted(route, redact) for route in routes], catalog, gateway)
    text = redact(done.text)  # an address in providers.toml may hold one too
    return replace(done, text=text, lost=tuple(map(redact, done.lost)))


def read(text: str, catalog: Catalog) -> Import:
    """The routes of a routes.toml or of a TypeScript file with AGENT_CONFIG; of a `.dev.vars` the names of its keys.

    Raises `Misconfigured` where there is nothing to bring in.
    """
    if own.looks_like(text):
        found = own.read(text)
    elif "AGENT_CONFIG" in text:
        found = agent_config.read(text)
    elif dev_vars.looks_like(text):
        found = dev_vars.read(text, catalog)
    else:
        found = own.read(text)
    if not found.routes and not found.names:
        reasons = f" {' '.join(found.lost)}" if found.lost else ""
        raise Misconfigured(
            "There are no routes in this: a [routes.NAME] table, an AGENT_CONFIG block or the names of a .dev.vars are"
            f" needed.{reasons}"
        )
    return found


def _redacted(route: Route, redact: Callable[[str], str]) -> Route:
    return replace(
        route,
        name=redact(route.name),
        model=redact(route.model),
        provider_override=None if route.provider_override is None else redact(route.provider_override),
        fallback_models=tuple(map(redact, route.fallback_models)),
        system=redact(route.system),
        gateway=replace(route.gateway, cache_key=redact(route.gateway.cache_key)),
    )
