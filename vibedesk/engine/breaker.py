"""Whether a deployment is worth asking now: opened by failures, tried again by one request at a time. Pure.

Closed → open after 3 failures in a row, or more than half of at least 5 in a minute. Open → half open when its rest is
over: exactly one request is the probe, and only an answer that came to its end closes it again (routing.md §2.8).
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

IN_A_ROW = 3
WINDOW_S = 60.0
ENOUGH = 5
FIRST_REST_S = 5.0
LONGEST_REST_S = 30.0
PROBE_S = 300.0
"""A probe that never tells how it ended is forgotten after so long."""
_KEPT = 20

Stand = Literal["closed", "open", "half", "probing"]


class Breaker(Struct, frozen=True):
    """One deployment's. Times are seconds since 1970; `recent` holds (when, whether it failed), the last few."""

    failures: int = 0
    recent: tuple[tuple[float, bool], ...] = ()
    opens: int = 0
    """How often in a row it was opened; 0 = closed."""
    open_until: float = 0.0
    probe_until: float = 0.0


def stand_of(breaker: Breaker | None, now: float) -> Stand:
    """`half` = the next request may be the probe."""
    if breaker is None or not breaker.opens:
        return "closed"
    if now < breaker.open_until:
        return "open"
    return "probing" if now < breaker.probe_until else "half"


def probed(breaker: Breaker, now: float) -> Breaker:
    """A probe leaves."""
    return replace(breaker, probe_until=now + PROBE_S)


def released(breaker: Breaker) -> Breaker:
    """The probe was called back, or says nothing about the deployment."""
    return replace(breaker, probe_until=0.0)


def completed(breaker: Breaker | None, now: float) -> Breaker:
    """An answer came to its end: closed."""
    before = breaker.recent if breaker is not None else ()
    return Breaker(recent=(*before[1 - _KEPT :], (now, False)))


def failed(breaker: Breaker | None, now: float, luck: float, hint_s: float | None = None) -> Breaker:
    """One more failure. `luck` (0–1) spreads the rest by a fifth; `hint_s` is how long the server asked for."""
    before = breaker or Breaker()
    lately = (one for one in before.recent if now - one[0] < WINDOW_S)
    recent = (*lately, (now, True))[-_KEPT:]
    after = replace(before, failures=before.failures + 1, recent=recent, probe_until=0.0)
    bad = sum(failure for _, failure in recent)
    tripped = after.failures >= IN_A_ROW or (len(recent) >= ENOUGH and bad * 2 > len(recent))
    if not (before.opens or tripped) or now < before.open_until:
        return after
    rest = max(hint_s or 0.0, FIRST_REST_S * float(2 ** min(before.opens, 8)))
    spread = 0.8 + 0.4 * luck
    return replace(after, opens=before.opens + 1, open_until=now + min(rest, LONGEST_REST_S) * spread)
