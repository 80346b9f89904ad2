"""Parameters as a model takes them: what it does not take is left out or moved to the nearest it does, with a note."""

from __future__ import annotations

from vibedesk.engine.types import Model, Request

_RANKS = {
    name: rank for rank, name in enumerate(("none", "minimal", "low", "medium", "high", "xhigh", "max"))
}
_BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 24576, "max": 32768}
_LEAST_BUDGET = 1024
"""Anthropic refuses a smaller thinking budget."""


class Tuning:
    """The parameters of one request for one model. Every method may add to `notes`."""

    def __init__(self, request: Request, model: Model) -> None:
        self._wanted = request.parameters
        self._model = model
        self.notes: list[str] = []

    def max_tokens(self, *, least: int = 1) -> int | None:
        """What was asked for, within what the model gives."""
        asked = self._wanted.max_tokens
        if asked is None:
            return None
        most = self._model.max_output or asked
        sent = max(least, min(asked, most))
        if sent < asked:
            self.notes.append(f"max tokens {asked} sent as {sent}: the most {self._model.id} gives")
        elif sent > asked:
            self.notes.append(f"max tokens {asked} sent as {sent}: the least this API takes")
        return sent

    def effort(self) -> str | None:
        """The effort to send, None to send none."""
        asked = self._wanted.reasoning_effort
        if asked is None:
            return None
        accepted = [effort for effort in self._model.traits.efforts if effort in _RANKS]
        if not accepted:
            if asked != "none":
                self.notes.append(f"effort {asked} left out: {self._model.id} takes none")
            return None
        return self.nearest(asked, accepted)

    def nearest(self, asked: str, accepted: list[str]) -> str:
        """The accepted effort nearest to the one asked for, the weaker of two as near."""
        sent = min(accepted, key=lambda effort: (abs(_RANKS[effort] - _RANKS[asked]), _RANKS[effort]))
        if asked != "none" and sent == "none" and len(accepted) > 1:
            sent = min((e for e in accepted if e != "none"), key=lambda e: abs(_RANKS[e] - _RANKS[asked]))
        if sent != asked:
            self.notes.append(f"effort {asked} sent as {sent}: {self._model.id} takes {', '.join(accepted)}")
        return sent

    def temperature(self, *, reasoning: bool, most: float = 2.0) -> float | None:
        """The temperature to send. `reasoning`: the request as it will be sent makes (or may make) the model reason."""
        asked = self._wanted.temperature
        if asked is None or not self._sampled("temperature", reasoning=reasoning):
            return None
        return self._within("temperature", asked, min(self._model.traits.temperature_max, most))

    def top_p(self, *, reasoning: bool, beside: float | None = None) -> float | None:
        """The top_p to send: taken by whoever takes a temperature. `beside`: the temperature it may not go with."""
        asked = self._wanted.top_p
        if asked is None or not self._sampled("top_p", reasoning=reasoning):
            return None
        if beside is not None:
            self.notes.append("top_p left out: not taken together with a temperature")
            return None
        return self._within("top_p", asked, 1.0)

    def _sampled(self, name: str, *, reasoning: bool) -> bool:
        match self._model.traits.temperature:
            case "never":
                self.notes.append(f"{name} left out: {self._model.id} takes none")
                return False
            case "without_reasoning" if reasoning:
                self.notes.append(f"{name} left out: {self._model.id} takes one only without reasoning")
                return False
        return True

    def _within(self, name: str, asked: float, most: float) -> float:
        sent = max(0.0, min(asked, most))
        if sent != asked:
            self.notes.append(f"{name} {asked:g} sent as {sent:g}: the range ends there")
        return sent

    def stop(self, most: int) -> list[str]:
        """The stop sequences to send, `most` of them; [] to send none. Blank ones are refused everywhere."""
        asked = [word for word in self._wanted.stop if word.strip()]
        if not asked:
            return []
        if not most or not self._model.traits.stop:
            self.notes.append(f"stop left out: {self._model.id} takes none")
            return []
        if len(asked) > most:
            self.notes.append(f"stop: the first {most} of {len(asked)} sent, more are not taken")
        return asked[:most]

    def seed(self, *, taken: bool = True) -> int | None:
        """The seed to send."""
        if self._wanted.seed is not None and not taken:
            self.notes.append("seed left out: this API takes none")
            return None
        return self._wanted.seed

    def reasons(self, effort: str | None) -> bool:
        """Whether the model will reason, or may: the effort sent, else what it does by itself."""
        return (effort or self._model.traits.default_effort) != "none"

    def budget(self, max_tokens: int | None, *, least: int = _LEAST_BUDGET) -> int | None:
        """Thinking tokens for the effort asked for, leaving a quarter of `max_tokens` for the answer.

        0 = reasoning off; None = say nothing about it (nobody asked, or there is no room).
        """
        asked, traits = self._wanted.reasoning_effort, self._model.traits
        if asked is None:
            return None
        may_be_off = "none" in traits.efforts or not traits.budget_min
        if asked == "none" and may_be_off:
            return 0
        if asked == "none":
            self.notes.append(
                f"effort none sent as {traits.budget_min} thinking tokens: {self._model.id} always reasons"
            )
        least = max(least, traits.budget_min)
        wanted = max(least, min(_BUDGETS.get(asked, traits.budget_min), traits.budget_max or _BUDGETS["max"]))
        if max_tokens is None:
            return wanted
        room = max(max_tokens - max(1, max_tokens // 4), min(least, max_tokens - 1))
        if room < least:
            self.notes.append(
                f"reasoning left out: max tokens {max_tokens} leaves no room for {least} thinking tokens"
            )
            return None
        if room < wanted:
            self.notes.append(
                f"thinking budget {wanted} sent as {room}: it has to stay under max tokens {max_tokens}"
            )
        return min(wanted, room)
