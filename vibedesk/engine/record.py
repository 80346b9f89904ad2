"""What is known of an answer while it comes: the attempts, the text, the times; becomes `Attempt`s and one
`Finished`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from msgspec.structs import replace

from vibedesk.engine.errors import EngineError
from vibedesk.engine.pricing import cost_of, estimate_tokens
from vibedesk.engine.timers import tokens_in
from vibedesk.engine.types import (
    Attempt,
    Cost,
    Deployment,
    Finished,
    FinishReason,
    FinishReported,
    ModelReported,
    Outcome,
    Piece,
    ReasoningDelta,
    Request,
    Rung,
    TextDelta,
    Usage,
    UsageReported,
)

LOOSE = 512
"""Pieces of text that wait to be joined."""
SHOWN = (TextDelta, ReasoningDelta)
"""The pieces that are words; the others are facts for the record."""

_REQUEST_ID_HEADERS = ("x-request-id", "request-id", "x-generation-id", "cf-ray")
_GATEWAY_NOTES = {
    "cf-aig-cache-status": "gateway cache",
    "cf-aig-log-id": "gateway log",
    "cf-aig-step": "gateway step",
    "cf-aig-model": "gateway model",
    "cf-aig-provider": "gateway provider",
}


class Words:
    """Text that comes in many small pieces. They are joined on the way: the whole is never far off, and an answer of
    a hundred thousand tokens is not a hundred thousand objects."""

    __slots__ = ("_joined", "_loose")

    def __init__(self) -> None:
        self._joined: list[str] = []
        self._loose: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._joined or self._loose)

    def __str__(self) -> str:
        if self._joined or len(self._loose) > 1:
            self._loose = ["".join((*self._joined, *self._loose))]
            self._joined = []
        return self._loose[0] if self._loose else ""

    def add(self, pieces: Iterable[str]) -> None:
        self._loose += pieces
        if len(self._loose) >= LOOSE:
            self._joined.append("".join(self._loose))
            self._loose = []


class Trial:
    """One attempt under way. Times in seconds since the first request was sent."""

    def __init__(self, deployment: Deployment, rule: str, started_s: float) -> None:
        self.deployment = deployment
        self.rule = rule
        self.started_s = started_s
        self.connected_s: float | None = None
        self.status: int | None = None
        self.request_id = ""
        self.model = ""
        self.cached = False
        self.finish: FinishReason | None = None
        self.usage: Usage | None = None
        self.guess: Usage | None = None
        """About what it came to, where nobody counted."""
        self.request: Request | None = None
        """What was asked; None = nothing was."""
        self.began_at = (0, 0)
        """Where its words begin in the record's text and reasoning."""
        self.reported_usd: Decimal | None = None
        self.first_s: float | None = None
        self.last_s: float | None = None
        self.reasoning_s: tuple[float, float] | None = None
        self.text_s: float | None = None
        self.notes: list[str] = []

    def answered(self, status: int, headers: Mapping[str, str], now_s: float) -> None:
        """The answer's headers have arrived."""
        self.status, self.connected_s = status, now_s
        self.request_id = next((headers[name] for name in _REQUEST_ID_HEADERS if headers.get(name)), "")
        self.cached = headers.get("cf-aig-cache-status", "").upper() == "HIT"
        self.notes += [
            f"{label} {headers[name]}" for name, label in _GATEWAY_NOTES.items() if headers.get(name)
        ]

    def hear(self, pieces: Sequence[Piece], now_s: float) -> list[TextDelta | ReasoningDelta]:
        """Takes the pieces of one read in; gives those that are something to show."""
        shown: list[TextDelta | ReasoningDelta] = []
        for piece in pieces:
            if isinstance(piece, SHOWN):
                if piece.text:
                    shown.append(piece)
            else:
                self._note(piece)
        if shown:
            self._time(shown, now_s)
        return shown

    def _time(self, shown: Sequence[TextDelta | ReasoningDelta], now_s: float) -> None:
        kinds = {type(piece) for piece in shown}
        if TextDelta in kinds and self.text_s is None:
            self.text_s = now_s
        if ReasoningDelta in kinds:
            self.reasoning_s = (self.reasoning_s[0] if self.reasoning_s else now_s, now_s)
        self.first_s = now_s if self.first_s is None else self.first_s
        self.last_s = now_s

    def _note(self, piece: Piece) -> None:
        match piece:
            case UsageReported(usage, cost_usd):
                self.usage = usage
                self.reported_usd = cost_usd if cost_usd is not None else self.reported_usd
            case FinishReported(reason, _):
                self.finish = reason
            case ModelReported(model, request_id):
                self.model = model or self.model
                self.request_id = self.request_id or request_id

    @property
    def tokens_per_s(self) -> float | None:
        """Tokens after the first over the time they took; None when nobody counted, or all came at once.

        Reasoning tokens that were never shown were made before the first one: they are left out.
        """
        if self.usage is None or self.first_s is None or self.last_s is None or self.cached:
            return None
        hidden = 0 if self.reasoning_s else self.usage.reasoning_tokens
        count = self.usage.output_tokens - hidden - 1
        return count / (self.last_s - self.first_s) if count >= 1 and self.last_s > self.first_s else None

    @property
    def thought_s(self) -> float | None:
        """From the first piece of reasoning to the first of text, or to its last piece."""
        if self.reasoning_s is None:
            return None
        first, last = self.reasoning_s
        return (self.text_s if self.text_s is not None and self.text_s > first else last) - first

    def cost(self, on: date) -> Cost | None:
        """None when unknown. An answer from the gateway's cache costs nothing at the provider.

        What nobody counted is priced by its words, and said to be (routing.md §2.14).
        """
        if self.cached:
            return Cost(usd=Decimal(0), source="gateway cache")
        provider, model = self.deployment.provider, self.deployment.model
        cost = cost_of(self.usage, model, on=on, reported_usd=self.reported_usd)
        if cost is not None or self.usage is not None or provider.local or provider.keyless:
            return cost
        about = cost_of(self.guess, model, on=on)
        return replace(about, estimated=True) if about is not None else None


