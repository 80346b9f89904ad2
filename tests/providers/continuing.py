"""Providers whose first answer breaks off, and which then go on from it in one of the ways that models do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.providers.anthropic import Anthropic
from tests.providers.behaviour import Behaviour
from tests.providers.openai import OpenAI
from tests.providers.server import Reply, Seen

Echo = Callable[[str, str], str]
"""What was said (as it was sent back), and what is still to be said → the text of the second answer."""


class _Continuing:
    """`whole` is the answer; its first telling ends after `cut_after` words, each later one is told by `echo`."""

    behaviour: Behaviour

    def begin(self, whole: str, cut_after: int, echo: Echo, cut: str) -> None:
        self.whole_text, self.echo = whole, echo
        self.first = Behaviour(text=whole, cut=cut, cut_after=cut_after)  # type: ignore[arg-type]

    def look_at(self, messages: list[dict[str, Any]]) -> None:
        said = next((one["content"] for one in messages[1:] if one["role"] == "assistant"), None)
        if said is None:
            self.behaviour = self.first
        else:
            text = said if isinstance(said, str) else "".join(part["text"] for part in said)
            self.behaviour = Behaviour(text=self.echo(text, self.whole_text[len(text) :]))


class ContinuingOpenAI(_Continuing, OpenAI):
    """Is told by an instruction."""

    def __init__(self, whole: str, cut_after: int, echo: Echo, *, cut: str = "eof") -> None:
        OpenAI.__init__(self)
        self.begin(whole, cut_after, echo, cut)

    def _chat(self, body: dict[str, Any]) -> Reply:
        self.look_at(body["messages"])
        return super()._chat(body)


class ContinuingAnthropic(_Continuing, Anthropic):
    """Goes on from a prefill."""

    def __init__(self, whole: str, cut_after: int, echo: Echo, *, cut: str = "eof") -> None:
        Anthropic.__init__(self)
        self.begin(whole, cut_after, echo, cut)

    def _messages(self, seen: Seen) -> Reply:
        self.look_at(seen.body["messages"])
        return super()._messages(seen)
