"""What the dialect tests share: providers and models as values, and an ear that hears a whole stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from msgspec import Struct, field

from vibedesk.engine.dialects import dialect_of
from vibedesk.engine.errors import EngineError
from vibedesk.engine.types import (
    DialectName,
    FinishReported,
    Model,
    ModelReported,
    Piece,
    Provider,
    ReasoningDelta,
    TextDelta,
    Traits,
    Usage,
    UsageReported,
)

_WIRES: dict[str, tuple[DialectName, str]] = {
    "openai": ("openai-chat", "https://api.openai.com/v1"),
    "openai-responses": ("openai-responses", "https://api.openai.com/v1"),
    "anthropic": ("anthropic", "https://api.anthropic.com"),
    "google-ai-studio": ("gemini", "https://generativelanguage.googleapis.com/v1beta"),
    "groq": ("openai-chat", "https://api.groq.com/openai/v1"),
    "cerebras": ("openai-chat", "https://api.cerebras.ai/v1"),
    "together": ("openai-chat", "https://api.together.ai/v1"),
    "openrouter": ("openai-chat", "https://openrouter.ai/api/v1"),
    "mistral": ("openai-chat", "https://api.mistral.ai/v1"),
    "deepseek": ("openai-chat", "https://api.deepseek.com"),
    "xai": ("openai-chat", "https://api.x.ai/v1"),
    "ollama": ("openai-chat", "http://localhost:11434/v1"),
    "lab": ("openai-chat", "http://127.0.0.1:8000/v1"),
}


class Heard(Struct):
    """All that came of one body."""

    pieces: list[Piece] = field(default_factory=list)
    error: EngineError | None = None
    notes: list[str] = field(default_factory=list)
    finished: bool = False
    progress: bool = False

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces if isinstance(piece, TextDelta))

    @property
    def reasoning(self) -> str:
        return "".join(piece.text for piece in self.pieces if isinstance(piece, ReasoningDelta))

    @property
    def usage(self) -> Usage | None:
        reports = [piece.usage for piece in self.pieces if isinstance(piece, UsageReported)]
        return reports[-1] if reports else None

    @property
    def finish(self) -> FinishReported | None:
        reports = [piece for piece in self.pieces if isinstance(piece, FinishReported)]
        return reports[-1] if reports else None

    @property
    def model(self) -> ModelReported | None:
        return next((piece for piece in self.pieces if isinstance(piece, ModelReported)), None)


def provider_named(id: str) -> Provider:
    dialect, base_url = _WIRES[id]
    return Provider(id=id.removesuffix("-responses"), name=id.title(), dialect=dialect, base_url=base_url)


def hear_stream(
    provider: str,
    reads: bytes | Iterable[bytes],
    *,
    content_type: str = "text/event-stream; charset=utf-8",
    traits: Traits | None = None,
) -> Heard:
    """Feeds the reads to the provider's decoder, closes it, and keeps what came of it, the error included."""
    owner = provider_named(provider)
    model = Model(provider=owner.id, id="m", name="M", traits=traits or Traits())
    decoder = dialect_of(owner.dialect).decoder(owner, model, content_type)
    heard = Heard()
    try:
        for read in [reads] if isinstance(reads, bytes) else reads:
            for piece in decoder.feed(read):
                heard.pieces.append(piece)
        for piece in decoder.close():
            heard.pieces.append(piece)
    except EngineError as error:
        heard.error = error
    heard.notes, heard.finished, heard.progress = list(decoder.notes), decoder.finished, decoder.progress
    return heard


@pytest.fixture
def hear() -> Callable[..., Heard]:
    """`hear(provider id, bytes or reads, content_type=…, traits=…)`."""
    return hear_stream


@pytest.fixture
def provider() -> Callable[[str], Provider]:
    """`provider("groq")`."""
    return provider_named
