"""When to ask again: every form in which providers say it (wire facts §11.4), junk included."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime

LONGEST_S = 31 * 86400.0
"""A longer wait is told as this long: until a monthly limit is reset."""

_DURATION = re.compile(
    r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+(?:\.\d+)?)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?"
)
_IN_WORDS = re.compile(r"(?:try again|retry) in ((?:\d+(?:\.\d+)?(?:ms|[dhms])\s?)+)", re.IGNORECASE)
_IN_LONG_WORDS = re.compile(r"(?:try again|retry) in (\d+(?:\.\d+)?) ?(second|minute|hour)", re.IGNORECASE)
_BETWEEN = re.compile(r",(?! ?\d{1,2}[ -][A-Za-z])")
"""The comma between two values of a header that came twice, not the one inside a date."""
_LONG_UNITS = {"second": 1, "minute": 60, "hour": 3600}


def wait_of(
    headers: Mapping[str, str], *, delay: str = "", message: str = "", now: datetime | None = None
) -> float | None:
    """Seconds to wait, 0 < x ≤ 31 days, or None when nobody said (or said nonsense).

    `delay` is Google's RetryInfo.retryDelay. `now` is the local clock; the server's own `Date` is preferred to it.
    """
    now = _date(headers.get("date", "")) or now or datetime.now(UTC)
    hints = (
        _longest(headers.get("retry-after-ms", ""), now, 0.001),
        _longest(headers.get("x-ms-retry-after-ms", ""), now, 0.001),
        _longest(headers.get("retry-after", ""), now),
        seconds(delay, now),
        _in_words(message),
        _exhausted(headers, now),
    )
    return next((hint for hint in map(_sane, hints) if hint is not None), None)


def seconds(value: str, now: datetime) -> float | None:
    """A reset in any notation: `12ms`, `6m0s`, `33011.38`, RFC 3339, epoch seconds or milliseconds. Not below 0."""
    value = value.strip()
    try:
        return _until(float(value), now)
    except ValueError:
        pass
    match = _DURATION.fullmatch(value)
    if match and any(match.groups()):
        d, h, m, s, ms = (float(group or 0) for group in match.groups())
        return d * 86400 + h * 3600 + m * 60 + s + ms / 1000
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds())


def _until(number: float, now: datetime) -> float | None:
    if not math.isfinite(number):
        return None
    if number > 1e12:
        number /= 1000
    return max(0.0, number - now.timestamp()) if number > 1e9 else number


def _sane(value: float | None) -> float | None:
    return min(value, LONGEST_S) if value is not None and math.isfinite(value) and value > 0 else None


def _longest(value: str, now: datetime, factor: float = 1.0) -> float | None:
    """A proxy may have added a hint of its own to the server's: who waits for the longer one fits both."""
    hints = (_sane(_hint(one, now, factor)) for one in _BETWEEN.split(value))
    return max((hint for hint in hints if hint is not None), default=None)


def _hint(value: str, now: datetime, factor: float) -> float | None:
    try:
        return float(value) * factor
    except ValueError:
        at = _date(value)
    return (at - now).total_seconds() if at else None


def _date(value: str) -> datetime | None:
    from email.utils import parsedate_to_datetime  # slow to load, and rarely needed

    try:
        at = parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _in_words(message: str) -> float | None:
    if match := _IN_WORDS.search(message):
        return seconds(re.sub(r"\s", "", match[1]), datetime.now(UTC))
    if match := _IN_LONG_WORDS.search(message):
        return float(match[1]) * _LONG_UNITS[match[2].lower()]
    return None


def exhausted_buckets(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the `…remaining…` headers that stand at 0."""
    return tuple(
        name
        for name, value in headers.items()
        if "remaining" in name.lower() and value.strip() in ("0", "0.0")
    )


def _exhausted(headers: Mapping[str, str], now: datetime) -> float | None:
    lower = {name.lower(): value for name, value in headers.items()}
    resets = (
        lower.get(name.lower().replace("remaining", "reset"), "") for name in exhausted_buckets(headers)
    )
    waits = [wait for reset in resets if reset and (wait := seconds(reset, now)) is not None]
    return max(waits, default=None)
