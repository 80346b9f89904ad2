"""Live lists of models, as each provider writes them, to `Model`s (wire facts §3.4, §4.4, §5.4, §6.2, §7.2, §8.2, §9).

Only what the list says is filled in: the bundled catalog knows the rest. What cannot chat is left out.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from vibedesk.engine import errors
from vibedesk.engine.dialects.complaint import clean, title_of
from vibedesk.engine.dialects.lenient import Unreadable, count, dollars, loads, obj, objects, text
from vibedesk.engine.dialects.refusal import refusal_of
from vibedesk.engine.types import Model, Price, Provider, Traits

_MOST_MODELS = 5_000
_ID = re.compile(r"[^\s\x00-\x1f\x7f-\x9f]{1,300}")

_OPENAI_CHAT = re.compile(r"(gpt-|o\d|chatgpt-|chat-latest|ft:)")
_OPENAI_OTHER = re.compile(
    r"embedding|tts|whisper|transcribe|realtime|live|audio|image|moderation|dall-e|sora|instruct|search|babbage|davinci"
    r"|codex-mini"
)
_NO_CHAT = re.compile(
    r"embed|whisper|\btts\b|orpheus|prompt-guard|rerank|moderation|transcri|dall-e|imagine|-image\b|\bocr\b|voxtral-.*tts"
    r"|stable-diffusion|flux\b",
    re.IGNORECASE,
)
_GEMINI_OTHER = re.compile(r"embedding|aqa|imagen|veo|lyria|-tts|-image|audio|-live")
_SAMPLED_CLAUDES = re.compile(r"claude-(?:(?:haiku|sonnet|opus)-4-5|(?:sonnet|opus)-4-6)")
_MILLION = Decimal(1_000_000)

State = Literal["current", "retiring", "retired"]


def read_openai_style(payload: bytes, provider: Provider) -> tuple[Model, ...]:
    """`{data:[…]}`, `{models:[…]}` or a bare array. Raises NotThisApi, Malformed or the error the payload holds."""
    document = _document(payload, provider)
    items = _items(document, ("data", "models", "result"), provider)
    return _distinct(_openai_model(item, provider) for item in items if _chats(item, provider))


def read_anthropic(payload: bytes, provider: Provider) -> tuple[Model, ...]:
    """`{data:[…]}` with lifecycle and capabilities."""
    items = _items(_document(payload, provider), ("data",), provider)
    return _distinct(_anthropic_model(item, provider) for item in items)


def read_gemini(payload: bytes, provider: Provider) -> tuple[Model, ...]:
    """`{models:[…]}`; only those with the method generateContent."""
    items = _items(_document(payload, provider), ("models",), provider)
    chats = (
        item
        for item in items
        if "generateContent" in (item.get("supportedGenerationMethods") or ())
        and not _GEMINI_OTHER.search(text(item.get("name")))
    )
    return _distinct(_gemini_model(item, provider) for item in chats)


def _document(payload: bytes, provider: Provider) -> object:
    bare = payload.strip(b" \t\r\n\xef\xbb\xbf")
    if bare[:1] == b"<":
        raise errors.NotThisApi(
            "an HTML page came instead of a list", provider=provider.id, title=title_of(bare)
        )
    if not bare:
        raise errors.Malformed("the list of models was empty", provider=provider.id)
    try:
        document = loads(bare)
    except Unreadable as exc:
        raise errors.NotThisApi("the list of models is not JSON", provider=provider.id, title="") from exc
    if isinstance(document, dict) and (document.get("error") or document.get("success") is False):
        raise refusal_of(200, {}, bare, provider)
    return document


def _items(document: object, names: tuple[str, ...], provider: Provider) -> list[dict[str, Any]]:
    if isinstance(document, list):
        return objects(document)[:_MOST_MODELS]
    for name in names:
        listed = obj(document).get(name)
        if isinstance(listed, list):
            return objects(listed)[:_MOST_MODELS]
    if any(name in obj(document) for name in names):
        return []  # `{"data": null}`: a local server without a model
    raise errors.Malformed("no list of models in the answer", provider=provider.id)


def _distinct(models: Any) -> tuple[Model, ...]:
    return tuple({model.id: model for model in models if _ID.fullmatch(model.id)}.values())


def _id(item: dict[str, Any], provider: Provider) -> str:
    name = text(item.get("id")) or text(item.get("model")) or text(item.get("name"))
    return name.removeprefix(f"{provider.id}/") if provider.id == "cerebras" else name


def _chats(item: dict[str, Any], provider: Provider) -> bool:
    name = _id(item, provider)
    if provider.id == "openai":
        return bool(_OPENAI_CHAT.match(name)) and not _OPENAI_OTHER.search(name)
    kind, capabilities = item.get("type"), obj(item.get("capabilities"))
    outputs = item.get("output_modalities") or obj(item.get("architecture")).get("output_modalities")
    if item.get("active") is False or capabilities.get("completion_chat") is False:
        return False
    if isinstance(kind, str) and kind in _OTHER_TYPES:
        return False
    if isinstance(outputs, list) and "text" not in outputs:
        return False
    return not _NO_CHAT.search(name)


_OTHER_TYPES = {
    "language", "image", "embedding", "embeddings", "moderation", "rerank", "audio", "transcribe", "video",
}  # fmt: skip


def _openai_model(item: dict[str, Any], provider: Provider) -> Model:
    top, meta, limits = obj(item.get("top_provider")), obj(item.get("meta")), obj(item.get("limits"))
    state, retires = _lifecycle(item)
    return Model(
        provider=provider.id,
        id=_id(item, provider),
        name=clean(_name(item) or _id(item, provider)),
        state=state,
        retires=retires,
        context_window=_first(
            item.get("context_window"), item.get("context_length"), item.get("max_context_length"),
            item.get("max_model_len"), top.get("context_length"), limits.get("max_context_length"),
            meta.get("n_ctx"), meta.get("n_ctx_train"),
        ),
        max_output=_first(
            item.get("max_completion_tokens"), item.get("max_output_length"),
            top.get("max_completion_tokens"),
            limits.get("max_completion_tokens"),
        ),
        price=_price(item, provider),
        capabilities=_capabilities(item),
        listed_live=True,
    )  # fmt: skip


def _name(item: dict[str, Any]) -> str:
    name = text(item.get("display_name")) or text(item.get("name"))
    return name if name != text(item.get("id")) else ""


def _first(*values: object) -> int | None:
    return next((number for value in values if (number := count(value))), None)


def _lifecycle(item: dict[str, Any]) -> tuple[State, date | None]:
    ends = item.get("deprecation") or item.get("retires_at") or item.get("expiration_date")
    retires = _day(ends)
    gone = item.get("lifecycle") == "retired"
    ending = bool(retires or item.get("deprecated") is True or item.get("lifecycle") == "deprecated")
    return ("retired" if gone else "retiring" if ending else "current"), retires


def _day(value: object) -> date | None:
    try:
        return datetime.fromisoformat(text(value)).date()
    except ValueError:
        return None


def _price(item: dict[str, Any], provider: Provider) -> Price | None:
    """Strings `prompt`/`completion` are dollars a token, numbers `input`/`output` dollars a million."""
    pricing = obj(item.get("pricing"))
    scale, names = _MILLION, ("prompt", "completion", "input_cache_read", "input_cache_write")
    if "prompt" not in pricing:
        scale, names = Decimal(1), ("input", "output", "cached_input", "cache_write")
    put, out, cached, written = (dollars(pricing.get(name)) for name in names)
    if put is None or out is None or (scale == 1 and not put and not out):
        return None  # Together says 0 for models that only run on rented machines
    return Price(
        input=put * scale,
        output=out * scale,
        cached=None if cached is None else cached * scale,
        cache_write=None if written is None else written * scale,
        source=f"{provider.name}, live list",
    )


def _capabilities(item: dict[str, Any]) -> frozenset[str]:
    given, architecture = obj(item.get("capabilities")), obj(item.get("architecture"))
    inputs = item.get("input_modalities") or architecture.get("input_modalities") or []
    listed = [*_strings(item.get("supported_parameters")), *_strings(item.get("supported_features"))]
    listed += _strings(item.get("capabilities"))
    signs = {
        "vision": given.get("vision") is True
        or "image" in inputs
        or "vision" in listed
        or item.get("type") == "vlm",
        "tools": given.get("function_calling") is True or "tools" in listed,
        "reasoning": given.get("reasoning") is True or bool({"reasoning", "thinking"} & {*listed}),
        "json": bool({"structured_outputs", "response_format", "json_mode"} & {*listed}),
    }
    return frozenset(name for name, there in signs.items() if there)


def _strings(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _anthropic_model(item: dict[str, Any], provider: Provider) -> Model:
    given = obj(item.get("capabilities"))
    signs = {"vision": "image_input", "reasoning": "thinking", "json": "structured_outputs"}
    capabilities = {name for name, leaf in signs.items() if _supported(given.get(leaf))}
    state, retires = _lifecycle(item)
    name = text(item.get("id"))
    return Model(
        provider=provider.id,
        id=name,
        name=clean(text(item.get("display_name")) or name),
        state=state,
        retires=retires,
        context_window=_first(item.get("max_input_tokens")),
        max_output=_first(item.get("max_tokens")),
        capabilities=frozenset(capabilities | {"tools"}) if given else frozenset(),
        traits=_anthropic_traits(name, given) if given.get("thinking") else Traits(),
        listed_live=True,
    )


def _supported(leaf: object) -> bool:
    return obj(leaf).get("supported") is True


def _anthropic_traits(name: str, given: dict[str, Any]) -> Traits:
    types, levels = obj(obj(given.get("thinking")).get("types")), obj(given.get("effort"))
    adaptive, off = _supported(types.get("adaptive")), _supported(types.get("disabled"))
    by_budget = _supported(types.get("enabled")) and not adaptive
    efforts = tuple(
        level for level in ("low", "medium", "high", "xhigh", "max") if _supported(levels.get(level))
    )
    return Traits(
        temperature="free" if _SAMPLED_CLAUDES.match(name) else "never",
        temperature_max=1.0,
        efforts=efforts,
        default_effort="high" if adaptive and not _SAMPLED_CLAUDES.match(name) else None,
        thinking=("adaptive" if off else "adaptive_always") if adaptive else "budget" if by_budget else None,
        budget_min=1024 if by_budget else 0,
        max_tokens_field="max_tokens",
    )


def _gemini_model(item: dict[str, Any], provider: Provider) -> Model:
    name = text(item.get("name")).removeprefix("models/")
    return Model(
        provider=provider.id,
        id=name,
        name=clean(text(item.get("displayName")) or name),
        context_window=_first(item.get("inputTokenLimit")),
        max_output=_first(item.get("outputTokenLimit")),
        capabilities=frozenset({"reasoning"}) if item.get("thinking") is True else frozenset(),
        listed_live=True,
    )
