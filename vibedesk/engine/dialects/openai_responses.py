"""OpenAI's Responses API: the request, and its stream of typed events (wire facts §3.7, §3.8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from vibedesk.engine import errors
from vibedesk.engine.dialects import listing
from vibedesk.engine.dialects.decoding import StreamDecoder
from vibedesk.engine.dialects.lenient import count, loosely, obj, objects, text
from vibedesk.engine.dialects.protocol import Call, Decoder
from vibedesk.engine.dialects.refusal import refusal_of
from vibedesk.engine.dialects.schema import named, schema_of
from vibedesk.engine.dialects.speech import Speech
from vibedesk.engine.dialects.tuning import Tuning
from vibedesk.engine.dialects.turns import data_url, turns_of
from vibedesk.engine.errors import EngineError
from vibedesk.engine.types import DialectName, Image, Message, Model, Provider, Request, Secret, Text, Usage

_LEAST_OUTPUT = 16
"""`max_output_tokens` below it is refused."""


class OpenAIResponses:
    """The dialect `openai-responses`. Nothing is stored at the provider."""

    name: DialectName = "openai-responses"

    def ask(self, request: Request, model: Model, provider: Provider) -> Call:
        """POST /responses."""
        turns = turns_of(request, model)
        tuning = Tuning(request, model)
        body: dict[str, Any] = {"model": model.id, "input": [_item(turn) for turn in turns], "store": False}
        if request.system.strip():
            body["instructions"] = request.system
        limit = tuning.max_tokens(least=_LEAST_OUTPUT)
        if limit is not None:
            body["max_output_tokens"] = limit
        effort = tuning.effort()
        if model.traits.efforts or "reasoning" in model.capabilities:
            body["reasoning"] = {"summary": "auto"} | ({"effort": effort} if effort else {})
            body["include"] = ["reasoning.encrypted_content"]
        reasoning = tuning.reasons(effort)
        temperature, top_p = tuning.temperature(reasoning=reasoning), tuning.top_p(reasoning=reasoning)
        if temperature is not None:
            body["temperature"] = temperature
        if top_p is not None:
            body["top_p"] = top_p
        tuning.stop(0)
        tuning.seed(taken=False)
        schema = schema_of(request, model)
        if schema is not None:
            body["text"] = {"format": {"type": "json_schema"} | named(schema)}
        body["stream"] = model.traits.streams
        if model.traits.streams and provider.id == "openai":
            body["stream_options"] = {"include_obfuscation": False}
        return Call(method="POST", path="/responses", body=body, notes=tuple(tuning.notes))

    def authorise(self, secret: Secret) -> dict[str, str]:
        """A bearer token."""
        return {"Authorization": f"Bearer {secret.reveal()}"}

    def list_models(self, provider: Provider) -> Call:
        """GET /models."""
        return Call(method="GET", path="/models")

    def read_models(self, payload: bytes, provider: Provider) -> tuple[Model, ...]:
        """The same list as of Chat Completions."""
        return listing.read_openai_style(payload, provider)

    def decoder(self, provider: Provider, model: Model, content_type: str) -> Decoder:
        """For one answer."""
        return StreamDecoder(ResponsesInterpreter(provider, model), provider, content_type)

    def refusal(
        self, status: int, headers: Mapping[str, str], body: bytes, provider: Provider
    ) -> EngineError:
        """See `refusal.refusal_of`."""
        return refusal_of(status, headers, body, provider)


def _item(message: Message) -> dict[str, Any]:
    kind = "input_text" if message.role == "user" else "output_text"
    parts: list[dict[str, Any]] = []
    for part in message.parts:
        match part:
            case Text(text=said):
                parts.append({"type": kind, "text": said})
            case Image() if message.role == "user":
                parts.append({"type": "input_image", "image_url": data_url(part), "detail": "auto"})
    return {"role": message.role, "content": parts}


class _Event(Struct, gc=False):
    type: Any = ""
    delta: Any = None
    response: Any = None
    item: Any = None
    summary_index: Any = None
    error: Any = None
    object: Any = None


_decode = msgspec.json.Decoder(_Event).decode


class ResponsesInterpreter:
    """One answer of the Responses API."""

    def __init__(self, provider: Provider, model: Model) -> None:
        self.speech = Speech(think_tags=model.traits.think_tags)
        self.terminal = False
        self.done = False
        self.fault: EngineError | None = None
        self._provider = provider
        self._said: list[str] = []
        self._messages = 0
        self._refused = False
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
        delta = event.delta
        match event.type:
            case "response.output_text.delta" if isinstance(delta, str):
                self._say(delta)
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" if isinstance(
                delta, str
            ):
                self.speech.think(delta)
            case "response.refusal.delta" if isinstance(delta, str):
                self._refused = True
                self._say(delta)
            case "response.reasoning_summary_part.added" if event.summary_index:
                self.speech.think("\n\n")
            case "response.output_item.added":
                self._item(obj(event.item))
            case "response.created" | "response.in_progress":
                response = obj(event.response)
                self.speech.model(text(response.get("model")), text(response.get("id")))
            case "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled":
                self._end_of(obj(event.response), event.type.rpartition(".")[2])
            case "error":
                raise refusal_of(200, {}, data, self._provider)
            case _ if event.object == "response":
                self.whole(loosely(data))
            case _ if event.error or name == "error":
                raise refusal_of(200, {}, data, self._provider)

    def whole(self, document: object) -> None:
        """A response object in one piece."""
        response = next(iter(objects(document)), {}) if isinstance(document, list) else obj(document)
        if response.get("error") or response.get("object") != "response":
            raise refusal_of(200, {}, msgspec.json.encode(response), self._provider)
        self.speech.model(text(response.get("model")), text(response.get("id")))
        self._end_of(response, text(response.get("status")))

    def mark(self) -> None:
        """`[DONE]` says nothing here."""

    def end(self) -> None:
        """Says what became of tool calls, which nobody asked for."""
        if self._tools:
            self.speech.notes.append(
                f"the model called tools it was not given: {', '.join(self._tools)[:200]}"
            )

    def _say(self, delta: str) -> None:
        self._said.append(delta)
        self.speech.say(delta)

    def _item(self, item: dict[str, Any]) -> None:
        match item.get("type"):
            case "message":
                self._messages += 1
                if self._said:
                    self._say("\n\n")
            case "function_call" | "custom_tool_call":
                self._tools.append(text(item.get("name")))

    def _end_of(self, response: dict[str, Any], status: str) -> None:
        self.speech.model(text(response.get("model")), text(response.get("id")))
        self._fill(objects(response.get("output")))
        self.speech.usage(usage_of(obj(response.get("usage"))))
        self.terminal = self.done = True
        match status:
            case "completed":
                self.speech.finish(*self._natural_end())
            case "incomplete":
                raw = text(obj(response.get("incomplete_details")).get("reason")) or "incomplete"
                self.speech.finish("content_filter" if raw == "content_filter" else "length", raw)
            case "failed":
                error = obj(response.get("error"))
                raise refusal_of(200, {}, msgspec.json.encode({"error": error}), self._provider)
            case _:
                raise errors.ServerError(
                    f"the response was {status}", provider=self._provider.id, status=200, code=status
                )

    def _natural_end(self) -> tuple[Any, str]:
        if self._refused:
            return "content_filter", "refusal"
        return ("tool_call", "function_call") if self._tools and not self._said else ("stop", "completed")

    def _fill(self, output: list[dict[str, Any]]) -> None:
        """Text that was not streamed stands in the final object: cached, background and unstreamed answers."""
        messages, reasoning = [], []
        for item in output:
            parts = [*objects(item.get("content")), *objects(item.get("summary"))]
            if item.get("type") == "message":
                messages.append(
                    "".join(text(part.get("text")) or text(part.get("refusal")) for part in parts)
                )
                self._refused |= any(part.get("type") == "refusal" for part in parts)
            elif item.get("type") == "reasoning":
                reasoning += [text(part.get("text")) for part in parts]
            elif item.get("type") == "function_call" and text(item.get("name")) not in self._tools:
                self._tools.append(text(item.get("name")))
        if not self.speech.thought:
            self.speech.think("\n\n".join(filter(None, reasoning)))
        full, said = "\n\n".join(filter(None, messages)), "".join(self._said)
        if not said and full:
            self._said.append(full)
            self.speech.say_whole(full)
        elif full.startswith(said):
            self._say(full[len(said) :])


def usage_of(reported: dict[str, Any]) -> Usage | None:
    """Wire facts §11.5. None when a number is missing or impossible."""
    put, out = count(reported.get("input_tokens")), count(reported.get("output_tokens"))
    inside, made = obj(reported.get("input_tokens_details")), obj(reported.get("output_tokens_details"))
    extra = [inside.get("cached_tokens"), inside.get("cache_write_tokens"), made.get("reasoning_tokens")]
    cached, written, reasoning = (0 if value is None else count(value) for value in extra)
    if put is None or out is None or cached is None or written is None or reasoning is None or cached > put:
        return None
    return Usage(
        input_tokens=put,
        output_tokens=out,
        cached_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=reasoning,
    )
