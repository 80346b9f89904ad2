"""The Responses API of the loopback OpenAI: what it takes and what it streams (wire.md §3.7, §3.8)."""

from __future__ import annotations

from typing import Any

from tests.providers.behaviour import Behaviour
from tests.providers.held import named_fault
from tests.providers.server import Event, sse, words

FIELDS = frozenset(
    {
        "model", "input", "instructions", "max_output_tokens", "reasoning", "text", "tools", "tool_choice", "store",
        "previous_response_id", "include", "temperature", "top_p", "truncation", "stream", "stream_options",
        "service_tier", "metadata", "prompt_cache_key", "safety_identifier", "parallel_tool_calls",
    }
)  # fmt: skip
PARTS = {"user": ("input_text", "input_image"), "assistant": ("output_text",)}


def check_responses(body: dict[str, Any]) -> tuple[str, str, str] | None:
    """Message, parameter and code of the first thing wrong with a request; None = nothing."""
    for name, value in body.items():
        if name not in FIELDS:
            return f"Unknown parameter: '{name}'.", name, "unknown_parameter"
        if value is None:
            return f"Invalid type for '{name}'.", name, "invalid_type"
    if body.get("max_output_tokens", 16) < 16:
        return (
            "Invalid 'max_output_tokens': integer below minimum value.",
            "max_output_tokens",
            "integer_below_min_value",
        )
    if set(body.get("stream_options", {})) - {"include_obfuscation"}:
        return (
            "Unknown parameter: 'stream_options.include_usage'.",
            "stream_options.include_usage",
            "unknown_parameter",
        )
    top_p = body.get("top_p", 1)
    if not isinstance(top_p, int | float) or not 0 <= top_p <= 1:
        return "Invalid 'top_p'.", "top_p", "decimal_above_max_value"
    if wrong := _text_fault(body.get("text", {})):
        return wrong, "text.format", "invalid_value"
    if set(body.get("reasoning", {})) - {"effort", "summary", "context", "mode"}:
        return "Unknown parameter in 'reasoning'.", "reasoning", "unknown_parameter"
    return _check_input(body.get("input"))


def _text_fault(words: Any) -> str | None:
    if set(words) - {"format", "verbosity"}:
        return "Unknown parameter in 'text'."
    match words.get("format"):
        case None | {"type": "text" | "json_object"}:
            return None
        case {"type": "json_schema", **held}:
            return named_fault(held, "text.format")
    return "Invalid value for 'text.format'."


def _check_input(items: Any) -> tuple[str, str, str] | None:
    if isinstance(items, str) and items:
        return None
    if not isinstance(items, list) or not items:
        return "Missing required parameter: 'input'.", "input", "missing_required_parameter"
    for place, item in enumerate(items):
        content = item.get("content")
        kinds = PARTS.get(item.get("role"), ("input_text",))
        if isinstance(content, str):
            continue
        for part in content:
            if part.get("type") not in kinds:
                return f"Invalid value: '{part.get('type')}'.", f"input[{place}].content", "invalid_value"
            if part["type"] == "input_image" and not str(part.get("image_url")).startswith(
                ("https://", "data:image/")
            ):
                return "Invalid image_url.", f"input[{place}].content", "invalid_image_url"
    return None


def response_object(model: str, behaviour: Behaviour) -> dict[str, Any]:
    """The whole response, as `response.completed` carries it."""
    thought = len(words(behaviour.reasoning))
    output: list[dict[str, Any]] = []
    if behaviour.reasoning:
        summary = [{"type": "summary_text", "text": behaviour.reasoning}]
        output.append({"type": "reasoning", "id": "rs_1", "summary": summary})
    if behaviour.instead != "only_done":
        part = {"type": "output_text", "text": behaviour.text, "annotations": []}
        output.append(
            {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}
        )
    complete = behaviour.finish == "stop"
    reason = {"length": "max_output_tokens"}.get(behaviour.finish, behaviour.finish)
    said = len(words(behaviour.text))
    usage = {
        "input_tokens": 9,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens": thought + said,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": 9 + thought + said,
    }
    return {
        "id": "resp_1",
        "object": "response",
        "model": model,
        "status": "completed" if complete else "incomplete",
        "incomplete_details": None if complete else {"reason": reason},
        "error": None,
        "output": output,
        "usage": usage if behaviour.usage else None,
    }


def response_events(model: str, behaviour: Behaviour) -> list[Event]:
    """Created, reasoning summary, text, completed; every event numbered."""
    events: list[Event] = []

    def add(kind: Any, name: str, **fields: Any) -> None:
        data = {"type": name, "sequence_number": len(events), **fields}
        events.append(Event(kind, sse(data, name)))

    begun = {"id": "resp_1", "object": "response", "model": model, "status": "in_progress", "output": []}
    add("start", "response.created", response=begun)
    add("start", "response.in_progress", response=begun)
    if behaviour.reasoning:
        add(
            "start",
            "response.output_item.added",
            output_index=0,
            item={"type": "reasoning", "id": "rs_1", "summary": []},
        )
        for word in words(behaviour.reasoning):
            add(
                "delta",
                "response.reasoning_summary_text.delta",
                item_id="rs_1",
                output_index=0,
                summary_index=0,
                delta=word,
            )
        add(
            "delta",
            "response.reasoning_summary_text.done",
            item_id="rs_1",
            output_index=0,
            text=behaviour.reasoning,
        )
    if behaviour.instead != "only_done":
        item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "in_progress", "content": []}
        add("start", "response.output_item.added", output_index=1, item=item)
        for word in words(behaviour.text):
            add(
                "delta",
                "response.output_text.delta",
                item_id="msg_1",
                output_index=1,
                content_index=0,
                delta=word,
            )
        add(
            "end",
            "response.output_text.done",
            item_id="msg_1",
            output_index=1,
            content_index=0,
            text=behaviour.text,
        )
    last = "response.completed" if behaviour.finish == "stop" else "response.incomplete"
    add("end", last, response=response_object(model, behaviour))
    return events
