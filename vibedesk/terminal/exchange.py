"""Routes as other tools write them: our own TOML, the seed's AGENT_CONFIG block, and its `.dev.vars` names."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vibedesk.engine.catalog import Catalog
from vibedesk.engine.errors import Misconfigured
from vibedesk.engine.types import Parameters, Route
from vibedesk.terminal.arguments import WordsOff
from vibedesk.terminal.events import route_object

_SEED_NAMES = {
    "name": "name",
    "providerOverride": "provider_override",
    "reasoning_effort": "reasoning_effort",
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "fallbackModel": "fallback_model",
}


def export(format: str, routes: Sequence[Route], catalog: Catalog) -> str:
    """The routes in `format`. Raises WordsOff for a format there is not."""
    if format not in FORMATS:
        raise WordsOff(f"there is no format “{format}”; there are {', '.join(FORMATS)}")
    return FORMATS[format](routes, catalog)


def read(text: str) -> tuple[Route, ...]:
    """The routes in a routes.toml or a TypeScript file with AGENT_CONFIG. Raises `Misconfigured`."""
    routes = _from_agent_config(text) if "AGENT_CONFIG" in text else _from_toml(text)
    if not routes:
        raise Misconfigured(
            "There are no routes in this: a [routes.NAME] table or an AGENT_CONFIG block is needed."
        )
    return routes


# Our own


def to_toml(routes: Sequence[Route], catalog: Catalog | None = None) -> str:
    """`config/routes.toml`, with only what differs from the default."""
    return "\n".join(_toml_table(route) for route in routes)


def _toml_table(route: Route) -> str:
    name = (
        route.name
        if re.fullmatch(r"[A-Za-z0-9_-]+", route.name)
        else json.dumps(route.name, ensure_ascii=False)
    )
    lines = [f"{field} = {json.dumps(value, ensure_ascii=False)}" for field, value in _written(route).items()]
    return "\n".join([f"[routes.{name}]", *lines]) + "\n"


def _written(route: Route) -> dict[str, Any]:
    """The fields that say something. A whole temperature is written as the person did: 0, not 0.0."""
    fields = {
        key: value for key, value in route_object(route).items() if key != "route" and value not in (None, [])
    }
    if isinstance(fields.get("temperature"), float) and fields["temperature"].is_integer():
        fields["temperature"] = int(fields["temperature"])
    return fields


def _from_toml(text: str) -> tuple[Route, ...]:
    try:
        tables = tomllib.loads(text).get("routes", {})
    except tomllib.TOMLDecodeError as problem:
        raise Misconfigured(
            f"This is neither a routes.toml nor a file with AGENT_CONFIG: {problem}."
        ) from problem
    return tuple(_route(name, table) for name, table in tables.items()) if isinstance(tables, dict) else ()


def _route(name: str, table: object) -> Route:
    """A route of what was read; whoever saves it checks the values."""
    if not isinstance(table, dict) or not isinstance(table.get("name"), str):
        raise Misconfigured(f"Route {name}: name is missing, a model as PROVIDER/MODEL.")
    fallback = table.get("fallback_model", [])
    return Route(
        name=name,
        model=table["name"],
        provider_override=table.get("provider_override"),
        parameters=Parameters(
            max_tokens=table.get("max_tokens"),
            temperature=table.get("temperature"),
            reasoning_effort=table.get("reasoning_effort"),
        ),
        fallback_models=(fallback,) if isinstance(fallback, str) else tuple(fallback),
        system=table.get("system", ""),
    )


# The seed's


def _to_agent_config(routes: Sequence[Route], catalog: Catalog) -> str:
    """An AGENT_CONFIG block. It knows one fallback a config and no system prompt: what is lost stands as a comment."""
    blocks = "".join(f"  {_property(route.name)}: {{\n{_seed_fields(route)}  }},\n" for route in routes)
    return f"export const AGENT_CONFIG: AgentConfig = {{\n{blocks}}}\n"


def _seed_fields(route: Route) -> str:
    fields = _written(route)
    lines = []
    if len(fields.get("fallback_model", [])) > 1:
        lines.append(f"    // further fallbacks, not known here: {', '.join(fields['fallback_model'][1:])}\n")
    if "fallback_model" in fields:
        fields["fallback_model"] = fields["fallback_model"][0]
    if "system" in fields:
        lines.append("    // a system prompt, not known here\n")
    for seed, ours in _SEED_NAMES.items():
        if ours in fields:
            lines.append(f"    {seed}: {json.dumps(fields[ours], ensure_ascii=False)},\n")
    return "".join(lines)


def _property(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_$][\w$]*", name) else json.dumps(name, ensure_ascii=False)


def _to_dev_vars(routes: Sequence[Route], catalog: Catalog) -> str:
    """The variables that these routes need, without their values: no export carries a key."""
    models = [model for route in routes for model in (route.model, *route.fallback_models)]
    owners = dict.fromkeys(model.partition("/")[0] for model in models)
    providers = [catalog.providers[owner] for owner in owners if owner in catalog.providers]
    lines = [f'{provider.env[0]}=""  # {provider.name}' for provider in providers if provider.env]
    if any(route.provider_override is None for route in routes):
        lines += ['CLOUDFLARE_ACCOUNT_ID=""', 'CLOUDFLARE_AI_GATEWAY=""', 'CLOUDFLARE_AI_GATEWAY_TOKEN=""']
    return "".join(f"{line}\n" for line in lines)


_TOKEN = re.compile(
    r"""\s+|//[^\n]*|/\*.*?\*/
    |(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)
    |(?P<number>-?\d[\d_]*(?:\.\d+)?)
    |(?P<word>[A-Za-z_$][\w$.]*)
    |(?P<mark>[{}\[\]:,])|(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


def _from_agent_config(text: str) -> tuple[Route, ...]:
    """The configs of an AGENT_CONFIG object literal; `AIModels.X` is looked up in an enum of the same text."""
    start = re.search(r"AGENT_CONFIG\b[^={]*=\s*\{", text)
    if start is None:
        raise Misconfigured("There is no AGENT_CONFIG = { … } in this.")
    tokens = _tokens(text[start.end() - 1 :])
    configs = _object(tokens, _constants(text))
    return tuple(_from_seed(name, config) for name, config in configs.items() if isinstance(config, dict))


def _from_seed(name: str, config: Mapping[str, Any]) -> Route:
    return _route(
        name, {ours: config[seed] for seed, ours in _SEED_NAMES.items() if config.get(seed) is not None}
    )


def _constants(text: str) -> dict[str, str]:
    """`NAME = 'provider/model'` lines, as `AIModels.NAME`."""
    found = re.findall(r"^\s*([A-Z][A-Z0-9_]*)\s*=\s*['\"]([^'\"\n]+)['\"]", text, re.MULTILINE)
    return {f"AIModels.{name}": value for name, value in found}


def _tokens(text: str) -> list[tuple[str, str]]:
    """Last first, so that the next one is popped off the end."""
    found = [(match.lastgroup, match[0]) for match in _TOKEN.finditer(text) if match.lastgroup]
    return [(str(kind), token) for kind, token in reversed(found)]


def _object(tokens: list[tuple[str, str]], constants: Mapping[str, str]) -> dict[str, Any]:
    _take(tokens, "{")
    values: dict[str, Any] = {}
    while tokens and tokens[-1][1] != "}":
        kind, name = tokens.pop()
        if kind not in ("word", "string"):
            raise _odd(name)
        _take(tokens, ":")
        values[_unquoted(name) if kind == "string" else name] = _value(tokens, constants)
        if tokens and tokens[-1][1] == ",":
            tokens.pop()
    _take(tokens, "}")
    return values


def _value(tokens: list[tuple[str, str]], constants: Mapping[str, str]) -> Any:
    if tokens and tokens[-1][1] == "{":
        return _object(tokens, constants)
    kind, token = tokens.pop() if tokens else ("other", "the end")
    if kind == "string":
        return _unquoted(token)
    if kind == "number":
        return json.loads(token.replace("_", ""))
    if token in ("undefined", "null"):
        return None
    if token in constants:
        return constants[token]
    if token.startswith("AIModels."):
        raise Misconfigured(
            f"{token} is not said to be which model: put the AIModels enum into the same file."
        )
    raise _odd(token)


def _take(tokens: list[tuple[str, str]], mark: str) -> None:
    _, token = tokens.pop() if tokens else ("", "the end")
    if token != mark:
        raise _odd(token)


def _unquoted(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1])


def _odd(token: str) -> Misconfigured:
    return Misconfigured(f"AGENT_CONFIG cannot be read at “{token[:40]}”: only plain values are understood.")


FORMATS: Mapping[str, Callable[[Sequence[Route], Catalog], str]] = {
    "toml": to_toml,
    "dev-vars": _to_dev_vars,
    "agent-config": _to_agent_config,
}
