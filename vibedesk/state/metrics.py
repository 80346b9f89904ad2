"""What the answers of one question measured: who was best at what, and medians where it was asked several times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from statistics import median

from msgspec import Struct

from vibedesk.engine.pricing import estimate_tokens
from vibedesk.state.story import Exchange
from vibedesk.store.history import StoredAnswer

LEAST_S = 0.5
"""A speed over less time than this says nothing."""
Number = float | Decimal


class Measured(Struct, frozen=True, kw_only=True):
    """One metric over several answers; `middle` is the median, `low` and `high` the extremes of `count` values."""

    middle: float
    low: float
    high: float
    count: int


class Rough(Struct, frozen=True, kw_only=True):
    """What an answer measured by our own count; None = not even about."""

    tokens: int
    tokens_per_s: float | None


METRICS: dict[str, Callable[[StoredAnswer], Number | None]] = {
    "first": lambda answer: answer.ttft_s,
    "speed": lambda answer: answer.tokens_per_s,
    "tokens": lambda answer: answer.usage.output_tokens if answer.usage is not None else None,
    "cost": lambda answer: answer.cost.usd if answer.cost is not None else None,
    "took": lambda answer: answer.took_s,
}
"""Seconds, tokens a second, tokens, US dollars, seconds."""


def measured(answers: Sequence[StoredAnswer], metric: str) -> Measured | None:
    """The metric over those of `answers` that are complete and were asked for; None when none of them has it."""
    take, answers = (
        METRICS[metric],
        [one for one in answers if one.outcome == "complete" and not from_cache(one)],
    )
    values = [float(value) for one in answers if (value := take(one)) is not None]
    if not values:
        return None
    return Measured(middle=median(values), low=min(values), high=max(values), count=len(values))


def from_cache(answer: StoredAnswer) -> bool:
    """What a cache gives is no race: it was not asked."""
    ours = answer.cache is not None and answer.cache.spared
    notes = (note for attempt in answer.attempts for note in attempt.notes)
    return ours or any(note.lower() == "gateway cache hit" for note in notes)


def rough_of(exchange: Exchange) -> Rough | None:
    """Of an answer that ended before the provider said how many tokens it had; None for any other."""
    answer = exchange.answer
    if answer is None or answer.usage is not None or answer.outcome not in ("stopped", "cut"):
        return None
    tokens = estimate_tokens(answer.reasoning) + estimate_tokens(answer.text)
    if not tokens:
        return None
    spent = _streamed_s(answer)
    untold = any(_goes_on_from(answer, one) for one in exchange.answers)
    known = spent is not None and spent > LEAST_S and not untold
    return Rough(tokens=tokens, tokens_per_s=tokens / spent if known and spent else None)


def _streamed_s(answer: StoredAnswer) -> float | None:
    """From the first token to the end; None where part of that was silence, or another attempt."""
    mended = any(attempt.outcome == "cut" for attempt in answer.attempts[:-1])
    if answer.ttft_s is None or answer.took_s is None or mended or answer.error_kind == "timed_out":
        return None
    return answer.took_s - answer.ttft_s


def _goes_on_from(answer: StoredAnswer, other: StoredAnswer) -> bool:
    """Whether `other` may be its beginning: when that was said is not known any more."""
    return other is not answer and bool(other.text) and answer.text.startswith(other.text)


def best_of(results: Sequence[StoredAnswer | None]) -> dict[int, set[str]]:
    """Which lanes were the best at what: place → of "fastest", "first", "cheapest". Nothing to compare, no praise."""
    return best_of_many([[one] if one is not None else [] for one in results])


def best_of_many(results: Sequence[Sequence[StoredAnswer]]) -> dict[int, set[str]]:
    """The same by the medians of each lane's answers."""
    best: dict[int, set[str]] = {}
    for word, metric, sign in (("fastest", "speed", -1), ("first", "first", 1), ("cheapest", "cost", 1)):
        found = {place: measured(answers, metric) for place, answers in enumerate(results)}
        values = {place: sign * one.middle for place, one in found.items() if one is not None}
        ranked = sorted(values, key=values.__getitem__)
        if len(ranked) > 1 and _clearly_less(values[ranked[0]], values[ranked[1]]):
            best.setdefault(ranked[0], set()).add(word)
    return best


def _clearly_less(one: float, other: float) -> bool:
    """By two per cent at least: less is chance."""
    return other - one > abs(other) * 0.02
