"""Google's Gemini API, generateContent with `alt=sse`: the request and its stream (wire facts §5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from vibedesk.engine import errors
from vibedesk.engine.dialects import listing
from vibedesk.engine.dialects.decoding import StreamDecoder
from vibedesk.engine.dialects.lenient import count, loads, obj, objects, text
from vibedesk.engine.dialects.protocol import Call, Decoder
from vibedesk.engine.dialects.refusal import refusal_of
from vibedesk.engine.dialects.schema import schema_of
from vibedesk.engine.dialects.speech import Speech
from vibedesk.engine.dialects.taken import STOPS
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

_FINISHES: dict[str, FinishReason] = {
    "STOP": "stop", "MAX_TOKENS": "length", "CONTINUATION": "length",
    **dict.fromkeys(
        ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "IMAGE_SAFETY",
         "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "IMAGE_OTHER", "LANGUAGE"),
        "content_filter",
    ),
    **dict.fromkeys(
        ("MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "OTHER", "UNEXPECTED_TOOL_CALL",
        "TOO_MANY_TOOL_CALLS",
         "MISSING_THOUGHT_SIGNATURE", "ESCALATION", "NO_IMAGE"),
        "error",
    ),
}  # fmt: skip


class Gemini:
    """The dialect `gemini`. The key travels in a header, never in the address."""

    name: DialectName = "gemini"

    def ask(self, request: Request, model: Model, provider: Provider) -> Call:
        """POST /models/{model}:streamGenerateContent?alt=sse."""
        turns = turns_of(request, model)
        refuse_prefill(turns, model)
        tuning = Tuning(request, model)
        body: dict[str, Any] = {"contents": [_content(turn) for turn in turns]}
        if request.system.strip():
            body["systemInstruction"] = {"parts": [{"text": request.system}]}
        config: dict[str, Any] = {}
        limit = tuning.max_tokens()
        if limit is not None:
            config["maxOutputTokens"] = limit
        thinking = _thinking(tuning, request, model, limit)
        if thinking:
            config["thinkingConfig"] = thinking
        config |= _sampling(tuning, reasoning=thinking.get("thinkingBudget") != 0)
        schema = schema_of(request, model)
        if schema is not None:
            config |= {"responseMimeType": "application/json", "responseJsonSchema": schema}
        if config:
            body["generationConfig"] = config
        name = quote(model.id.removeprefix("models/"), safe="/")
        path = _path(provider, f"models/{name}:streamGenerateContent?alt=sse")
        return Call(method="POST", path=path, body=body, notes=tuple(tuning.notes))

    def authorise(self, secret: Secret) -> dict[str, str]:
        """Their own header; two credentials at once are refused."""
        return {"x-goog-api-key": secret.reveal()}

    def list_models(self, provider: Provider) -> Call:
        """GET /models, all in one page."""
        return Call(method="GET", path=_path(provider, "models?pageSize=1000"))

    def read_models(self, payload: bytes, provider: Provider) -> tuple[Model, ...]:
        """Those that generate content, and text."""
        return listing.read_gemini(payload, provider)

    def decoder(self, provider: Provider, model: Model, content_type: str) -> Decoder:
        """For one answer."""
        return StreamDecoder(GeminiInterpreter(provider, model), provider, content_type)

    def refusal(
        self, status: int, headers: Mapping[str, str], body: bytes, provider: Provider
    ) -> EngineError:
        """See `refusal.refusal_of`."""
        return refusal_of(status, headers, body, provider)


def _path(provider: Provider, rest: str) -> str:
    versioned = provider.base_url.rpartition("/")[2].startswith("v1")
    return f"/{rest}" if versioned else f"/v1beta/{rest}"


def _content(message: Message) -> dict[str, Any]:
    role = "user" if message.role == "user" else "model"
    return {"role": role, "parts": [_part(part) for part in message.parts]}


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, Image):
        return {"inlineData": {"mimeType": part.media_type, "data": base64_of(part)}}
    return {"text": part.text}


def _sampling(tuning: Tuning, *, reasoning: bool) -> dict[str, Any]:
    fields = {
        "temperature": tuning.temperature(reasoning=reasoning),
        "topP": tuning.top_p(reasoning=reasoning),
        "stopSequences": tuning.stop(STOPS["gemini"]) or None,
        "seed": tuning.seed(),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _thinking(tuning: Tuning, request: Request, model: Model, limit: int | None) -> dict[str, Any]:
    """A budget for 2.5, a level for 3 and later, never both (refused)."""
    traits = model.traits
    match traits.thinking:
        case "budget":
            budget = tuning.budget(limit, least=0)
            if budget == 0:
                return {"thinkingBudget": 0}
            if budget is not None:
                return {"includeThoughts": True, "thinkingBudget": budget}
            return {} if traits.default_effort == "none" else {"includeThoughts": True}
        case "level":
            effort = tuning.effort()
            return {"includeThoughts": True} | ({"thinkingLevel": effort.upper()} if effort else {})
    tuning.effort()
    return {}


class GeminiInterpreter:
    """One answer of generateContent: every event is a whole response with the new parts."""

    def __init__(self, provider: Provider, model: Model) -> None:
        self.speech = Speech(think_tags=model.traits.think_tags)
        self.terminal = False
        self.done = False
        self.fault: EngineError | None = None
        self._provider = provider
        self._tools: list[str] = []

    def event(self, name: str, data: bytes) -> None:
        """One response, or a growing array of them (when `alt=sse` was lost on the way)."""
        document = loads(data)
        for response in objects(document) or [obj(document)]:
            if name == "error" or response.get("error"):
                raise refusal_of(200, {}, data, self._provider)
            self._response(response)

    def whole(self, document: object) -> None:
        """The same, as one document."""
        responses = objects(document) or [obj(document)]
        for response in responses:
            if (
                response.get("error")
                or not {"candidates", "promptFeedback", "usageMetadata"} & response.keys()
            ):
                raise refusal_of(200, {}, msgspec.json.encode(response), self._provider)
            self._response(response)

    def mark(self) -> None:
        """`[DONE]` is not part of it; tolerated."""

    def end(self) -> None:
        """Says what became of tool calls, which nobody asked for."""
        if self._tools:
            self.speech.notes.append(
                f"the model called tools it was not given: {', '.join(self._tools)[:200]}"
            )

    def _response(self, response: dict[str, Any]) -> None:
        self.speech.model(text(response.get("modelVersion")), text(response.get("responseId")))
        candidates = objects(response.get("candidates"))
        for candidate in candidates[:1]:
            for part in objects(obj(candidate.get("content")).get("parts")):
                self._part(part)
        if reported := obj(response.get("usageMetadata")):
            self.speech.usage(usage_of(reported))
        for candidate in candidates[:1]:
            self._finish(text(candidate.get("finishReason")), text(candidate.get("finishMessage")))
        if blocked := text(obj(response.get("promptFeedback")).get("blockReason")):
            self.terminal = True
            self.speech.finish("content_filter", blocked)

    def _part(self, part: dict[str, Any]) -> None:
        if "functionCall" in part:
            self._tools.append(text(obj(part["functionCall"]).get("name")))
        said = text(part.get("text"))
        if said and part.get("thought") is True:
            self.speech.think(said)
        elif said:
            self.speech.say(said)

    def _finish(self, raw: str, why: str) -> None:
        if not raw or raw == "FINISH_REASON_UNSPECIFIED":
            return
        self.terminal = True
        reason = _FINISHES.get(raw, "stop")
        if reason == "stop" and self._tools:
            reason = "tool_call"
        self.speech.finish(reason, raw)
        if why:
            self.speech.notes.append(f"{raw}: {why[:200]}")
        if reason == "error":
            self.fault = errors.ServerError(
                "the answer ended with an error",
                provider=self._provider.id,
                status=200,
                code=raw,
                provider_message=why[:300],
            )


def usage_of(reported: dict[str, Any]) -> Usage | None:
    """Wire facts §5.7: the prompt includes what was cached, the candidates exclude the thoughts."""
    names = (
        "toolUsePromptTokenCount",
        "candidatesTokenCount",
        "thoughtsTokenCount",
        "cachedContentTokenCount",
    )
    put = count(reported.get("promptTokenCount"))
    tools, said, thought, cached = (0 if (v := reported.get(name)) is None else count(v) for name in names)
    if put is None or tools is None or said is None or thought is None or cached is None or cached > put:
        return None
    return Usage(
        input_tokens=put + tools, output_tokens=said + thought, cached_tokens=cached, reasoning_tokens=thought
    )
