"""How long who is waited for: by what the model is and does, and by what the route says. Pure."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from vibedesk.engine.pricing import estimate_tokens
from vibedesk.engine.types import Deployment, Image, Request, Timeouts

IMAGE_TOKENS = 1_000
"""About what an image counts for."""
READ_PER_S = 2_000
"""Tokens of a prompt that are read in a second, at the least."""


class Timers(Struct, frozen=True, kw_only=True):
    """Seconds. `idle_s` counts between useful pieces (comments and pings are not), `total_s` the whole ask,
    retries included."""

    connect_s: float = 10.0
    first_token_s: float = 30.0
    idle_s: float = 30.0
    total_s: float = 900.0


USUAL = Timers()
REASONING = Timers(first_token_s=120.0, idle_s=90.0)
LOCAL = Timers(first_token_s=300.0, idle_s=120.0)
"""A server on this machine may have to load the model first."""


def timers_for(
    deployment: Deployment, request: Request, timeouts: Timeouts, given: Timers | None = None
) -> Timers:
    """`given` takes the place of what is usual for such a model; what the route says comes before both."""
    timers = given or _usual(deployment, request)
    own = {
        name: seconds
        for name in Timeouts.__struct_fields__
        if (seconds := getattr(timeouts, name)) is not None
    }
    return replace(timers, **own) if own else timers


def _usual(deployment: Deployment, request: Request) -> Timers:
    provider, model = deployment.provider, deployment.model
    if provider.local:
        return LOCAL
    # Nobody knows whether an unlisted model thinks first.
    thinks = model.state == "unlisted" or "reasoning" in model.capabilities or bool(model.traits.efforts)
    usual = REASONING if thinks and request.parameters.reasoning_effort != "none" else USUAL
    if not model.traits.streams:
        usual = replace(usual, first_token_s=usual.total_s)
    reading_s = tokens_in(request) / READ_PER_S
    return replace(usual, first_token_s=usual.first_token_s + reading_s) if reading_s >= 1 else usual


def tokens_in(request: Request) -> int:
    """About how many tokens the request has."""
    count = estimate_tokens(request.system) if request.system else 0
    for message in request.messages:
        for part in message.parts:
            count += IMAGE_TOKENS if isinstance(part, Image) else _tokens(part.text)
    return count


def _tokens(text: str) -> int:
    return -(-len(text) // 4) if text.isascii() else estimate_tokens(text)
