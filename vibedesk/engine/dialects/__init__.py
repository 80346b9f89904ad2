"""Wire formats, sans I/O: a dialect makes requests into calls and bytes into pieces, and never opens a socket."""

from __future__ import annotations

from vibedesk.engine.dialects.adapting import parameter_named, without
from vibedesk.engine.dialects.anthropic import Anthropic
from vibedesk.engine.dialects.demo import Demo
from vibedesk.engine.dialects.gemini import Gemini
from vibedesk.engine.dialects.openai_chat import OpenAIChat
from vibedesk.engine.dialects.openai_responses import OpenAIResponses
from vibedesk.engine.dialects.protocol import Call, Decoder, Dialect
from vibedesk.engine.dialects.refusal import request_id_of
from vibedesk.engine.types import DialectName

__all__ = ["Call", "Decoder", "Demo", "Dialect", "dialect_of", "parameter_named", "request_id_of", "without"]

_DIALECTS: dict[DialectName, Dialect] = {
    "openai-chat": OpenAIChat(),
    "openai-responses": OpenAIResponses(),
    "anthropic": Anthropic(),
    "gemini": Gemini(),
    "demo": Demo(),
}


def dialect_of(name: DialectName) -> Dialect:
    """The dialect of that name. Raises KeyError for a name that is none."""
    return _DIALECTS[name]
