"""The provider blocks of a TOML document as `Provider` values: read, completed, and refused where they are unsafe."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, get_args
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from vibedesk.engine.errors import Misconfigured
from vibedesk.engine.types import DialectName, Provider

DIALECTS: tuple[str, ...] = tuple(name for name in get_args(DialectName) if name != "demo")
"""The wire formats a user's own provider can speak."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_WORDS = {str: "text in quotes", bool: "true or false", list: "a list of texts", dict: "a table of texts"}
_FIELDS: dict[str, type] = {
    "name": str,
    "dialect": str,
    "base_url": str,
    "gateway_slug": str,
    "gateway_strips": str,
    "env": list,
    "key_pattern": str,
    "key_placeholder": str,
    "key_url": str,
    "key_steps": str,
    "letter": str,
    "colour": str,
    "preferences": list,
    "check_path": str,
    "keyless": bool,
    "local": bool,
    "allow_http": bool,
    "headers": dict,
    "also": list,
}
_BUNDLED_FIELDS = {**_FIELDS, "simulated": bool}
_KEY_HEADERS = {"authorization", "x-api-key", "x-goog-api-key", "api-key", "cf-aig-authorization", "cookie"}


class Block(Struct, frozen=True):
    """A provider and the other words people use for it."""

    provider: Provider
    also: tuple[str, ...] = ()


def origin_of(url: str) -> str:
    """`scheme://host[:port]` in lower case, the scheme's own port left out. Raises `Misconfigured` without a host."""
    try:
        parts = urlsplit(url.strip())
        scheme, host, port = parts.scheme.lower(), (parts.hostname or "").lower(), parts.port
    except ValueError as exc:
        raise Misconfigured(
            "This is not a web address: its host or port cannot be read.", field="base_url"
        ) from exc
    if scheme not in _DEFAULT_PORTS or not host:
        raise Misconfigured("A base URL begins with https:// and a host.", field="base_url")
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}" if port in (None, _DEFAULT_PORTS[scheme]) else f"{scheme}://{host}:{port}"


def is_loopback(url: str) -> bool:
    """Whether this address can only be this machine: `localhost`, 127.0.0.0/8 or ::1. No name is looked up."""
    try:
        host = (urlsplit(url).hostname or "").lower()
        if host == "localhost" or host.endswith(".localhost"):
            return True
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bundled_block(table: str, id: str, fields: Mapping[str, Any]) -> Block:
    """A block of the bundled providers.toml. Raises `Misconfigured` naming table and field."""
    known = {"dialect": "openai-chat", **_checked(table, fields, _BUNDLED_FIELDS)}
    also = tuple(known.pop("also", ()))
    return Block(_provider(table, {"id": id, **known}), also)


def own_block(id: str, fields: Mapping[str, Any], bundled: Block | None) -> Block:
    """A block of the user's providers.toml: a new provider, or `bundled` with some fields replaced.

    A bundled provider that is given another base URL is no longer the bundled one: `bundled` is False, and it loses the
    gateway path that led to the old address unless the block names one.
    """
    table = f"providers.{id}"
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?", id):
        _refuse(table, "", f"[{table}]: an id is lower-case letters, digits, “-”, “_” and “.”")
    known = _checked(table, fields, _FIELDS)
    also = tuple(known.pop("also", bundled.also if bundled else ()))
    if "dialect" in known and known["dialect"] not in DIALECTS:
        _refuse(
            table, "dialect", f"[{table}] dialect “{known['dialect']}” is unknown: use {_either(DIALECTS)}"
        )
    if bundled is None:
        for field in ("dialect", "base_url"):
            if field not in known:
                _refuse(table, field, f"[{table}] {field} is missing: add {field} = {_EXAMPLES[field]}")
        fresh = {"name": id, "letter": id[0].upper(), "local": _runs_here(known), **known}
        return Block(_provider(table, {"id": id, "bundled": False, **fresh}), also)
    merged = {**msgspec.structs.asdict(bundled.provider), **known}
    if merged["base_url"].rstrip("/") != bundled.provider.base_url:
        merged |= {"bundled": False, "local": known.get("local", _runs_here(known))}
        merged |= {
            name: known.get(name, empty) for name, empty in (("gateway_slug", None), ("gateway_strips", ""))
        }
    return Block(_provider(table, merged), also)


