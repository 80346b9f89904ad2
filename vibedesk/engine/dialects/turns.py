"""The messages of a request as every wire takes them: no empty parts, no two of one role in a row."""

from __future__ import annotations

import base64

from vibedesk.engine.errors import Unsupported
from vibedesk.engine.types import Image, Message, Model, Part, Request, Text


def turns_of(request: Request, model: Model) -> list[Message]:
    """The messages to send. Raises Unsupported for an image to a model known to take none, and for nothing to send."""
    turns: list[Message] = []
    for message in request.messages:
        parts = tuple(part for part in message.parts if isinstance(part, Image) or part.text.strip())
        if not parts:
            continue
        if turns and turns[-1].role == message.role:
            parts = (*turns.pop().parts, *_parted(parts))
        turns.append(Message(message.role, parts))
    if not turns:
        raise Unsupported("there is nothing to ask", provider=model.provider, part="text", model=model.id)
    if any(isinstance(part, Image) for turn in turns for part in turn.parts):
        _refuse_blind(model)
    return turns


def _parted(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """What was another message begins a new paragraph."""
    first = parts[0]
    return (Text("\n\n" + first.text), *parts[1:]) if isinstance(first, Text) else parts


def _refuse_blind(model: Model) -> None:
    if model.state != "unlisted" and model.capabilities and "vision" not in model.capabilities:
        raise Unsupported(
            f"{model.id} takes no images", provider=model.provider, part="image", model=model.id
        )


def refuse_prefill(turns: list[Message], model: Model) -> None:
    """Raises Unsupported when an assistant message stands last and the model is known to continue none."""
    if turns[-1].role == "assistant" and not model.traits.prefill and model.state != "unlisted":
        raise Unsupported(
            f"{model.id} continues no answer begun for it",
            provider=model.provider,
            part="prefill",
            model=model.id,
        )


def base64_of(image: Image) -> str:
    """The image's bytes in base64, without line ends."""
    return base64.b64encode(image.data).decode("ascii")


def data_url(image: Image) -> str:
    """`data:image/png;base64,…`"""
    return f"data:{image.media_type};base64,{base64_of(image)}"
