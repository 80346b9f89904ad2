"""What a provider's headers say of its own limits: how much of each is left, and until when (wire.md §11.4). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from msgspec import Struct

from vibedesk.engine.dialects.retry_after import seconds

ORGANISATIONS = ("openai-organization", "anthropic-organization-id", "x-groq-organization")

_NAME = re.compile(
    r"(?:anthropic-ratelimit-(?P<a>[a-z-]+?)-(?P<a_part>limit|remaining|reset)"
    r"|x-ratelimit-(?P<x_part>limit|remaining|reset)(?:-(?P<x>[a-z-]+))?"
    r"|x-tokenlimit-(?P<t_part>limit|remaining|reset)"
    r"|ratelimit-(?P<r_part>limit|remaining|reset)(?:-(?P<r>[a-z-]+))?)"
)
_PER_DAY = {"groq": frozenset({"requests"})}
"""Buckets whose name does not say that they are a day's."""


class Bucket(Struct, frozen=True, kw_only=True):
    """`limit` and `remaining` as the provider last said (None = it did not); `reset_at` and `said_at` since 1970."""

    limit: int | None = None
    remaining: int | None = None
    reset_at: float | None = None
    said_at: float = 0.0


def buckets_of(headers: Mapping[str, str], provider: str, now: float) -> dict[str, Bucket]:
    """Name ("requests", "tokens", "requests-day", "tokens-minute", …) → what is left of it. Header names lower case."""
    found: dict[str, dict[str, float]] = {}
    moment = datetime.fromtimestamp(now, UTC)
    for header, value in headers.items():
        if "limit" not in header or (match := _NAME.fullmatch(header)) is None:
            continue
        part = match["a_part"] or match["x_part"] or match["t_part"] or match["r_part"]
        name = match["a"] or match["x"] or match["r"] or ("tokens" if match["t_part"] else "requests")
        if name in _PER_DAY.get(provider, ()):
            name += "-day"
        number = _number(value, part, moment)
        if number is not None:
            found.setdefault(name, {})[part] = number
    return {name: _bucket(parts, now) for name, parts in found.items()}


def organisation_of(headers: Mapping[str, str]) -> str:
    """The account the provider says the key belongs to, "" where it does not say."""
    return next((headers[name] for name in ORGANISATIONS if headers.get(name)), "")[:200]


def _number(value: str, part: str, now: datetime) -> float | None:
    value = value.partition(",")[0].strip()
    if part == "reset":
        return seconds(value, now)
    try:
        number = float(value)
    except ValueError:
        return None
    return number if 0 <= number < 1e15 else None


def _bucket(parts: Mapping[str, float], now: float) -> Bucket:
    return Bucket(
        limit=int(parts["limit"]) if "limit" in parts else None,
        remaining=int(parts["remaining"]) if "remaining" in parts else None,
        reset_at=now + parts["reset"] if "reset" in parts else None,
        said_at=now,
    )
