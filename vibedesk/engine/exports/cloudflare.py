"""Dynamic routes of a Cloudflare AI Gateway (routing.md §7.3): each is the body of one POST to `…/routes`."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import chain, count
from typing import Any

from vibedesk.engine.catalog import Catalog
from vibedesk.engine.exports.parcel import Export, Place, places, sentence, unsaid
from vibedesk.engine.types import Gateway, Route

RETRIES = 2
"""Of one model before the next, as the router does."""
_UNPROVEN = "The unit of timeout (here milliseconds) is not documented: check it in the dashboard."
_KEYS = "Keys are not in it: store them at the gateway, under Provider Keys."


def write(routes: Sequence[Route], catalog: Catalog, gateway: Gateway | None = None) -> Export:
    bodies: list[dict[str, Any]] = []
    lost: list[str] = []
    for route in routes:
        there, missing = places(route, catalog)
        able = [place for place in there if place.provider.gateway_slug]
        for place in there:
            if place not in able:
                lost.append(
                    f"{route.name}: {place.model.full_id} is left out, {place.provider.name} has no path there."
                )
        if able:
            name = _free(name_of(route), [body["name"] for body in bodies])
            bodies.append({"name": name, "elements": _elements(route, able)})
        lost += [*missing, *sentence(route, unsaid(route, "first_token_s"))]
    lost += [_KEYS] if bodies else []
    lost += [_UNPROVEN] if any(route.timeouts.first_token_s is not None for route in routes) else []
    text = json.dumps(bodies, indent=2, ensure_ascii=False) + "\n"
    return Export(format="cloudflare", file="routes.json", text=text, lost=tuple(lost))


def name_of(route: Route) -> str:
    """As it is called: `model: "dynamic/vibedesk-…"`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", route.name).lower()
    return "vibedesk-" + (re.sub(r"[^a-z0-9]+", "-", words).strip("-") or "route")


def _free(name: str, taken: Sequence[str]) -> str:
    """Two names that differ in more than plain letters are one there."""
    numbered = (f"{name}-{number}" for number in count(2))
    return next(one for one in chain([name], numbered) if one not in taken)


def _elements(route: Route, able: Sequence[Place]) -> list[dict[str, Any]]:
    ids = [f"m{number}" for number in range(1, len(able) + 1)]
    onward = [*ids[1:], "end"]
    models = [
        {
            "id": id,
            "type": "model",
            "properties": _properties(route, place),
            "outputs": {"success": {"elementId": "end"}, "fallback": {"elementId": then}},
        }
        for id, place, then in zip(ids, able, onward, strict=True)
    ]
    start = {"id": "start", "type": "start", "outputs": {"next": {"elementId": ids[0]}}}
    return [start, *models, {"id": "end", "type": "end", "outputs": {}}]


def _properties(route: Route, place: Place) -> dict[str, Any]:
    found: dict[str, Any] = {
        "provider": place.provider.gateway_slug,
        "model": place.model.id,
        "retries": RETRIES,
    }
    first_token_s = route.timeouts.first_token_s
    return found if first_token_s is None else {**found, "timeout": max(1, round(first_token_s * 1000))}
