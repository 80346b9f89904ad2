"""About what a question costs before it is asked, lane by lane, and which lanes it does not suit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from msgspec import Struct

from vibedesk.engine.dialects.taken import Taken, taken_by
from vibedesk.engine.pricing import estimate_tokens, price_on
from vibedesk.engine.types import Model, Parameters
from vibedesk.state.lane import Lane

__all__ = ["ANSWER_TOKENS", "Estimate", "Taken", "differing", "estimates", "in_sum", "sees_none", "taken_of"]

ANSWER_TOKENS = 500
"""Output tokens an estimate of the cost reckons with, where no lower limit is set."""


class Estimate(Struct, frozen=True):
    """One lane. `usd` None = its price is not known. `over` = more than the model's window takes."""

    place: int
    name: str
    tokens: int
    usd: Decimal | None
    over: bool


def estimates(
    lanes: Sequence[Lane], asked: Sequence[Lane], text: str, attached_tokens: int
) -> list[Estimate]:
    """For each of the lanes that is `asked` and has a model."""
    own = estimate_tokens(text) + attached_tokens
    found = []
    for place, lane in enumerate(lanes):
        if lane in asked and (lane.spec.model or lane.spec.route):
            tokens = own + estimate_tokens(lane.spec.system) + _history_tokens(lane)
            model = lane.model
            window = model.context_window if model else None
            name = model.id if model else lane.spec.model
            found.append(
                Estimate(place, name, tokens, _cost(lane, model, tokens), bool(window and tokens > window))
            )
    return found


def in_sum(found: Sequence[Estimate]) -> tuple[int, Decimal | None]:
    """Tokens and cost over all lanes; None when one lane's cost is not known."""
    tokens = sum(one.tokens for one in found)
    costs = [one.usd for one in found if one.usd is not None]
    return tokens, sum(costs, Decimal(0)) if costs and len(costs) == len(found) else None


def sees_none(lane: Lane) -> bool:
    """Whether the lane's model is known to see no pictures."""
    model = lane.model
    return bool(
        model and model.state != "unlisted" and model.capabilities and "vision" not in model.capabilities
    )


def taken_of(lane: Lane) -> Taken | None:
    """What can be set for the lane's model; None while it has none."""
    model, provider = lane.model, lane.provider
    return taken_by(model, provider) if model is not None and provider is not None else None


def differing(parameters: Parameters) -> dict[str, object]:
    """What is set, by name, in the order of `Parameters`."""
    plain = Parameters()
    values = {name: getattr(parameters, name) for name in parameters.__struct_fields__}
    return {name: value for name, value in values.items() if value != getattr(plain, name)}


def _cost(lane: Lane, model: Model | None, tokens: int) -> Decimal | None:
    if model is None or model.price is None:
        return None
    price = price_on(model.price, datetime.now(UTC).date())
    out = min(lane.spec.parameters.max_tokens or ANSWER_TOKENS, ANSWER_TOKENS)
    return (price.input * tokens + price.output * out) / 1_000_000


def _history_tokens(lane: Lane) -> int:
    return sum(exchange.tokens for exchange in lane.exchanges)
