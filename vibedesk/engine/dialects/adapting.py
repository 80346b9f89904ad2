"""Learning from a refusal: which parameter it names, and the same call without that parameter (wire facts §11.1)."""

from __future__ import annotations

import copy
import re
from typing import Any

import msgspec

from vibedesk.engine.dialects.protocol import Call
from vibedesk.engine.errors import BadRequest

_PLACES: dict[str, tuple[str, ...]] = {
    "temperature": ("temperature", "generationConfig.temperature"),
    "top_p": ("top_p", "generationConfig.topP"),
    "stop": ("stop", "stop_sequences", "generationConfig.stopSequences"),
    "seed": ("seed", "random_seed", "generationConfig.seed"),
    "max_tokens": ("max_tokens", "generationConfig.maxOutputTokens"),
    "max_completion_tokens": ("max_completion_tokens",),
    "max_output_tokens": ("max_output_tokens", "generationConfig.maxOutputTokens"),
    "reasoning_effort": ("reasoning_effort", "reasoning.effort", "output_config.effort"),
    "reasoning_format": ("reasoning_format",),
    "include_reasoning": ("include_reasoning",),
    "reasoning.summary": ("reasoning.summary",),
    "reasoning": ("reasoning", "reasoning_effort"),
    "thinking": ("thinking", "generationConfig.thinkingConfig"),
    "output_config": ("output_config",),
    "stream_options": ("stream_options",),
    "include": ("include",),
    "store": ("store",),
    "stream": ("stream",),
    "messages[0].role": ("messages",),
}
_SYNONYMS = {
    word: name
    for name, words in (
        ("max_output_tokens", "maxoutputtokens"),
        ("top_p", "topp"),
        ("stop", "stop_sequences stopsequences"),
        ("seed", "random_seed"),
        (
            "thinking",
            "thinkingconfig thinking_config thinkinglevel thinking_level thinkingbudget thinking_budget"
            " budget_tokens includethoughts include_thoughts",
        ),
        ("reasoning_effort", "reasoning.effort output_config.effort effort"),
        (
            "stream_options",
            "stream_options.include_usage stream_options.include_obfuscation include_usage"
            " include_obfuscation",
        ),
        ("reasoning.summary", "reasoning_summary"),
    )
    for word in words.split()
}

# A field's name counts only in the words that refuse it: prompts are echoed in messages too.
_NAMED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"unsupported (?:parameter|value)s?: ?['\"`]?([\w.\[\]]+)",
        r"['\"`]([\w.\[\]]+)['\"`] is (?:deprecated|not supported|unsupported|not allowed|not permitted)",
        r"property ['\"`]([\w.\[\]]+)['\"`] is (?:unsupported|not)",
        r"(?:unknown|unrecognized|unexpected|invalid|extra) "
        r"(?:name|field|parameter|argument|keyword argument|request "
        r"argument supplied)s?:? ?['\"`]?([\w.\[\]]+)",
        r"^([\w.\[\]]+): extra inputs are not permitted",
        r"([\w.\[\]]+)['\"`]? (?:does not support|is not supported|cannot be used|cannot both be specified"
        r"|must be (?:greater|less|at (?:least|most)))",
        r"argument not supported(?: on this model)?: ?['\"`]?([\w.\[\]]+)",
        r"does not support (?:the )?(?:parameter )?['\"`]?([\w.\[\]]+)",
        r"^[\w.]*?([\w\[\]]+):",
    )
)
_MANDATORY_REASONING = re.compile(r"reasoning is mandatory|thinking.{0,40}cannot be disabled", re.IGNORECASE)
_THINKING_UNSUPPORTED = re.compile(
    r"thinking (?:level |budget )?is not supported|encrypted content is not", re.IGNORECASE
)


def parameter_in(param: str, message: str) -> str:
    """Our name of the parameter a refusal is about, from its `param` field or its words; "" when it names none."""
    if param:
        return _known(param) or ""
    if _MANDATORY_REASONING.search(message):
        return "reasoning_effort" if "reasoning" in message.lower() else "thinking"
    if match := _THINKING_UNSUPPORTED.search(message):
        return "include" if "encrypted" in match[0].lower() else "thinking"
    for pattern in _NAMED:
        for match in pattern.finditer(message):
            if name := _known(match[1]):
                return name
    return ""


def _known(name: str) -> str | None:
    name = name.strip().rstrip(".")
    for candidate in (
        name,
        name.rpartition("generation_config.")[2],
        name.rpartition(".")[2],
        name.partition("[")[0],
    ):
        found = _SYNONYMS.get(candidate.lower(), candidate)
        if found in _PLACES:
            return found
    first = name.partition(".")[0]
    return first if first in _PLACES else None


def parameter_named(error: BadRequest) -> str | None:
    """The parameter this refusal names, if it is one that a request can do without."""
    return error.facts.get("parameter") or None


def without(call: Call, parameter: str) -> Call | None:
    """The call without that parameter, and a note that says so. None when it has none, or cannot do without it."""
    if call.body is None:
        return None
    body = copy.deepcopy(call.body)
    note = _change(body, parameter, call)
    return msgspec.structs.replace(call, body=body, notes=(*call.notes, note)) if note else None


def _change(body: dict[str, Any], parameter: str, call: Call) -> str:
    match parameter:
        case "max_tokens" | "max_completion_tokens" if "messages" in body and parameter in body:
            return _other_limit(body, parameter, call)
        case "stream":
            return _unstreamed(body)
        case "messages[0].role":
            return _plain_system(body)
    places = _PLACES.get(parameter, ())
    taken = [place for place in places if _remove(body, place.split("."))]
    return f"{parameter} left out: the provider refused it" if taken else ""


def _other_limit(body: dict[str, Any], parameter: str, call: Call) -> str:
    """Hosts want one or the other of the two names. Anthropic's `max_tokens` is required and stays."""
    if "messages" not in call.path or call.path.endswith("/chat/completions"):
        other = "max_completion_tokens" if parameter == "max_tokens" else "max_tokens"
        value = body.pop(parameter)
        if any(note.startswith(f"{other} sent as") for note in call.notes):
            return f"{parameter} left out: the provider refused it"
        body[other] = value
        return f"{parameter} sent as {other}: the provider refused the first"
    return ""


def _unstreamed(body: dict[str, Any]) -> str:
    if not body.get("stream"):
        return ""
    body["stream"] = False
    body.pop("stream_options", None)
    return "asked for in one piece: the provider refused to stream it"


def _plain_system(body: dict[str, Any]) -> str:
    for message in body.get("messages", ()):
        if message.get("role") == "developer":
            message["role"] = "system"
            return "role developer sent as system: the provider refused the first"
    return ""


def _remove(body: dict[str, Any], path: list[str]) -> bool:
    *outer, last = path
    inner: Any = body
    for name in outer:
        inner = inner.get(name)
        if not isinstance(inner, dict):
            return False
    if last not in inner:
        return False
    del inner[last]
    if outer and not inner:
        _remove(body, outer)
    return True
