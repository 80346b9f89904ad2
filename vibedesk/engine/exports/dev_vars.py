"""The variables that routes need, as `.dev.vars` names them: without their values, in both directions."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vibedesk.engine.catalog import Catalog
from vibedesk.engine.exports.parcel import Export, Import, one_line, places, sentence, unsaid, variable_of
from vibedesk.engine.types import Gateway, Route

_GATEWAY = ("CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_AI_GATEWAY", "CLOUDFLARE_AI_GATEWAY_TOKEN")
_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=")
_GATEWAY_OWNER = "cloudflare-ai-gateway"


def write(routes: Sequence[Route], catalog: Catalog, gateway: Gateway | None = None) -> Export:
    found, lost = _providers(routes, catalog)
    lines = [f'{variable}=""  # {one_line(name)}' for variable, name in found.items()]
    if any(route.provider_override is None for route in routes):
        lines += [f'{variable}=""' for variable in _GATEWAY]
    said = [text for route in routes for text in sentence(route, unsaid(route))]
    lost += ["Routes themselves are not in it: agent-config carries them."] if said or routes else []
    return Export(
        format="dev-vars", file=".dev.vars", text="".join(f"{line}\n" for line in lines), lost=tuple(lost)
    )


def _providers(routes: Sequence[Route], catalog: Catalog) -> tuple[dict[str, str], list[str]]:
    found: dict[str, str] = {}
    lost: list[str] = []
    for route in routes:
        there, missing = places(route, catalog)
        lost += missing
        for place in there:
            if not place.provider.keyless:
                found.setdefault(variable_of(place.provider), place.provider.name)
    return found, lost


def looks_like(text: str) -> bool:
    """Nothing but comments and NAME=value lines, without a table of ours."""
    lines = [line for line in text.lstrip("\ufeff").splitlines() if line.strip()]
    said = [line for line in lines if not line.lstrip().startswith("#")]
    return bool(said) and all(_LINE.match(line) for line in said) and any(_is_shouted(line) for line in said)


def _is_shouted(line: str) -> bool:
    match = _LINE.match(line)
    return match is not None and match[1].isupper()


def read(text: str, catalog: Catalog) -> Import:
    """Which keys the file names. Their values are not looked at: the app reads them where they stand."""
    names = [match[1] for line in text.lstrip("\ufeff").splitlines() if (match := _LINE.match(line))]
    owned = [(name, owner) for name in dict.fromkeys(names) if (owner := _owner(name, catalog))]
    others = [name for name in dict.fromkeys(names) if not _owner(name, catalog)]
    lost = [f"{', '.join(others)}: no provider’s key."] if others else []
    return Import(names=tuple(owned), lost=tuple(lost))


def _owner(name: str, catalog: Catalog) -> str:
    if name in _GATEWAY:
        return _GATEWAY_OWNER
    return catalog.provider_of_variable(name) or ""
