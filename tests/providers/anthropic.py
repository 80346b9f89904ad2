"""Anthropic's Messages API on loopback, as strict as the real one (wire.md §4)."""

from __future__ import annotations

import re
from typing import Any, NoReturn

from tests.providers.behaviour import Behaviour, behaviour_named
from tests.providers.server import Event, Loopback, Refused, Reply, Seen, json_reply, sse, words

MODELS = ("claude-sonnet-5-5", "claude-haiku-4-5", "claude-sonnet-4-6")
FIELDS = frozenset(
    {
        "model", "max_tokens", "system", "messages", "stop_sequences", "temperature", "top_p", "top_k", "thinking",
        "output_config", "tools", "tool_choice", "stream", "metadata", "service_tier", "cache_control",
    }
)  # fmt: skip
SAMPLED = re.compile(r"claude-(haiku|sonnet|opus)-4-[56].*")
"""Every other model refuses sampling parameters."""
BUDGETED = re.compile(r"claude-(haiku|sonnet|opus)-4-5.*")
PREFILLED = BUDGETED
ALWAYS_THINKS = re.compile(r"claude-(sonnet|opus)-5-5.*|claude-(fable|mythos)-.*")
KINDS = {
    400: ("invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
    401: ("authentication_error", "invalid x-api-key"),
    402: ("billing_error", "There is a problem with your payment."),
    403: ("permission_error", "Your API key does not have permission to use the specified resource."),
    404: ("not_found_error", "model: unknown"),
    413: ("request_too_large", "Request exceeds the maximum size"),
    429: ("rate_limit_error", "This request would exceed your organization's rate limit."),
    500: ("api_error", "Internal server error"),
    529: ("overloaded_error", "Overloaded"),
}


class Anthropic(Loopback):
    ping = b'event: ping\ndata: {"type": "ping"}\n\n'

    def __init__(
        self,
        behaviour: Behaviour | None = None,
        *,
        key: str = "loopback-key",
        models: tuple[str, ...] = MODELS,
        port: int = 0,
    ) -> None:
        super().__init__(behaviour, key=key, port=port)
        self.models = models

    def answer(self, seen: Seen) -> Reply:
        if seen.path not in ("/v1/models", "/v1/messages"):
            raise Refused(404, _error("not_found_error", "Not found"))
        self._check_headers(seen)
        match seen.method, seen.path:
            case "GET", "/v1/models":
                return self.reply(self.behaviour_for("", "list"), json_reply(self._listed()))
            case "POST", "/v1/messages":
                return self._messages(seen)
        raise Refused(405, _error("invalid_request_error", "Method Not Allowed"))

    def refusal(self, status: int) -> Any:
        return _error(*KINDS.get(status, ("api_error", "Internal server error")))

    def in_band_error(self) -> bytes:
        return sse({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "error")

    def whole(self, model: str, behaviour: Behaviour) -> Any:
        content = [{"type": "text", "text": behaviour.text}]
        return self._message(model, content, _stop_reason(behaviour)) | {
            "usage": self._usage(behaviour, whole=True)
        }

    def _check_headers(self, seen: Seen) -> None:
        key, bearer = seen.headers.get("x-api-key"), seen.headers.get("authorization")
        if key and bearer:
            _refuse("Only one of x-api-key and authorization may be sent")
        if not key and not bearer:
            raise Refused(401, _error("authentication_error", "x-api-key header is required"))
        if key != self.key and bearer != f"Bearer {self.key}":
            raise Refused(401, self.refusal(401), {"request-id": "req_refused"})
        if seen.headers.get("anthropic-version") != "2023-06-01":
            _refuse("anthropic-version: header is required")

    def _messages(self, seen: Seen) -> Reply:
        if not seen.headers.get("content-type", "").startswith("application/json"):
            _refuse("content-type: must be application/json")
        body = seen.body
        self._check(body)
        model = body["model"]
        behaviour = self.behaviour_for(model, "ask")
        headers = {"request-id": f"req_{len(self.seen)}", "content-type": "text/event-stream; charset=utf-8"}
        if not body.get("stream"):
            return self.reply(behaviour, json_reply(self.whole(model, behaviour)), model)
        return self.reply(behaviour, Reply(200, headers, events=self._events(model, behaviour)), model)

    def _check(self, body: dict[str, Any]) -> None:
        for name in ("model", "max_tokens", "messages"):
            if name not in body:
                _refuse(f"{name}: Field required")
        for name in body:
            if name not in FIELDS:
                _refuse(f"{name}: Extra inputs are not permitted")
        model = body["model"]
        if model not in (*self.models, *self.behaviours) and behaviour_named(model, self.behaviour) is None:
            raise Refused(404, _error("not_found_error", f"model: {model}"))
        if not isinstance(body["max_tokens"], int) or body["max_tokens"] < 1:
            _refuse("max_tokens: Input should be greater than or equal to 1")
        self._check_sampling(model, body)
        self._check_thinking(model, body)
        self._check_messages(model, body["messages"])

    def _check_sampling(self, model: str, body: dict[str, Any]) -> None:
        given = [name for name in ("temperature", "top_p", "top_k") if name in body]
        if given and model.startswith("claude") and not SAMPLED.fullmatch(model):
            _refuse(f"`{given[0]}` is deprecated for this model.")
        if "temperature" in body and "top_p" in body:
            _refuse("`temperature` and `top_p` cannot both be specified for this model. Please use only one.")
        if not 0 <= body.get("temperature", 1) <= 1:
            _refuse("temperature: Input should be less than or equal to 1")

        if not 0 <= body.get("top_p", 1) <= 1:
            _refuse("top_p: Input should be less than or equal to 1")
        stops = body.get("stop_sequences", [])
        if not isinstance(stops, list) or not all(isinstance(stop, str) for stop in stops):
            _refuse("stop_sequences: Input should be a valid list")
        if not all(stop.strip() for stop in stops):
            _refuse("stop_sequences: each stop sequence must contain non-whitespace")

    def _check_thinking(self, model: str, body: dict[str, Any]) -> None:
        thinking = body.get(
            "thinking", {"type": "disabled"} if not ALWAYS_THINKS.fullmatch(model) else {"type": "adaptive"}
        )
        match thinking:
            case {"type": "enabled", "budget_tokens": int() as budget}:
                if not BUDGETED.fullmatch(model) and model.startswith("claude") and "4-6" not in model:
                    _refuse('thinking.type: "enabled" is not supported for this model. Use "adaptive".')
                if budget < 1024:
                    _refuse("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
                if budget >= body["max_tokens"]:
                    _refuse("`max_tokens` must be greater than `thinking.budget_tokens`")
                if body.get("top_p", 1) < 0.95:
                    _refuse("`top_p` must be greater than or equal to 0.95 when thinking is enabled.")
                if body.get("temperature", 1) != 1:
                    _refuse("`temperature` may only be set to 1 when thinking is enabled.")
            case {"type": "adaptive"} if BUDGETED.fullmatch(model):
                _refuse("thinking.type: adaptive thinking is not supported on this model")
            case {"type": "disabled"} if ALWAYS_THINKS.fullmatch(model):
                _refuse("thinking.type: thinking cannot be disabled for this model")
            case {"type": "adaptive" | "disabled"}:
                pass
            case _:
                _refuse("thinking: Input does not match any of the expected types")
        if set(body.get("output_config", {})) - {"effort", "format"}:
            _refuse("output_config: Extra inputs are not permitted")
        match body.get("output_config", {}).get("format"):
            case None | {"type": "json_schema", "schema": dict()}:
                pass
            case _:
                _refuse("output_config.format: Input does not match any of the expected types")
        effort = body.get("output_config", {}).get("effort", "high")
        if effort not in ("low", "medium", "high", "xhigh", "max"):
            _refuse("output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'")

    def _check_messages(self, model: str, messages: Any) -> None:
        if not isinstance(messages, list) or not messages:
            _refuse("messages: at least one message is required")
        for place, message in enumerate(messages):
            if message.get("role") not in ("user", "assistant"):
                _refuse(f"messages.{place}.role: Input should be 'user' or 'assistant'")
            blocks = message["content"]
            blocks = [{"type": "text", "text": blocks}] if isinstance(blocks, str) else blocks
            for block in blocks:
                _check_block(place, block)
        if messages[0]["role"] != "user":
            _refuse("messages: first message must use the user role")
        if messages[-1]["role"] == "assistant" and not PREFILLED.fullmatch(model):
            _refuse(
                "This model does not support assistant message prefill. The conversation must end with a user message."
            )

    def _events(self, model: str, behaviour: Behaviour) -> list[Event]:
        start = {
            "type": "message_start",
            "message": self._message(model, [], None) | {"usage": self._usage(behaviour)},
        }
        events = [Event("start", sse(start, "message_start")), Event("start", self.ping)]
        index = 0
        if behaviour.reasoning:
            events += self._block(
                index, {"type": "thinking", "thinking": "", "signature": ""}, "thinking", behaviour.reasoning
            )
            index += 1
        if behaviour.instead != "only_done":
            events += self._block(index, {"type": "text", "text": ""}, "text", behaviour.text)
        delta = {"stop_reason": _stop_reason(behaviour), "stop_sequence": None}
        usage = self._usage(behaviour, whole=True)
        last = {"type": "message_delta", "delta": delta} | ({"usage": usage} if usage else {})
        return [
            *events,
            Event("end", sse(last, "message_delta")),
            Event("end", sse({"type": "message_stop"}, "message_stop")),
        ]

    def _block(self, index: int, block: dict[str, Any], kind: str, text: str) -> list[Event]:
        def delta(change: dict[str, Any]) -> bytes:
            return sse(
                {"type": "content_block_delta", "index": index, "delta": change}, "content_block_delta"
            )

        begun = sse(
            {"type": "content_block_start", "index": index, "content_block": block}, "content_block_start"
        )
        ended = sse({"type": "content_block_stop", "index": index}, "content_block_stop")
        signed = [delta({"type": "signature_delta", "signature": "EqQ="})] if kind == "thinking" else []
        return [
            Event("start", begun),
            *(Event("delta", delta({"type": f"{kind}_delta", kind: word})) for word in words(text)),
            *(Event("delta", data) for data in signed),
            Event("end" if kind == "text" else "delta", ended),
        ]

    def _message(self, model: str, content: list[Any], stop_reason: str | None) -> dict[str, Any]:
        return {
            "id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": content,
            "stop_reason": stop_reason, "stop_sequence": None,
        }  # fmt: skip

    def _usage(self, behaviour: Behaviour, *, whole: bool = False) -> dict[str, Any]:
        if not behaviour.usage:
            return {}
        thought = len(words(behaviour.reasoning))
        said = {
            "output_tokens": thought + len(words(behaviour.text)),
            "output_tokens_details": {"thinking_tokens": thought},
        }
        asked = {"input_tokens": 5, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 4}
        return asked | (said if whole else {"output_tokens": 1})

    def _listed(self) -> Any:
        supported = {"supported": True}
        rows = [
            {
                "type": "model", "id": id, "display_name": id, "created_at": "2026-09-01T00:00:00Z",
                "lifecycle": "active", "deprecated_at": None, "retires_at": None,
                "max_input_tokens": 200000, "max_tokens": 64000,
                "capabilities": {"image_input": supported},
            }
            for id in self.models
        ]  # fmt: skip
        return {"data": rows, "first_id": rows[0]["id"], "last_id": rows[-1]["id"], "has_more": False}


def _stop_reason(behaviour: Behaviour) -> str:
    return {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}[behaviour.finish]


def _check_block(place: int, block: Any) -> None:
    match block:
        case {"type": "text", "text": str() as text}:
            if not text:
                _refuse(f"messages.{place}.content.0: text content blocks must be non-empty")
        case {"type": "image", "source": {"type": "base64", "media_type": str() as kind, "data": str()}}:
            if kind not in ("image/png", "image/jpeg", "image/gif", "image/webp"):
                _refuse(
                    f"messages.{place}.content.0.image.source.base64.media_type: Input should be 'image/png', …"
                )
        case _:
            _refuse(f"messages.{place}.content.0: Input tag does not match any of the expected tags")


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_body"}


def _refuse(message: str) -> NoReturn:
    raise Refused(400, _error("invalid_request_error", message))
