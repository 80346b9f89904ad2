"""What a dialect is: requests in, calls out; bytes in, pieces out. No dialect opens a socket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from msgspec import Struct, field

from vibedesk.engine.errors import EngineError
from vibedesk.engine.types import DialectName, Model, Piece, Provider, Request, Secret


class Call(Struct, frozen=True, kw_only=True):
    """One HTTP request without its host and its key. `path` is relative to `provider.base_url` and begins with "/".

    `notes` say in plain words what of the request was left out or changed, and why. `headers` hold no secret.
    """

    method: str
    path: str
    body: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)


class Decoder(Protocol):
    """Reads one answer. `feed` and `close` are generators: what came before an error is yielded before it is raised."""

    notes: list[str]

    @property
    def finished(self) -> bool:
        """The terminal marker was seen; only usage and the like may still follow."""

    @property
    def done(self) -> bool:
        """Nothing more will come: the body need not be read further."""

    @property
    def progress(self) -> bool:
        """Text or reasoning was seen."""

    def feed(self, chunk: bytes) -> Iterator[Piece]:
        """Raises ProviderError (in-band), NotThisApi, Malformed, AnswerTooLong."""

    def close(self) -> Iterator[Piece]:
        """The body has ended. Raises Cut without a terminal marker, EmptyAnswer when nothing was said."""


class Dialect(Protocol):
    """A wire format that several providers share."""

    name: DialectName

    def ask(self, request: Request, model: Model, provider: Provider) -> Call:
        """A streaming chat call. Raises Unsupported for a part the model cannot take; drops tuning with a note."""

    def authorise(self, secret: Secret) -> dict[str, str]:
        """The header that carries the key."""

    def list_models(self, provider: Provider) -> Call:
        """Asks for the provider's own list of models."""

    def read_models(self, payload: bytes, provider: Provider) -> tuple[Model, ...]:
        """The chat models of that list. Raises NotThisApi, Malformed or the ProviderError the payload holds."""

    def decoder(self, provider: Provider, model: Model, content_type: str) -> Decoder:
        """For the body of an answer with status 2xx."""

    def refusal(
        self, status: int, headers: Mapping[str, str], body: bytes, provider: Provider
    ) -> EngineError:
        """What a status other than 2xx, or an error body, means."""
