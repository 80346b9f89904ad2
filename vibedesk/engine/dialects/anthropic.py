"""Anthropic's Messages API, version 2023-06-01: the request, and its stream of named events (wire facts §4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from vibedesk.engine.dialects import listing
from vibedesk.engine.dialects.decoding import StreamDecoder
from vibedesk.engine.dialects.lenient import count, loosely, obj, objects, text
from vibedesk.engine.dialects.protocol import Call, Decoder
from vibedesk.engine.dialects.refusal import refusal_of
from vibedesk.engine.dialects.schema import schema_of
from vibedesk.engine.dialects.speech import Speech
from vibedesk.engine.dialects.taken import STOPS, limit_by_default
from vibedesk.engine.dialects.tuning import Tuning
from vibedesk.engine.dialects.turns import base64_of, refuse_prefill, turns_of
from vibedesk.engine.errors import EngineError
from vibedesk.engine.types import (
    DialectName,
    FinishReason,
    Image,
    Message,
    Model,
    Part,
    Provider,
    Request,
    Secret,
    Usage,
)

_HEADERS = {"anthropic-version": "2023-06-01"}

_FINISHES: dict[str, FinishReason] = {
    "end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "model_context_window_exceeded":
    "length",
    "tool_use": "tool_call", "pause_turn": "length", "refusal": "content_filter",
}  # fmt: skip


class Anthropic:
    """The dialect `anthropic`."""

    name: DialectName = "anthropic"

    def ask(self, request: Request, model: Model, provider: Provider) -> Call:
        """POST /v1/messages. `max_tokens` is required, so there is always one."""
        turns = turns_of(request, model)
        refuse_prefill(turns, model)
        tuning = Tuning(request, model)
        limit = tuning.max_tokens() or limit_by_default(model, provider) or 1
        body: dict[str, Any] = {
            "model": model.id,
            "max_tokens": limit,
            "messages": [_message(turn) for turn in turns],
        }
        if request.system.strip():
            body["system"] = request.system
        body |= _thinking(tuning, request, model, limit)
        thinks = body.get("thinking", {}).get("type") in ("enabled", "adaptive")
        body |= _sampling(tuning, request, model, thinks=thinks)
        tuning.seed(taken=False)
        schema = schema_of(request, model)
        if schema is not None:
            form = {"format": {"type": "json_schema", "schema": schema}}
            body["output_config"] = body.get("output_config", {}) | form
        body["stream"] = model.traits.streams
        return Call(
            method="POST",
            path=_path(provider, "messages"),
            body=body,
            notes=tuple(tuning.notes),
            headers=_HEADERS,
        )

    def authorise(self, secret: Secret) -> dict[str, str]:
        """Their own header; a bearer token beside it would be refused."""
        return {"x-api-key": secret.reveal()}

    def list_models(self, provider: Provider) -> Call:
        """GET /v1/models, all in one page."""
        return Call(method="GET", path=_path(provider, "models?limit=1000"), headers=_HEADERS)

    def read_models(self, payload: bytes, provider: Provider) -> tuple[Model, ...]:
        """With windows, lifecycle, capabilities and thinking modes."""
        return listing.read_anthropic(payload, provider)

    def decoder(self, provider: Provider, model: Model, content_type: str) -> Decoder:
        """For one answer."""
        return StreamDecoder(AnthropicInterpreter(provider, model), provider, content_type)

    def refusal(
        self, status: int, headers: Mapping[str, str], body: bytes, provider: Provider
    ) -> EngineError:
        """See `refusal.refusal_of`."""
        return refusal_of(status, headers, body, provider)


def _path(provider: Provider, rest: str) -> str:
    return f"/{rest}" if provider.base_url.endswith("/v1") else f"/v1/{rest}"


def _message(message: Message) -> dict[str, Any]:
    if not any(isinstance(part, Image) for part in message.parts):
        # White space at the end of a begun answer is refused.
        said = message.text if message.role == "user" else message.text.rstrip()
        return {"role": message.role, "content": said}
    return {"role": message.role, "content": [_block(part) for part in message.parts]}


def _block(part: Part) -> dict[str, Any]:
    if isinstance(part, Image):
        source = {"type": "base64", "media_type": part.media_type, "data": base64_of(part)}
        return {"type": "image", "source": source}
    return {"type": "text", "text": part.text}


def _sampling(tuning: Tuning, request: Request, model: Model, *, thinks: bool) -> dict[str, Any]:
    """Temperature or top_p, never both, and neither while it thinks; stop sequences."""
    fields: dict[str, Any] = {}
    if thinks and model.traits.temperature == "free":
        wanted = request.parameters
        for name, value in (("temperature", wanted.temperature), ("top_p", wanted.top_p)):
            if value is not None:
                tuning.notes.append(f"{name} left out: not taken together with thinking")
    else:
        warm = tuning.temperature(reasoning=thinks, most=1.0)
        fields = {"temperature": warm, "top_p": tuning.top_p(reasoning=thinks, beside=warm)}
    fields["stop_sequences"] = tuning.stop(STOPS["anthropic"]) or None
    return {name: value for name, value in fields.items() if value is not None}


def _thinking(tuning: Tuning, request: Request, model: Model, limit: int) -> dict[str, Any]:
    """`thinking` and `output_config` for what was asked, in the way this model is asked (wire facts §4.8)."""
    asked, traits = request.parameters.reasoning_effort, model.traits
    adaptive: dict[str, Any] = {"thinking": {"type": "adaptive", "display": "summarized"}}
    match traits.thinking:
        case "budget" if asked == "none":
            return {}  # off is what these do when it is not mentioned
        case "budget":
            budget = tuning.budget(limit)
            return {"thinking": {"type": "enabled", "budget_tokens": budget}} if budget else {}
        case "adaptive" if asked == "none":
            return {"thinking": {"type": "disabled"}}
        case "adaptive" if asked is None and traits.default_effort in (None, "none"):
            return {}
        case "adaptive" | "adaptive_always":
            accepted = [effort for effort in traits.efforts if effort != "none"]
            if asked is None or not accepted:
                return adaptive
            return adaptive | {"output_config": {"effort": tuning.nearest(asked, accepted)}}
    tuning.effort()
    return {}


class _Event(Struct, gc=False):
    type: Any = ""
    delta: Any = None
    message: Any = None
    content_block: Any = None
    usage: Any = None
    error: Any = None


_decode = msgspec.json.Decoder(_Event).decode


class AnthropicInterpreter:
    """One answer of the Messages API."""

    def __init__(self, provider: Provider, model: Model) -> None:
        self.speech = Speech(think_tags=model.traits.think_tags)
        self.terminal = False
        self.done = False
        self.fault: EngineError | None = None
        self._provider = provider
        self._counts: dict[str, object] = {}
        self._tools: list[str] = []

    def event(self, name: str, data: bytes) -> None:
        """Keyed on `type` in the data; events of other types are passed over."""
        try:
            event = _decode(data)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            document = loosely(data)
            found = next(iter(objects(document)), None) if isinstance(document, list) else document
            if not isinstance(found, dict):
                return
            event = _Event(**{key: found[key] for key in _Event.__struct_fields__ if key in found})
        match event.type:
            case "content_block_delta":
                self._delta(obj(event.delta))
            case "content_block_start":
                self._block(obj(event.content_block))
            case "message_start":
                self._begin(obj(event.message))
            case "message_delta":
                self._end_of(obj(event.delta), obj(event.usage))
            case "message_stop":
                self.terminal = self.done = True
            case "error":
                raise refusal_of(200, {}, data, self._provider)
            case "message":
                self.whole(loosely(data))
            case _ if event.error or name == "error":
                raise refusal_of(200, {}, data, self._provider)

    def whole(self, document: object) -> None:
        """A message object in one piece."""
        message = next(iter(objects(document)), {}) if isinstance(document, list) else obj(document)
        if message.get("type") != "message":
            raise refusal_of(200, {}, msgspec.json.encode(message), self._provider)
        self._begin(message)
        for block in objects(message.get("content")):
            self._block(block)
        self._end_of(message, obj(message.get("usage")))
        self.terminal = self.done = True

    def mark(self) -> None:
        """`[DONE]` says nothing here."""

    def end(self) -> None:
        """Says what became of tool calls, which nobody asked for."""
        if self._tools:
            self.speech.notes.append(
                f"the model called tools it was not given: {', '.join(self._tools)[:200]}"
            )

    def _begin(self, message: dict[str, Any]) -> None:
        self.speech.model(text(message.get("model")), text(message.get("id")))
        self._count(obj(message.get("usage")))

    def _block(self, block: dict[str, Any]) -> None:
        """Normally empty; some proxies put the beginning (or all) of the text here."""
        match block.get("type"):
            case "text":
                self.speech.say(text(block.get("text")))
            case "thinking":
                if self.speech.thought:
                    self.speech.think("\n\n")
                self.speech.think(text(block.get("thinking")))
            case "tool_use":
                self._tools.append(text(block.get("name")))

    def _delta(self, delta: dict[str, Any]) -> None:
        match delta.get("type"):
            case "text_delta":
                self.speech.say(text(delta.get("text")))
            case "thinking_delta":
                self.speech.think(text(delta.get("thinking")))

    def _count(self, usage: dict[str, Any]) -> None:
        """Cumulative: the last value of each field that is not null holds."""
        self._counts |= {name: value for name, value in usage.items() if value is not None}

    def _end_of(self, delta: dict[str, Any], usage: dict[str, Any]) -> None:
        self._count(usage)
        if count(usage.get("output_tokens")) is not None:
            # Only now: the count of `message_start` is a beginning, not what was used.
            self.speech.usage(usage_of(self._counts))
        raw = text(delta.get("stop_reason"))
        if not raw:
            return
        self.terminal = True
        self.speech.finish(_FINISHES.get(raw, "stop"), raw)
        details = obj(delta.get("stop_details"))
        if why := text(details.get("explanation")) or text(details.get("category")):
            self.speech.notes.append(f"refused: {why[:200]}")


def usage_of(reported: Mapping[str, object]) -> Usage | None:
    """Wire facts §4.7: `input_tokens` is without the cache there, with it here."""
    put, out = count(reported.get("input_tokens")), count(reported.get("output_tokens"))
    thinking = obj(reported.get("output_tokens_details")).get("thinking_tokens")
    extra = (reported.get("cache_read_input_tokens"), reported.get("cache_creation_input_tokens"), thinking)
    cached, written, reasoning = (0 if value is None else count(value) for value in extra)
    if put is None or out is None or cached is None or written is None or reasoning is None:
        return None
    return Usage(
        input_tokens=put + cached + written,
        output_tokens=out,
        cached_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=reasoning,
    )
