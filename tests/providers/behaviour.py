"""What a loopback provider is told to do: answer well, or go wrong in one of the ways the real ones do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

TEXT = "Hello! This is the loopback server: 1, 2, 3, and a smile 😀."


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """Counts of deltas are of text and reasoning; 0 means before the first one."""

    text: str = TEXT
    reasoning: str = ""
    finish: str = "stop"
    """stop, length or content_filter: put into the dialect's own word."""
    usage: bool = True
    status: int | None = None
    """Answer with this status; the body is the provider's documented one unless `body` is given."""
    body: bytes | Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int | None = None
    """Only the first so many requests go wrong, the later ones are answered well. None = all."""
    on: Literal["ask", "list", "all"] = "ask"
    """Which requests go wrong."""
    instead: Literal["", "html", "empty", "json_error", "whole", "only_done"] = ""
    """With status 200: a web page, nothing at all, an error as JSON, a whole answer though a stream was asked
    for, or
    a proper end without a word."""
    stall_before_headers: bool = False
    stall_after: int | None = None
    ping_only: bool = False
    ping_every_s: float = 0.02
    cut: Literal["", "chunked", "eof", "reset"] = ""
    """FIN inside a chunked body, FIN of a body that ends with the connection, RST."""
    cut_after: int = 2
    hang_up_before_headers: bool = False
    error_after: int | None = None
    """An error inside the stream, after so many deltas."""
    malformed_after: int | None = None
    """One event that is not JSON, after so many deltas; the rest follows."""
    split: int | None = None
    """Bytes a write; 1 = every byte on its own."""
    crlf: bool = False
    tokens_per_s: float | None = None
    first_token_s: float = 0.0
    redirect_to: str = ""

    @property
    def faulty(self) -> bool:
        """It goes wrong in a way that `times` counts."""
        calm = replace(
            self, text=TEXT, reasoning="", finish="stop", usage=True, times=None, on="ask", split=None, crlf=False,
            tokens_per_s=None, first_token_s=0.0, headers={}, ping_every_s=0.02, cut_after=2,
        )  # fmt: skip
        return calm != Behaviour()

    def well(self) -> Behaviour:
        """The same answer without the fault."""
        return Behaviour(
            text=self.text, reasoning=self.reasoning, usage=self.usage, split=self.split, crlf=self.crlf,
            tokens_per_s=self.tokens_per_s, first_token_s=self.first_token_s,
        )  # fmt: skip


def behaviour_named(name: str, usual: Behaviour) -> Behaviour | None:
    """Model ids that say how to go wrong: `fail-429`, `stall`, `stall-3`, `ping`, `cut-reset`, `html`, … None
    = none of them."""
    match name.split("-"):
        case ["fail", status] if status.isdigit():
            return replace(usual, status=int(status), headers={"retry-after": "2"} if status == "429" else {})
        case ["stall"]:
            return replace(usual, stall_before_headers=True)
        case ["stall", count] if count.isdigit():
            return replace(usual, stall_after=int(count))
        case ["cut", "chunked" | "eof" | "reset" as way]:
            return replace(usual, cut=way)
        case ["ping"]:
            return replace(usual, ping_only=True)
        case ["html" | "empty" as what]:
            return replace(usual, instead=what)
        case ["json", "error"]:
            return replace(usual, instead="json_error")
        case ["in", "band"]:
            return replace(usual, error_after=2)
        case ["malformed"]:
            return replace(usual, malformed_after=2)
        case ["split"]:
            return replace(usual, split=1)
        case ["think"]:
            return replace(usual, reasoning="Let me think about it. Yes.")
        case ["long"]:
            return replace(usual, text="Many words follow one another. " * 400)
    return None
