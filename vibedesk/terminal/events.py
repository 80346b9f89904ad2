"""The engine's events and values as the JSON that `terminal.md` promises: unknown is null, never zero."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from vibedesk.engine.errors import EngineError
from vibedesk.engine.route_table import whole
from vibedesk.engine.types import (
    ApiKey,
    Attempt,
    CacheUse,
    Continued,
    Cost,
    Event,
    FellBack,
    Finished,
    Model,
    Price,
    ReasoningDelta,
    Restarted,
    Route,
    Started,
    TextDelta,
    Usage,
    Waiting,
)
from vibedesk.terminal.sentences import Sentences

Object = dict[str, Any]


def event_object(event: Event, lane: int, asked: str, sentences: Sentences) -> Object:
    """One event of a lane. `asked` names the model where no deployment answered."""
    match event:
        case Started(deployment, attempt):
            facts: Object = {
                "event": "started",
                "model": deployment.name,
                "via": deployment.via,
                "key": deployment.key_name or None,
                "attempt": attempt,
                "why_via": deployment.why_via,
            }
        case ReasoningDelta(text):
            facts = {"event": "reasoning", "text": text}
        case TextDelta(text):
            facts = {"event": "delta", "text": text}
        case Waiting(seconds, error):
            facts = {"event": "waiting", "seconds": _seconds(seconds), "kind": error.kind}
        case FellBack(error, failed, next):
            message = sentences.of(error)
            facts = {"event": "fell_back", "kind": error.kind, "message": message, "next": next.name}
            facts |= {
                "failed": failed.name,
                "key": failed.key_name or None,
                "next_key": next.key_name or None,
            }
        case Restarted(discard_from):
            facts = {"event": "restarted", "discard_from": discard_from}
        case Continued(at, how):
            facts = {"event": "continued", "at": at, "how": how}
        case Finished():
            facts = _finished(event, asked, sentences)
    return {"event": facts.pop("event"), "lane": lane, **facts}


def _finished(finished: Finished, asked: str, sentences: Sentences) -> Object:
    return {
        "event": "finished",
        "outcome": finished.outcome,
        "finish_reason": finished.finish_reason,
        "text": finished.text,
        "reasoning": finished.reasoning,
        "model": finished.deployment or asked,
        "reported_model": finished.model or None,
        "usage": usage_object(finished.usage),
        "cost": cost_object(finished.cost),
        "ttft_s": _seconds(finished.ttft_s),
        "tokens_per_s": None if finished.tokens_per_s is None else round(finished.tokens_per_s, 1),
        "reasoning_s": _seconds(finished.reasoning_s),
        "took_s": _seconds(finished.took_s),
        "cached": finished.cached,
        "cache": _cache_object(finished.cache),
        "error": error_object(finished.error, sentences),
        "attempts": [attempt_object(attempt) for attempt in finished.attempts],
        "not_needed": list(finished.not_needed),
        "joined_at": list(finished.joined_at),
        "restarts": finished.restarts,
    }


def _cache_object(use: CacheUse | None) -> Object | None:
    """What the answer cache did; null where the route does not cache."""
    if use is None:
        return None
    return {
        "verdict": use.verdict,
        "why": use.why or None,
        "kept_at": _time(use.kept_at),
        "saved": cost_object(use.saved),
        "saved_s": _seconds(use.saved_s),
    }


def attempt_object(attempt: Attempt) -> Object:
    return {
        "deployment": attempt.deployment,
        "via": attempt.via,
        "why_via": attempt.why_via,
        "key": attempt.key or None,
        "rule": attempt.rule,
        "status": attempt.status,
        "outcome": attempt.outcome,
        "kind": attempt.kind,
        "message": attempt.message or None,
        "started_s": _seconds(attempt.started_s),
        "connected_s": _seconds(attempt.connected_s),
        "first_token_s": _seconds(attempt.first_token_s),
        "ended_s": _seconds(attempt.ended_s),
        "request_id": attempt.request_id or None,
        "finish_reason": attempt.finish_reason,
        "usage": usage_object(attempt.usage),
        "cost": cost_object(attempt.cost),
        "notes": list(attempt.notes),
    }


def usage_object(usage: Usage | None) -> Object | None:
    if usage is None:
        return None
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_tokens": usage.cached_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
    }


def cost_object(cost: Cost | None) -> Object | None:
    if cost is None:
        return None
    return {"usd": decimal_text(cost.usd), "source": cost.source, "estimated": cost.estimated}


def error_object(error: EngineError | None, sentences: Sentences) -> Object | None:
    """`message` is our sentence with its fix, `provider_message` the provider's own words, redacted."""
    if error is None:
        return None
    return {
        "kind": error.kind,
        "message": sentences.of(error),
        "retry_after_s": _seconds(error.retry_after_s),
        "provider_message": sentences.provider_message(error) or None,
    }


def key_object(key: ApiKey) -> Object:
    return {
        "id": key.id,
        "provider": key.provider,
        "label": key.label,
        "hint": key.hint,
        "source": key.source,
        "state": key.state if key.enabled else "disabled",
        "base_url": key.origin,
        "checked": _time(key.checked),
        "last_used": _time(key.last_used),
    }


def model_object(model: Model, *, usable: bool) -> Object:
    return {
        "id": model.full_id,
        "name": model.name,
        "provider": model.provider,
        "state": model.state,
        "retires": model.retires.isoformat() if model.retires else None,
        "replacement": f"{model.provider}/{model.replacement}" if model.replacement else None,
        "context_window": model.context_window,
        "max_output": model.max_output,
        "price": _price_object(model.price),
        "capabilities": sorted(model.capabilities),
        "listed_live": model.listed_live,
        "usable": usable,
    }


def _price_object(price: Price | None) -> Object | None:
    """US dollars per million tokens."""
    if price is None:
        return None
    return {
        "input": decimal_text(price.input),
        "output": decimal_text(price.output),
        "cached": None if price.cached is None else decimal_text(price.cached),
        "source": price.source,
    }


def route_object(route: Route) -> Object:
    """The fields as `config/routes.toml` names them; null where a route says nothing."""
    return {
        "route": route.name,
        **{name: None if value == "" else value for name, value in whole(route).items()},
    }


def decimal_text(value: Decimal) -> str:
    """All digits, no exponent: 0.0000012."""
    return format(value.normalize() if value else Decimal(0), "f")


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _time(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat(timespec="seconds")
