"""What the user allows a key, counted: reserved when a request leaves, settled when it has ended. Pure.

Sliding over any 60 seconds, by day and month in UTC. What is reserved counts as spent, so that ten requests at once
cannot overshoot together (routing.md §2.10).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from vibedesk.engine.types import Limits

MINUTE_S = 60.0
POLL_S = 0.25
"""How soon to look again whether one of the requests under way has ended."""
UNLIMITED = Limits()


class Use(Struct, frozen=True):
    """One request that was answered: when (seconds since 1970), its tokens in and out, its dollars."""

    at: float
    tokens: int
    usd: Decimal = Decimal(0)


class Reservation(Struct, frozen=True):
    """What a request under way may come to."""

    number: int
    tokens: int
    usd: Decimal = Decimal(0)


class Uses(Struct, frozen=True, kw_only=True):
    """One key's. `day` and `month` are ordinals; sums of an earlier day or month count no more."""

    minute: tuple[Use, ...] = ()
    day: int = 0
    day_requests: int = 0
    day_tokens: int = 0
    month: int = 0
    month_usd: Decimal = Decimal(0)
    running: tuple[Reservation, ...] = ()


def uses_of(past: Iterable[Use], now: float) -> Uses:
    """What was used before the app was started, as the ledger tells it. What was written down while the clock was
    ahead counts as used now."""
    uses = Uses()
    for use in sorted(past, key=lambda one: one.at):
        uses = spent(uses, use if use.at <= now else replace(use, at=now))
    return replace(uses, minute=_lately(uses, now))


def reserved(uses: Uses, reservation: Reservation) -> Uses:
    """The request leaves."""
    return replace(uses, running=(*uses.running, reservation))


def settled(uses: Uses, number: int, use: Use | None) -> Uses:
    """The request has ended; `use` None = it cost nothing (nobody answered)."""
    uses = replace(uses, running=tuple(one for one in uses.running if one.number != number))
    return uses if use is None else spent(uses, use)


def spent(uses: Uses, use: Use) -> Uses:
    """One more answered request."""
    day, month = _day(use.at), _month(use.at)
    same_day, same_month = day == uses.day, month == uses.month
    return replace(
        uses,
        minute=(*_lately(uses, use.at), use),
        day=day,
        day_requests=(uses.day_requests if same_day else 0) + 1,
        day_tokens=(uses.day_tokens if same_day else 0) + use.tokens,
        month=month,
        month_usd=(uses.month_usd if same_month else Decimal(0)) + use.usd,
    )


def free_at(
    limits: Limits, uses: Uses, now: float, tokens: int, usd: Decimal = Decimal(0)
) -> tuple[float, str]:
    """When a request of so many tokens and dollars may leave, and the limit that holds it back ("" = none, now)."""
    waits = [(at, name) for at, name in _waits(limits, uses, now, tokens, usd) if at > now]
    return max(waits, default=(now, ""))


def _waits(limits: Limits, uses: Uses, now: float, tokens: int, usd: Decimal) -> Iterable[tuple[float, str]]:
    lately, running = _lately(uses, now), uses.running
    held = sum(one.tokens for one in running)
    today = _day(now) == uses.day
    if limits.concurrent is not None and len(running) >= limits.concurrent:
        yield now + POLL_S, "concurrent"
    if limits.requests_per_minute is not None:
        yield (
            _minute_free(lately, now, limits.requests_per_minute - len(running), 1, [1] * len(lately)),
            ("requests_per_minute"),
        )
    if limits.tokens_per_minute is not None:
        sizes = [use.tokens for use in lately]
        asked = min(tokens, limits.tokens_per_minute)
        yield _minute_free(lately, now, limits.tokens_per_minute - held, asked, sizes), "tokens_per_minute"
    if limits.requests_per_day is not None:
        full = (uses.day_requests if today else 0) + len(running) >= limits.requests_per_day
        yield (_tomorrow(now) if full else now), "requests_per_day"
    if limits.tokens_per_day is not None:
        used = (uses.day_tokens if today else 0) + held
        full = used + min(tokens, limits.tokens_per_day) > limits.tokens_per_day
        yield (_tomorrow(now) if full else now), "tokens_per_day"
    if limits.monthly_usd is not None:
        used_usd = uses.month_usd if _month(now) == uses.month else Decimal(0)
        held_usd = sum((one.usd for one in running), Decimal(0))
        full = used_usd + held_usd + usd > limits.monthly_usd or used_usd >= limits.monthly_usd
        yield (_next_month(now) if full else now), "monthly_usd"


def _minute_free(lately: tuple[Use, ...], now: float, room: int, asked: int, sizes: list[int]) -> float:
    """When so much of what lies in the last minute has gone by that `asked` more fits into `room`."""
    over = sum(sizes) + asked - room
    at = now
    for use, size in zip(lately, sizes, strict=True):
        if over <= 0:
            return at
        over -= size
        at = use.at + MINUTE_S
    # What is still missing is held by requests under way.
    return at if over <= 0 else max(at, now + POLL_S)


def _lately(uses: Uses, now: float) -> tuple[Use, ...]:
    return tuple(use for use in uses.minute if use.at > now - MINUTE_S)


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _day(at: float) -> int:
    return _moment(at).toordinal()


def _month(at: float) -> int:
    moment = _moment(at)
    return moment.year * 12 + moment.month - 1


def _tomorrow(now: float) -> float:
    today = _moment(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return (today + timedelta(days=1)).timestamp()


def _next_month(now: float) -> float:
    first = _moment(now).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1).timestamp()