class Record:
    """One ask from beginning to end. `now` counts seconds since it began."""

    def __init__(self, rungs: Sequence[Rung], clock: Callable[[], float], today: date) -> None:
        self._rungs = tuple(rungs)
        self._clock = clock
        self._began = clock()
        self._today = today
        self._text, self._reasoning = Words(), Words()
        self.attempts: list[Attempt] = []
        self.trial: Trial | None = None
        """The attempt under way, or the last one."""
        self._open = False
        self.sent_after_s: float | None = None
        """Time from asking to the first request being sent."""
        self._asked: set[int] = set()
        self._passed: set[int] = set()
        self._joined_at: list[int] = []
        self._halves = 0
        """Attempts whose words stand in the text, before the one under way."""
        self._restarts = 0
        self.result: Finished | None = None

    @property
    def now(self) -> float:
        return self._clock() - self._began

    def sent(self, waited_s: float = 0.0) -> None:
        """The request goes out, its connection open. The first one begins the time that is told: what the program did
        before it, and its waiting for others at the start line (`waited_s`), were not the provider's doing."""
        if self.sent_after_s is None and not self.attempts:
            self.sent_after_s = self.now
            self._began += self.sent_after_s
            if self.trial is not None:
                self.trial.started_s = 0.0
        else:
            self._began += waited_s

    @property
    def text(self) -> str:
        return str(self._text)

    @property
    def committed(self) -> bool:
        """Something of this answer has been shown: from now on nobody else may give it."""
        return bool(self._text or self._reasoning)

    @property
    def thought(self) -> bool:
        """Reasoning has been shown."""
        return bool(self._reasoning)

    def begin(self, deployment: Deployment, position: int, rule: str) -> Trial:
        self._asked.add(position)
        self.trial, self._open = Trial(deployment, rule, self.now), True
        self.trial.began_at = (len(self.text), len(str(self._reasoning)))
        return self.trial

    def hear(self, pieces: Sequence[Piece]) -> list[TextDelta | ReasoningDelta]:
        """Takes what one read brought into the attempt under way; gives what of it is to be shown."""
        if self.trial is None:
            return []
        shown = self.trial.hear(pieces, self.now)
        self._text.add([piece.text for piece in shown if type(piece) is TextDelta])
        self._reasoning.add([piece.text for piece in shown if type(piece) is ReasoningDelta])
        return shown

    def pass_over(self, position: int) -> None:
        """This rung could not be asked, or gave no answer."""
        self._passed.add(position)

    def join(self) -> int:
        """The next words go on from the text as it is; where that is."""
        at = len(self.text)
        self._joined_at.append(at)
        self._halves = len(self.attempts)
        if self.trial is not None:
            self.trial.notes.append(f"the rest of an answer that broke off, joined at character {at}")
        return at

    def take_back(self) -> None:
        """What was said is said anew."""
        self._text, self._reasoning, self._joined_at = Words(), Words(), []
        self._halves = 0
        self._restarts += 1
        if self.trial is not None:
            self.trial.began_at = (0, 0)

    def count(self) -> Usage | None:
        """What the attempt came to, asked when nothing more of it comes: the provider's count, or ours of its words.
        None where there were none."""
        trial = self.trial
        if trial is None or trial.usage is not None or trial.first_s is None or trial.request is None:
            return trial.usage if trial is not None else None
        if trial.guess is None:
            text_at, reasoning_at = trial.began_at
            said = (self.text[text_at:], str(self._reasoning)[reasoning_at:])
            given = sum(map(estimate_tokens, said))
            trial.guess = Usage(input_tokens=tokens_in(trial.request), output_tokens=given)
        return trial.guess

    def end(self, outcome: Outcome, error: EngineError | None) -> None:
        """Closes the attempt under way, if one is."""
        if not self._open or self.trial is None:
            return
        self._open = False
        self.count()
        self.attempts.append(self._attempt(self.trial, outcome, error))

    def finish(self, outcome: Outcome, error: EngineError | None) -> Finished:
        """The one `Finished`: the first call decides, later ones give the same."""
        self.end(outcome, error)
        if self.result is None:
            self.result = self._finished(outcome, error)
        return self.result

    def _attempt(self, trial: Trial, outcome: Outcome, error: EngineError | None) -> Attempt:
        deployment = trial.deployment
        return Attempt(
            deployment=deployment.name,
            via=deployment.via,
            why_via=deployment.why_via,
            key=deployment.key_name,
            key_id=deployment.key.id if deployment.key else "",
            rule=trial.rule,
            status=trial.status if trial.status is not None or error is None else error.status,
            outcome=outcome,
            kind=error.kind if error else None,
            message=(error.provider_message or error.detail) if error else "",
            started_s=trial.started_s,
            connected_s=trial.connected_s,
            first_token_s=trial.first_s,
            ended_s=self.now,
            request_id=trial.request_id or (error.request_id if error else ""),
            finish_reason=trial.finish,
            usage=trial.usage,
            cost=trial.cost(self._today),
            notes=tuple(dict.fromkeys(trial.notes)),
            guess=trial.guess,
        )

    def _finished(self, outcome: Outcome, error: EngineError | None) -> Finished:
        trial = self.trial
        asked = trial.deployment if trial else (self._rungs[0].deployment if self._rungs else None)
        return Finished(
            outcome=outcome,
            finish_reason=trial.finish if trial else None,
            text=self.text,
            reasoning=str(self._reasoning),
            deployment=asked.name if asked else "",
            model=(trial.model if trial else "") or (asked.model.id if asked else ""),
            usage=self._usage(trial) if trial else None,
            cost=self._cost(trial) if trial else None,
            ttft_s=self.first_s,
            tokens_per_s=trial.tokens_per_s if trial else None,
            reasoning_s=trial.thought_s if trial else None,
            took_s=self.now,
            cached=trial.cached if trial else False,
            error=error,
            attempts=tuple(self.attempts),
            not_needed=self._not_needed(),
            joined_at=tuple(self._joined_at),
            restarts=self._restarts,
        )

    def _usage(self, trial: Trial) -> Usage | None:
        """Of a joined answer both halves' together; None where one of them is not known."""
        counts = [attempt.usage for attempt in self._earlier_halves()] + [trial.usage]
        known = [usage for usage in counts if usage is not None]
        if len(known) < len(counts):
            return None
        return known[0] if len(known) == 1 else _sum(known)

    def _cost(self, trial: Trial) -> Cost | None:
        """Like `_usage`; about so much where one half is."""
        cost = trial.cost(self._today)
        costs = [attempt.cost for attempt in self._earlier_halves()] + [cost]
        known = [one for one in costs if one is not None]
        if len(known) < len(costs):
            return None
        usd = sum((one.usd for one in known), Decimal(0))
        return replace(known[-1], usd=usd, estimated=any(one.estimated for one in known))

    @property
    def first_s(self) -> float | None:
        """The first token of what is shown."""
        halves = self._earlier_halves()
        if halves:
            return halves[0].first_token_s
        return self.trial.first_s if self.trial is not None else None

    def _earlier_halves(self) -> list[Attempt]:
        """The attempts whose words the last one went on from."""
        if not self._joined_at:
            return []
        return [one for one in self.attempts[: self._halves] if one.outcome == "cut"]

    def _not_needed(self) -> tuple[str, ...]:
        asked = {self._rungs[place].deployment.name for place in self._asked | self._passed}
        names = (
            rung.deployment.name
            for rung in self._rungs
            if rung.obstacle is None and rung.deployment.name not in asked
        )
        return tuple(dict.fromkeys(names))


def _sum(usages: Sequence[Usage]) -> Usage:
    fields = Usage.__struct_fields__
    return Usage(**{name: sum(getattr(usage, name) for usage in usages) for name in fields})
