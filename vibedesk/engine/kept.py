"""An answer as it is kept for the next time, and the key it is kept under: a hash of the whole question. Pure."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct

from vibedesk.engine.transport import speaks
from vibedesk.engine.types import (
    Cost,
    Deployment,
    Finished,
    FinishReason,
    Image,
    Message,
    Part,
    ReasoningDelta,
    Request,
    TextDelta,
    Usage,
)

LARGEST = 4 * 1024 * 1024
"""Characters of an answer, reasoning included, that are still kept."""


class Spoken(Struct, frozen=True, array_like=True):
    """One piece as it came, `at_s` seconds after the question."""

    at_s: float
    kind: Literal["text", "reasoning"]
    text: str

    @property
    def delta(self) -> TextDelta | ReasoningDelta:
        return TextDelta(self.text) if self.kind == "text" else ReasoningDelta(self.text)


class Kept(Struct, frozen=True, kw_only=True):
    """`deployment` and `model` gave it; `cost`, `took_s` and the rest are those of that time. `at` is when it ended."""

    deployment: str
    model: str
    finish_reason: FinishReason | None
    usage: Usage | None
    cost: Cost | None
    took_s: float
    reasoning_s: float | None
    spoken: tuple[Spoken, ...]
    at: datetime


def key_of(request: Request, deployment: Deployment) -> str:
    """64 hex digits that differ where anything differs that the model sees, and nowhere else (routing.md §2.11).

    The model, where it is and how it is spoken to count; the API key and the way there do not: no secret goes in, and
    another key of the same provider gives the same answer. Text counts letter for letter, images by their bytes.
    """
    question: dict[str, Any] = {
        "version": 1,
        "dialect": speaks(deployment),
        "provider": deployment.provider.id,
        "address": deployment.provider.base_url,
        "model": deployment.model.id,
        "system": request.system,
        "parameters": msgspec.to_builtins(request.parameters),
        "messages": [_said(message) for message in request.messages],
    }
    said = json.dumps(question, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(said.encode()).hexdigest()


def _said(message: Message) -> list[Any]:
    return [message.role, *(_part(part) for part in message.parts)]


def _part(part: Part) -> list[str]:
    if isinstance(part, Image):
        return ["image", part.media_type, hashlib.sha256(part.data).hexdigest()]
    return ["text", part.text]


def why_not(finished: Finished) -> str:
    """Why this answer is not kept, "" where it is: only what came whole is worth giving again."""
    if finished.outcome != "complete":
        return f"the answer {_ENDS[finished.outcome]}"
    if finished.finish_reason not in ("stop", None):
        return f"the answer ended by {finished.finish_reason}"
    if not finished.text:
        return "nothing was said"
    if len(finished.text) + len(finished.reasoning) > LARGEST:
        return "the answer is too long"
    return ""


_ENDS = {"cut": "was cut", "stopped": "was stopped", "failed": "failed"}
