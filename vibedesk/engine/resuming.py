"""Asking for the rest of an answer that broke off: the request, and how its two halves are joined. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from vibedesk.engine.climb import Resume
from vibedesk.engine.pricing import estimate_tokens
from vibedesk.engine.splice import LEAST, Splice, anchor_of
from vibedesk.engine.types import Deployment, Message, Model, Parameters, Request, Text

_WORDS = (
    "Your last message broke off in the middle because the connection was lost. Write the rest of it. "
    "Begin by repeating its last words exactly as they are, and go on from there; write no introduction and no "
    "apology, and repeat nothing else. Its last words are:\n\n"
)
_ECHOES = frozenset({"mistral", "deepseek"})
"""Providers that give back the words they were to go on from."""


def way_to_resume(request: Request, text: str, model: Model, *, thought: bool) -> Resume:
    """How the model can go on from what was shown, "" where it cannot: too little of it, or no room left.

    Who thought before cannot be made to go on from a prefill: its thoughts are not ours to send back.
    """
    most = request.parameters.max_tokens
    if not text.strip() or (most is not None and most <= estimate_tokens(text) + 1):
        return ""
    if model.traits.prefill and not thought:
        return "prefill"
    return "overlap" if len(text.strip()) >= LEAST else ""


def rest_of(request: Request, text: str, how: Resume) -> Request:
    """Asks for what follows `text`."""
    asked = going_on(request, text, how, _WORDS)
    return replace(asked, parameters=_less(asked.parameters, text, how))


def going_on(request: Request, text: str, how: Resume, words: str) -> Request:
    """`request`, ending in `text`; by overlap `words` then ask for the rest, and for the last words first."""
    messages = (*request.messages, Message("assistant", (Text(text.rstrip()),)))
    if how == "overlap":
        messages = (*messages, Message("user", (Text(words + anchor_of(text)),)))
    return replace(request, messages=messages)


def splice_for(text: str, how: Resume, deployment: Deployment) -> Splice:
    """Joins what comes to what was said."""
    prefilled = how == "prefill"
    return Splice(text, prefilled=prefilled, echoes=deployment.provider.id in _ECHOES)


def _less(parameters: Parameters, text: str, how: Resume) -> Parameters:
    """What was said counts against the limit; who goes on from a prefill cannot think first."""
    most = parameters.max_tokens
    if most is not None:
        again = estimate_tokens(anchor_of(text)) if how == "overlap" else 0
        most = max(1, most - estimate_tokens(text) + again)
    effort = None if how == "prefill" else parameters.reasoning_effort
    return replace(parameters, max_tokens=most, reasoning_effort=effort)
