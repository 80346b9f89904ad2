"""What can be set for a model: every parameter with its range and default, or that it takes none (wire facts §11.1).

The dialects ask by it, and the screen offers by it: what one leaves out the other does not show.
"""

from __future__ import annotations

from msgspec import Struct

from vibedesk.engine.types import DialectName, Model, Provider

STOPS: dict[DialectName, int] = {"openai-chat": 4, "anthropic": 16, "gemini": 5}
"""Stop sequences at most; the Responses API takes none. Anthropic names no limit: 16 is ours."""

SEEDED: frozenset[DialectName] = frozenset({"openai-chat", "gemini"})
TOP_P: frozenset[DialectName] = frozenset({"openai-chat", "openai-responses", "anthropic", "gemini"})
SCHEMAS: frozenset[DialectName] = TOP_P

_LIMITS: dict[str, tuple[int, int]] = {"cerebras": (16_384, 8_192), "together": (16_384, 8_192)}
"""Of Chat Completions those that are better asked with a limit: at most, and for models nobody has described."""
_ANTHROPIC_LIMIT = (32_000, 8_192)
_LEAST = {"openai-responses": 16}


class Taken(Struct, frozen=True, kw_only=True):
    """`temperature`: the range's upper end, None = takes none; `top_p` goes with it. `warmth` names what both wait for:
    "" = nothing, "reasoning" = reasoning off. `together`: both may be sent at once. `default_temperature` and
    `default_effort` None = not documented; `default_max_tokens` None = the model's own limit. `stops`: sequences at
    most.
    """

    temperature: float | None
    default_temperature: float | None
    top_p: bool
    warmth: str
    together: bool
    efforts: tuple[str, ...]
    default_effort: str | None
    least_tokens: int
    most_tokens: int | None
    default_max_tokens: int | None
    stops: int
    seed: bool
    json_schema: bool


def taken_by(model: Model, provider: Provider) -> Taken:
    """What this model takes from this provider."""
    dialect, traits = model.traits.dialect or provider.dialect, model.traits
    never = traits.temperature == "never"
    most = min(traits.temperature_max, 1.0 if dialect == "anthropic" else 2.0)
    return Taken(
        temperature=None if never else most,
        default_temperature=1.0 if provider.id in ("openai", "anthropic", "google-ai-studio") else None,
        top_p=dialect in TOP_P and not never,
        warmth="reasoning" if traits.temperature == "without_reasoning" else "",
        together=dialect != "anthropic",
        efforts=traits.efforts,
        default_effort=traits.default_effort,
        least_tokens=_LEAST.get(dialect, 1),
        most_tokens=model.max_output,
        default_max_tokens=limit_by_default(model, provider),
        stops=STOPS.get(dialect, 0) if traits.stop else 0,
        seed=dialect in SEEDED,
        json_schema=dialect in SCHEMAS and takes_schema(model),
    )


def takes_schema(model: Model) -> bool:
    """Whether it can be held to a JSON schema: not when it is described, and nobody says that it can."""
    return model.state == "unlisted" or not model.capabilities or "json" in model.capabilities


def limit_by_default(model: Model, provider: Provider) -> int | None:
    """The limit that is sent when nobody set one: at most half the window; None = none is sent."""
    dialect = model.traits.dialect or provider.dialect
    limits = _ANTHROPIC_LIMIT if dialect == "anthropic" else _LIMITS.get(provider.id)
    if limits is None:
        return None
    limit = min(model.max_output or limits[1], limits[0])
    return max(1, min(limit, (model.context_window or 2 * limit) // 2))
