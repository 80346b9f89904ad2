"""The stream of Chat Completions, in all the variants its many speakers send (wire facts §3.6, §6.4, §7.4,
§8.3, §9)."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct

from vibedesk.engine import errors
from vibedesk.engine.dialects.lenient import count, dollars, loosely, obj, objects, text
from vibedesk.engine.dialects.refusal import refusal_of
from vibedesk.engine.dialects.speech import Speech
from vibedesk.engine.dialects.toolcalls import ToolCalls
from vibedesk.engine.errors import EngineError
from vibedesk.engine.types import FinishReason, Model, Provider, Usage

_FINISHES: dict[str, FinishReason] = {
    "stop": "stop",
    "eos": "stop",
    "length": "length",
    "model_length": "length",
    "max_tokens": "length",
    "tool_calls": "tool_call",
    "function_call": "tool_call",
    "content_filter": "content_filter",
    "error": "error",
    "insufficient_system_resource": "error",
}


class _Delta(Struct, gc=False):
    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    reasoning_details: Any = None
    thinking: Any = None
    refusal: Any = None
    tool_calls: Any = None


class _Choice(Struct, gc=False):
    delta: _Delta | None = None
    finish_reason: Any = None
    message: Any = None
    text: Any = None


class _Chunk(Struct, gc=False):
    choices: list[_Choice] | None = None
    usage: Any = None
    error: Any = None
    id: Any = None
    model: Any = None
    x_groq: Any = None
    message: Any = None
    done: Any = None
    done_reason: Any = None
    prompt_eval_count: Any = None
    eval_count: Any = None


_decode = msgspec.json.Decoder(_Chunk).decode


class ChatInterpreter:
    """One answer of an OpenAI-like host."""

    def __init__(self, provider: Provider, model: Model) -> None:
        self.speech = Speech(think_tags=model.traits.think_tags)
        self.terminal = False
        self.done = False
        self.fault: EngineError | None = None
        self._provider = provider
        self._named = False
        self._streamed = False
        self._refused = False
        self._tools = ToolCalls()

    def event(self, name: str, data: bytes) -> None:
        """One `data:`. The typed reader takes nearly all; what it refuses is looked at the slow way."""
        try:
            chunk = _decode(data)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            slow = _lenient_chunk(loosely(data))
            if slow is None:
                return
            chunk = slow
        self._chunk(chunk)
        if name == "error" or chunk.error:
            self._raise_if_error(name, chunk, data)

    def whole(self, document: object) -> None:
        """A full completion, an error object, or either in an array."""
        for item in objects(document) or [obj(document)]:
            chunk = _lenient_chunk(item)
            if chunk is not None:
                self._chunk(chunk)
            if chunk is None or item.get("error") or not (chunk.choices or chunk.done):
                raise refusal_of(200, {}, msgspec.json.encode(_plain(item)), self._provider)
            # A body that came whole has no end to wait for; a null finish reason in it is a proxy's
            # carelessness.
            self.terminal = True

    def mark(self) -> None:
        """`[DONE]`."""
        self.terminal = True
        self.done = True

    def end(self) -> None:
        """Says what became of tool calls, which nobody asked for."""
        if wanted := self._tools.described():
            self.speech.notes.append(f"the model called tools it was not given: {wanted}")

    def _chunk(self, chunk: _Chunk) -> None:
        if not self._named:
            self._name(chunk)
        for choice in chunk.choices or ():
            delta = choice.delta
            if delta is not None:
                self._delta(delta)
            elif choice.message and not self._streamed:
                self._message(obj(choice.message))
            elif choice.text and isinstance(choice.text, str):
                self.speech.say(choice.text)
            if choice.finish_reason:
                self._finish(choice.finish_reason)
        if chunk.usage or chunk.x_groq:
            self._usage(chunk)
        if chunk.done is not None and not chunk.choices:
            self._ollama(chunk)

    def _name(self, chunk: _Chunk) -> None:
        if isinstance(chunk.model, str) and chunk.model:
            self._named = True
            self.speech.model(chunk.model, text(obj(chunk.x_groq).get("id")) or text(chunk.id))

    def _delta(self, delta: _Delta) -> None:
        if delta.reasoning_content or delta.reasoning or delta.reasoning_details or delta.thinking:
            self._think(delta)
        content = delta.content
        if content:
            self._streamed = True
            if isinstance(content, str):
                self.speech.say(content)
            else:
                self._content_list(content)
        if delta.refusal and isinstance(delta.refusal, str):
            self._refused = self._streamed = True
            self.speech.say(delta.refusal)
        if delta.tool_calls:
            self._tools.feed(delta.tool_calls)

    def _think(self, delta: _Delta) -> None:
        for said in (delta.reasoning_content, delta.reasoning, delta.thinking):
            if said and isinstance(said, str):
                self._streamed = True
                self.speech.think(said)
                return
        for detail in objects(delta.reasoning_details):
            self.speech.think(text(detail.get("text")) or text(detail.get("summary")))

    def _content_list(self, content: object) -> None:
        """Mistral: `[{type: thinking, thinking: [{text}]}, {type: text, text}]`."""
        for item in content if isinstance(content, list) else ():
            if isinstance(item, str):
                self.speech.say(item)
            elif isinstance(item, dict) and item.get("type") == "thinking":
                inner = item.get("thinking")
                self.speech.think(text(inner) or "".join(text(part.get("text")) for part in objects(inner)))
            elif isinstance(item, dict):
                self.speech.say(text(item.get("text")))

    def _message(self, message: dict[str, Any]) -> None:
        """A whole message where deltas were expected."""
        delta = msgspec.convert({k: message.get(k) for k in _Delta.__struct_fields__}, _Delta)
        content, delta.content = delta.content, None
        self._delta(delta)
        if isinstance(content, str):
            self.speech.say_whole(content)
        else:
            self._content_list(content)
        self._streamed = True

    def _finish(self, raw: object) -> None:
        if not isinstance(raw, str):
            return
        self.terminal = True
        reason = _FINISHES.get(raw, "stop")
        if self._refused and reason == "stop":
            reason = "content_filter"
        elif self._tools and reason == "stop":
            reason = "tool_call"
        self.speech.finish(reason, raw)
        if reason == "error":
            kind = errors.Overloaded if raw == "insufficient_system_resource" else errors.ServerError
            self.fault = kind(
                "the answer ended with an error", provider=self._provider.id, status=200, code=raw
            )

    def _usage(self, chunk: _Chunk) -> None:
        groq = obj(chunk.x_groq)
        reported = obj(chunk.usage) or obj(groq.get("usage"))
        if reported:
            self.speech.usage(usage_of(reported), self._cost(reported))
        if problem := groq.get("error"):
            raise refusal_of(200, {}, msgspec.json.encode({"error": _plain(problem)}), self._provider)

    def _cost(self, reported: dict[str, Any]) -> Decimal | None:
        # Only OpenRouter's `cost` is known to be US dollars.
        return dollars(reported.get("cost")) if self._provider.id == "openrouter" else None

    def _ollama(self, chunk: _Chunk) -> None:
        """Ollama's own NDJSON, where a host answers with it."""
        message = obj(chunk.message)
        self.speech.think(text(message.get("thinking")))
        self.speech.say(text(message.get("content")))
        if chunk.done is True:
            self.speech.usage(_usage(chunk.prompt_eval_count, chunk.eval_count))
            self._finish(text(chunk.done_reason) or "stop")
            self.done = True

    def _raise_if_error(self, name: str, chunk: _Chunk, data: bytes) -> None:
        error = chunk.error
        if isinstance(error, dict) and not any(error.values()) and name != "error":
            return
        raise refusal_of(200, {}, data, self._provider)