def _runs_here(fields: Mapping[str, Any]) -> bool:
    """A loopback address that no gateway stands in for."""
    return is_loopback(fields["base_url"]) and "gateway_slug" not in fields


_EXAMPLES = {"dialect": '"openai-chat"', "base_url": '"https://host/v1"'}


def _provider(table: str, fields: dict[str, Any]) -> Provider:
    fields["base_url"] = _safe_url(table, fields)
    if fields.get("gateway_slug") and not fields.get("gateway_strips"):
        fields["gateway_strips"] = origin_of(fields["base_url"])
    strips = fields.get("gateway_strips", "")
    if not fields["base_url"].startswith(strips):
        origin = origin_of(fields["base_url"])
        _refuse(
            table, "gateway_strips", f"[{table}] gateway_strips is not how base_url begins: use “{origin}”"
        )
    _check_pattern(table, fields.get("key_pattern", ""))
    try:
        return msgspec.convert(fields, Provider)
    except msgspec.ValidationError as exc:
        raise Misconfigured(f"[{table}]: {exc}", table=table) from exc


def _safe_url(table: str, fields: Mapping[str, Any]) -> str:
    url = str(fields.get("base_url", "")).strip().rstrip("/")
    try:
        origin_of(url)
    except Misconfigured as exc:
        raise Misconfigured(
            f"[{table}] base_url is not a web address: write it as https://host/v1",
            table=table,
            field="base_url",
        ) from exc
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        _refuse(table, "base_url", f"[{table}] base_url carries a user name or password: add the key in Keys")
    if parts.query or parts.fragment:
        _refuse(
            table,
            "base_url",
            f"[{table}] base_url goes on after “?” or “#”: leave that out, add the key in Keys",
        )
    if parts.scheme.lower() == "http" and not (is_loopback(url) or fields.get("allow_http")):
        _refuse(
            table,
            "base_url",
            f"[{table}] base_url is plain http to another machine: use https, or add allow_http = true",
        )
    return url


def _checked(table: str, fields: Any, known: Mapping[str, type]) -> dict[str, Any]:
    if not isinstance(fields, Mapping):
        _refuse(table, "", f"[{table}] is not a table: write [{table}] and its fields below it")
    for field, value in fields.items():
        _check_field(table, field, value, known)
    return dict(fields)


def _check_field(table: str, field: str, value: Any, known: Mapping[str, type]) -> None:
    if field not in known:
        near = difflib.get_close_matches(field, known, n=1)
        fix = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
        _refuse(table, field, f"[{table}] {field} is not a field of a provider: {fix}")
    kind = known[field]
    fits: bool = isinstance(value, kind)
    if not fits or not all(isinstance(part, str) for part in _parts(value)):
        _refuse(table, field, f"[{table}] {field} is not {_WORDS[kind]}")
    if field == "headers" and (bad := sorted(name for name in value if name.lower() in _KEY_HEADERS)):
        _refuse(
            table,
            field,
            f"[{table}] headers has {bad[0]}: a key does not belong in this file, add it in Keys",
        )
    if field == "env" and (
        bad := [name for name in value if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name)]
    ):
        _refuse(
            table,
            field,
            f"[{table}] env holds something that is not a variable’s name: write names, not keys",
        )


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _check_pattern(table: str, pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as exc:
        raise Misconfigured(
            f"[{table}] key_pattern is not a regular expression: {exc.msg}", table=table, field="key_pattern"
        ) from exc


def _either(words: tuple[str, ...]) -> str:
    return ", ".join(words[:-1]) + " or " + words[-1]


def _refuse(table: str, field: str, sentence: str) -> NoReturn:
    raise Misconfigured(sentence, table=table, field=field)
