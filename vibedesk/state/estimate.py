"""What the next question would weigh and cost, before it is asked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

from vibedesk.desk import Desk
from vibedesk.engine.errors import EngineError
from vibedesk.engine.pricing import estimate_tokens, price_on
from vibedesk.state.lane import Lane

ANSWER_TOKENS = 500
"""Output tokens an estimate of the cost reckons with, where no limit is set."""


def estimate(desk: Desk, lanes: Iterable[Lane], text: str) -> tuple[int, Decimal | None]:
    """About how many tokens go in over all these lanes, and what they cost with an answer; None = unknown."""
    tokens, cost, known = 0, Decimal(0), True
    for lane in lanes:
        if not (lane.spec.model or lane.spec.route):
            continue
        own = estimate_tokens(lane.spec.system) + estimate_tokens(text) + _history_tokens(lane)
        tokens += own
        price = _price(desk, lane)
        known = known and price is not None
        if price is not None:
            out = lane.spec.parameters.max_tokens or ANSWER_TOKENS
            cost += (price[0] * own + price[1] * min(out, ANSWER_TOKENS)) / 1_000_000
    return tokens, cost if known and tokens else None


def _price(desk: Desk, lane: Lane) -> tuple[Decimal, Decimal] | None:
    try:
        model = desk.catalog.model(lane.spec.model)
    except EngineError:
        return None
    if model.price is None:
        return None
    price = price_on(model.price, datetime.now(UTC).date())
    return price.input, price.output


def _history_tokens(lane: Lane) -> int:
    return sum(exchange.tokens for exchange in lane.exchanges)
