"""The providers on loopback: real sockets, as strict as the real ones, and as faulty as they are told to
be."""

from tests.providers.anthropic import Anthropic
from tests.providers.behaviour import TEXT, Behaviour
from tests.providers.gateway import Gateway
from tests.providers.gemini import Gemini
from tests.providers.openai import OpenAI, Responses
from tests.providers.server import Loopback, Seen

__all__ = ["TEXT", "Anthropic", "Behaviour", "Gateway", "Gemini", "Loopback", "OpenAI", "Responses", "Seen"]
