"""Amounts as people read them: money, time, speed, a count. "—" stands for what nobody knows."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, ROUND_UP, Decimal

_SMALLEST = Decimal("0.0001")


def money(usd: Decimal | None, estimated: bool = False) -> str:
    """US dollars: "$0.0042", "$12.30", "<$0.0001"; "—" when unknown, "≈" before an estimate; a true zero is "$0"."""
    if usd is None:
        return "—"
    about = "≈" if estimated else ""
    if usd == 0:
        return f"{about}$0"
    if abs(usd) < _SMALLEST:
        return f"{about}<${_SMALLEST}"
    places = Decimal("0.01") if abs(usd) >= 1 else Decimal("0.001") if estimated else _SMALLEST
    rounded = usd.quantize(places, ROUND_HALF_UP) or usd.quantize(_SMALLEST, ROUND_HALF_UP)
    return f"{about}${rounded:,}"


def at_most(usd: Decimal) -> str:
    """A bound: "at most $0.0042". It is never rounded down, and no estimate any more."""
    places = Decimal("0.01") if usd >= 1 else _SMALLEST
    return f"at most {money(usd.quantize(places, ROUND_UP))}"


def spent(usd: Decimal, unpriced: int) -> str:
    """A sum of what is known, beside `unpriced` requests of unknown cost: "$0.42+", "—" when nothing is known."""
    if not unpriced:
        return money(usd)
    return f"{money(usd)}+" if usd else "—"


def duration(s: float | None) -> str:
    """Seconds in words: "412 ms", "1.8 s", "2 min 5 s"."""
    if s is None:
        return "—"
    if s < 0.9995:
        return f"{s * 1000:.0f} ms"
    if s < 99.95:
        return f"{s:.1f} s"
    minutes, seconds = divmod(round(s), 60)
    return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"


def speed(v: float | None) -> str:
    """Tokens per second: "71.2 tok/s", "1,904 tok/s"."""
    if v is None:
        return "—"
    return f"{v:,.0f} tok/s" if v >= 999.5 else f"{v:.1f} tok/s"


def count(n: int | None) -> str:
    """A whole number: "1,950"."""
    return "—" if n is None else f"{n:,}"