def around_words(data: bytes) -> tuple[bytes, bytes] | None:
    """What stands before and after the words of an event, quotation marks included; None where it does more than say
    them, or writes them in a way of its own."""
    try:
        chunk = _decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    delta = chunk.choices[0].delta if chunk.choices else None
    said = delta.content if delta is not None else None
    if not isinstance(said, str) or not said or chunk != _saying(chunk, said):
        return None
    for place in _CONTENT.finditer(data):
        before, rest, written = data[: place.end()], data[place.end() :], msgspec.json.encode(said)[1:]
        after = rest[len(written) - 1 :]
        if rest.startswith(written) and _decode(before + _PROBE + after) == _saying(chunk, _PROBE.decode()):
            return before, after
    return None


_CONTENT = re.compile(rb'"content": ?"')
_PROBE = b"other words"


def _saying(chunk: _Chunk, words: str) -> _Chunk:
    """An event that says `words` under the same name, and does nothing else."""
    return _Chunk(choices=[_Choice(delta=_Delta(content=words))], id=chunk.id, model=chunk.model)


def _lenient_chunk(document: object) -> _Chunk | None:
    """A chunk of anything that is an object, with what does not fit left out; None for what is none."""
    if isinstance(document, list):
        document = next((item for item in document if isinstance(item, dict)), None)
    if not isinstance(document, dict):
        return None
    fields = {
        name: document[name] for name in _Chunk.__struct_fields__ if name in document and name != "choices"
    }
    choices = [
        _Choice(
            delta=_lenient_delta(choice.get("delta")),
            **{name: choice.get(name) for name in ("finish_reason", "message", "text")},
        )
        for choice in objects(document.get("choices"))
    ]
    return _Chunk(choices=choices, **fields)


def _lenient_delta(delta: object) -> _Delta | None:
    if not isinstance(delta, dict):
        return None
    return _Delta(**{name: delta[name] for name in _Delta.__struct_fields__ if name in delta})


def _plain(value: object) -> object:
    """Fit to be written as JSON again: halves of surrogate pairs come from `loosely` only."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {str(_plain(key)): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _usage(prompt: object, completion: object) -> Usage | None:
    put, out = count(prompt), count(completion)
    return None if put is None or out is None else Usage(input_tokens=put, output_tokens=out)


def usage_of(reported: dict[str, Any]) -> Usage | None:
    """Wire facts §11.5. None when a number is missing, impossible, or contradicts another."""
    put, out = count(reported.get("prompt_tokens")), count(reported.get("completion_tokens"))
    inside, made = obj(reported.get("prompt_tokens_details")), obj(reported.get("completion_tokens_details"))
    cached = _optional(inside.get("cached_tokens", reported.get("prompt_cache_hit_tokens")))
    written = _optional(inside.get("cache_write_tokens"))
    reasoning = _optional(made.get("reasoning_tokens"))
    if put is None or out is None or cached is None or written is None or reasoning is None or cached > put:
        return None
    total = count(reported.get("total_tokens"))
    if reasoning and (put + out + reasoning == total or reasoning > out):
        out += reasoning  # xAI counts reasoning beside the completion
    return Usage(
        input_tokens=put,
        output_tokens=out,
        cached_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=reasoning,
    )


def _optional(value: object) -> int | None:
    return 0 if value is None else count(value)
