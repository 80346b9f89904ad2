"""Usage → cost: exact decimals from the model's price, and where that price came from."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from vibedesk.engine.types import Cost, Model, Price, Usage

_PER_MILLION = Decimal("0.000001")


def cost_of(
    usage: Usage | None, model: Model, *, on: date, reported_usd: Decimal | None = None
) -> Cost | None:
    """US dollars of one answer. What the provider says it charged comes first; None when usage or price is unknown.

    Also None when the counts contradict each other: unknown is better than wrong (security.md S6).
    """
    if reported_usd is not None and reported_usd.is_finite() and reported_usd >= 0:
        return Cost(usd=reported_usd, source=f"charged by {model.provider}")
    if usage is None or model.price is None or not _consistent(usage):
        return None
    price = price_on(model.price, on)
    return Cost(usd=_usd(usage, price), source=price.source)


def price_on(price: Price, day: date) -> Price:
    """The prices that hold on that day: announced changes start on their own."""
    while price.then is not None and price.starts is not None and day >= price.starts:
        price = price.then
    return price


def estimate_tokens(text: str) -> int:
    """Roughly how many tokens a text is: four ASCII characters each, one for a CJK character, two other letters."""
    if text.isascii():
        return -(-len(text) // 4)
    ascii_count = sum(character < "\x80" for character in text)
    wide_count = sum(_is_wide(character) for character in text)
    other_count = len(text) - ascii_count - wide_count
    return -(-ascii_count // 4) + wide_count + -(-other_count // 2)


def _usd(usage: Usage, price: Price) -> Decimal:
    uncached = usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens
    rates = _rates(price, usage.input_tokens)
    counts = (uncached, usage.cached_tokens, usage.cache_write_tokens, usage.output_tokens)
    return sum((rate * count for rate, count in zip(rates, counts, strict=True)), Decimal(0)) * _PER_MILLION


def _rates(price: Price, input_tokens: int) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """Input, cached, cache write, output. Over the threshold the whole request costs the long prices (wire.md §11.5).

    A cached or written token without a price of its own costs what an input token costs.
    """
    write = price.input if price.cache_write is None else price.cache_write
    cached = price.input if price.cached is None else price.cached
    if price.threshold is None or input_tokens <= price.threshold:
        return price.input, cached, write, price.output
    long_input = price.input if price.long_input is None else price.long_input
    dearer = long_input / price.input if price.input else Decimal(1)
    long_cached = cached * dearer if price.long_cached is None else price.long_cached
    return (
        long_input,
        long_cached,
        write * dearer,
        price.output if price.long_output is None else price.long_output,
    )


def _consistent(usage: Usage) -> bool:
    counts = (usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.cache_write_tokens)
    return min(counts) >= 0 and usage.cached_tokens + usage.cache_write_tokens <= usage.input_tokens


def _is_wide(character: str) -> bool:
    """Han, kana, Hangul, full-width forms and the astral planes (emoji): about a token each."""
    code = ord(character)
    return 0x2E80 <= code <= 0x9FFF or 0xAC00 <= code <= 0xD7AF or 0xF900 <= code <= 0xFAFF or code >= 0xFF00
