"""OpenAI's Chat Completions, and everybody who speaks it: requests, and the stream they send back.

Wire facts §3.5, §3.6, §3.9, §6 to §9, §11. What one provider does differently is keyed on its id;
unknown hosts get the plainest request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vibedesk.engine.dialects import listing
from vibedesk.engine.dialects.chat_stream import ChatInterpreter, around_words
from vibedesk.engine.dialects.decoding import StreamDecoder
from vibedesk.engine.dialects.protocol import Call, Decoder
from vibedesk.engine.dialects.refusal import refusal_of
from vibedesk.engine.dialects.schema import named, schema_of
from vibedesk.engine.dialects.taken import STOPS, limit_by_default
from vibedesk.engine.dialects.tuning import Tuning
from vibedesk.engine.dialects.turns import data_url, turns_of
from vibedesk.engine.errors import EngineError
from vibedesk.engine.types import DialectName, Image, Message, Model, Provider, Request, Secret

_WHY_A_LIMIT = {
    "cerebras": "counts the limit against the quota beforehand",
    "together": "stops early without one",
}
"""Providers that are better asked with a limit, and why."""

_NO_STREAM_OPTIONS = {"mistral"}
"""Send usage unasked and refuse fields they do not know."""


class OpenAIChat:
    """The dialect `openai-chat`."""

    name: DialectName = "openai-chat"

    def ask(self, request: Request, model: Model, provider: Provider) -> Call:
        """POST /chat/completions."""
        turns = turns_of(request, model)
        tuning = Tuning(request, model)
        messages = [*_system(request, model, provider), *map(_message, turns)]
        if provider.id == "mistral" and messages[-1]["role"] == "assistant":
            messages[-1]["prefix"] = True
        body = {"model": model.id, "messages": messages, **_limits(tuning, model, provider)}
        effort = tuning.effort()
        body |= _reasoning(effort, model, provider)
        body |= _sampling(tuning, provider, reasoning=tuning.reasons(effort))
        schema = schema_of(request, model)
        if schema is not None:
            body["response_format"] = {"type": "json_schema", "json_schema": _schema(schema, model, provider)}
        return Call(
            method="POST",
            path="/chat/completions",
            body=body | _streaming(model, provider),
            notes=tuple(tuning.notes),
        )

    def authorise(self, secret: Secret) -> dict[str, str]:
        """A bearer token."""
        return {"Authorization": f"Bearer {secret.reveal()}"}

    def list_models(self, provider: Provider) -> Call:
        """GET /models."""
        return Call(method="GET", path="/models")

    def read_models(self, payload: bytes, provider: Provider) -> tuple[Model, ...]:
        """`{data:[…]}`, `{models:[…]}` or a bare array."""
        return listing.read_openai_style(payload, provider)

    def decoder(self, provider: Provider, model: Model, content_type: str) -> Decoder:
        """For one answer."""
        return StreamDecoder(ChatInterpreter(provider, model), provider, content_type, around_words)

    def refusal(
        self, status: int, headers: Mapping[str, str], body: bytes, provider: Provider
    ) -> EngineError:
        """See `refusal.refusal_of`."""
        return refusal_of(status, headers, body, provider)


def _system(request: Request, model: Model, provider: Provider) -> list[dict[str, Any]]:
    if not request.system.strip():
        return []
    # OpenAI's reasoning models know the role as "developer"; everybody else only as "system".
    role = "developer" if provider.id == "openai" and model.traits.efforts else "system"
    return [{"role": role, "content": request.system}]


def _message(message: Message) -> dict[str, Any]:
    if message.role == "assistant" or not any(isinstance(part, Image) for part in message.parts):
        return {"role": message.role, "content": message.text}
    parts: list[dict[str, Any]] = [
        {"type": "image_url", "image_url": {"url": data_url(part)}}
        if isinstance(part, Image)
        else {"type": "text", "text": part.text}
        for part in message.parts
    ]
    return {"role": message.role, "content": parts}


def _limits(tuning: Tuning, model: Model, provider: Provider) -> dict[str, Any]:
    limit = tuning.max_tokens()
    if limit is None and provider.id in _WHY_A_LIMIT:
        limit = limit_by_default(model, provider)
        tuning.notes.append(f"max tokens set to {limit}: {provider.name} {_WHY_A_LIMIT[provider.id]}")
    return {} if limit is None else {model.traits.max_tokens_field: limit}


def _sampling(tuning: Tuning, provider: Provider, *, reasoning: bool) -> dict[str, Any]:
    fields = {
        "temperature": tuning.temperature(reasoning=reasoning),
        "top_p": tuning.top_p(reasoning=reasoning),
        "stop": tuning.stop(STOPS["openai-chat"]) or None,
        "random_seed" if provider.id == "mistral" else "seed": tuning.seed(),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _schema(schema: dict[str, Any], model: Model, provider: Provider) -> dict[str, Any]:
    asked = named(schema)
    if provider.id == "groq" and "gpt-oss" not in model.id:  # the others refuse strict mode
        asked.pop("strict", None)
    return asked


def _reasoning(effort: str | None, model: Model, provider: Provider) -> dict[str, Any]:
    body: dict[str, Any] = {}
    match model.traits.reasoning_format:
        case "include_reasoning":
            body["include_reasoning"] = True
        case str() as form:
            body["reasoning_format"] = form
    if effort is None:
        return body
    match provider.id:
        case "openrouter":
            body["reasoning"] = {"effort": effort}
        case "together" if effort == "none":
            body["reasoning"] = {"enabled": False}
        case "deepseek":
            body["thinking"] = {"type": "disabled" if effort == "none" else "enabled"}
            if effort != "none":
                body["reasoning_effort"] = effort
        case _:
            body["reasoning_effort"] = effort
    return body


def _streaming(model: Model, provider: Provider) -> dict[str, Any]:
    if not model.traits.streams:
        return {"stream": False}
    if provider.id in _NO_STREAM_OPTIONS:
        return {"stream": True}
    options = {"include_usage": True}
    if provider.id == "openai":
        options["include_obfuscation"] = False
    return {"stream": True, "stream_options": options}
