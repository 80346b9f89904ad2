"""What a route would do now, and what it would do if: the live ask's own `decide`, run without a network. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from vibedesk.engine import errors
from vibedesk.engine.allowance import Use, Uses, spent
from vibedesk.engine.climb import (
    Begun,
    Completed,
    Effect,
    Failed,
    Fall,
    Finish,
    Resume,
    Send,
    Sleep,
    State,
    Woke,
    climb_of,
)
from vibedesk.engine.dialects import dialect_of
from vibedesk.engine.errors import EngineError, Misconfigured
from vibedesk.engine.ladder import decide
from vibedesk.engine.standing import standing_of
from vibedesk.engine.transport import speaks
from vibedesk.engine.types import Deployment, Limits, Rung
from vibedesk.engine.world import World

AS_NEW = World()
EVERYBODY = "*"
WORDS: dict[str, tuple[type[EngineError], dict[str, Any]]] = {
    "timeout": (errors.TimedOut, {"timer": "first_token"}),
    "stall": (errors.TimedOut, {"timer": "idle"}),
    "connect": (errors.TimedOut, {"timer": "connect"}),
    "offline": (errors.Unreachable, {"no_network": True}),
}
"""Faults by a word of their own, beside statuses and the kinds of errors."""
_KINDS: dict[str, type[EngineError]] = {
    kind.kind: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, EngineError)
}
FAULTS = (*WORDS, "limit", *sorted(_KINDS))
"""What can go wrong, beside the statuses."""


class Step(Struct, frozen=True, kw_only=True):
    """One request that would be sent. `error` None = it is answered; `shown` = some of the answer was there."""

    position: int
    rule: str
    error: EngineError | None = None
    shown: bool = False


class Told(Struct, frozen=True, kw_only=True):
    """One rung. `verdict` is "ready" or the kind of what stands in its way or would go wrong with it (`error`).

    `asked` = how many requests it would be sent; `answers` = the answer would be its. `reason` = when it is asked.
    """

    rung: Rung
    verdict: str
    reason: str
    asked: int = 0
    answers: bool = False
    error: EngineError | None = None


class Explanation(Struct, frozen=True, kw_only=True):
    """`rungs` in the route's order, `steps` in that of the requests; `outcome` and `error` as the answer would end;
    `waited_s` in all, and what for (`waits`)."""

    rungs: tuple[Told, ...]
    steps: tuple[Step, ...]
    outcome: str
    error: EngineError | None = None
    waited_s: float = 0.0
    waits: tuple[tuple[float, EngineError], ...] = ()


def explain(
    rungs: Sequence[Rung],
    world: World = AS_NEW,
    faults: Mapping[str, str] | None = None,
    *,
    now: float = 0.0,
    total_s: float = 900.0,
) -> Explanation:
    """Climbs the rungs as an ask at `now` (seconds since 1970) would. Raises `Misconfigured` for a fault nobody knows.

    `faults`: whom → what goes wrong there. Whom: a provider's id, PROVIDER/MODEL, a key's id, name or label, or "*".
    What: a status ("529"), an error's kind ("invalid_key"), a word of `WORDS`, or "limit" (the user's, of the key).
    """
    told = _Faults(faults or {})
    rungs, world = told.at_their_limits(rungs, world, now)
    run = _Run(State(world, climb_of(rungs, total_s=total_s)), now, told)
    run.climb()
    return run.told()


class _Faults:
    """What goes wrong where."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        self._faults = dict(faults)
        for fault in self._faults.values():
            if not is_fault(fault):
                raise Misconfigured(f"There is no fault “{fault}”.", setting="fault")

    def of(self, deployment: Deployment) -> EngineError | None:
        """The failure of a request to it, None = it answers. Each call gives a new one."""
        fault = next((self._faults[name] for name in names_of(deployment) if name in self._faults), "")
        error = _error(fault, deployment)
        if error is not None:
            error.provider, error.key = deployment.provider.id, deployment.key_name
            error.facts.setdefault("model", deployment.model.id)
        return error

    def at_their_limits(
        self, rungs: Sequence[Rung], world: World, now: float
    ) -> tuple[tuple[Rung, ...], World]:
        """Keys said to be at their limit have one of a request a day, and it is used up."""
        found: list[Rung] = []
        for rung in rungs:
            key = rung.deployment.key
            if key is not None and any(
                self._faults.get(name) == "limit" for name in names_of(rung.deployment)
            ):
                limited = replace(key, limits=Limits(requests_per_day=1))
                rung = replace(rung, deployment=replace(rung.deployment, key=limited))
                world = replace(world, uses={**world.uses, key.id: spent(Uses(), Use(now, 0))})
            found.append(rung)
        return tuple(found), world


def is_fault(word: str) -> bool:
    """Whether `explain` knows what goes wrong by this."""
    return (word.isdecimal() and 400 <= int(word) < 600) or word in FAULTS


def names_of(deployment: Deployment) -> Iterator[str]:
    """Whom a fault can name to hit it, the closest first."""
    key = deployment.key
    if key is not None:
        yield from (key.id, key.name, key.label)
    yield from (deployment.name, deployment.provider.id, EVERYBODY)


def _error(fault: str, deployment: Deployment) -> EngineError | None:
    if fault in ("", "limit"):
        return None
    if fault.isdigit():
        refusal = dialect_of(speaks(deployment)).refusal(int(fault), {}, b"{}", deployment.provider)
        refusal.status = refusal.status or int(fault)
        return refusal
    if fault in WORDS:
        kind, facts = WORDS[fault]
        return kind(**facts)
    return _KINDS[fault]()


class _Run:
    """One climb in a time of its own."""

    def __init__(self, state: State, now: float, faults: _Faults) -> None:
        self._state = self._first = state
        self._began = self._now = now
        self._faults = faults
        self._steps: list[Step] = []
        self._passed: dict[int, EngineError] = {}
        self._waits: list[tuple[float, EngineError]] = []
        self._shown = False
        self._end = Finish("failed")

    def climb(self) -> None:
        """To the end."""
        effects = self._decide(Begun(**self._moment()))
        while effects:
            for effect in effects:
                if isinstance(effect, Fall):
                    self._passed.setdefault(effect.left, effect.error)
            effects = self._follow(effects[-1])

    def _follow(self, effect: Effect) -> tuple[Effect, ...]:
        match effect:
            case Finish():
                self._end = effect
            case Sleep(seconds, error):
                self._now += seconds
                self._waits.append((seconds, error))
                return self._decide(Woke(**self._moment()))
            case Send(position, rule):
                return self._sent(position, rule)
        return ()

    def _sent(self, position: int, rule: str) -> tuple[Effect, ...]:
        error = self._faults.of(self._state.climb.rungs[position].deployment)
        if error is None:
            self._steps.append(Step(position=position, rule=rule))
            return self._decide(Completed(**self._moment()))
        shown = error.kind == "cut"
        self._shown = self._shown or shown
        self._steps.append(Step(position=position, rule=rule, error=error, shown=shown))
        return self._decide(
            Failed(
                **self._moment(), error=error, shown=self._shown, spoke=shown, resumable=self._way(position)
            )
        )

    def _way(self, position: int) -> Resume:
        """How a model would go on from a long enough text."""
        prefill = self._state.climb.rungs[position].deployment.model.traits.prefill
        return ("prefill" if prefill else "overlap") if self._shown else ""

    def _decide(self, event: Begun | Woke | Failed | Completed) -> tuple[Effect, ...]:
        self._state, effects = decide(self._state, event)
        return effects

    def _moment(self) -> dict[str, Any]:
        return {"now": self._now, "elapsed_s": self._now - self._began}

    def told(self) -> Explanation:
        """What came of it."""
        return Explanation(
            rungs=tuple(self._rung(place, rung) for place, rung in enumerate(self._state.climb.rungs)),
            steps=tuple(self._steps),
            outcome=self._end.outcome,
            error=self._end.error,
            waited_s=sum(seconds for seconds, _ in self._waits),
            waits=tuple(self._waits),
        )

    def _hurdle(self, place: int) -> EngineError | None:
        """What stood in the way of this rung before anybody was asked."""
        return standing_of(self._first, place, self._began).error

    def _rung(self, place: int, rung: Rung) -> Told:
        steps = [step for step in self._steps if step.position == place]
        error = steps[-1].error if steps else self._passed.get(place) or self._hurdle(place)
        answers = bool(steps) and steps[-1].error is None
        return Told(
            rung=rung,
            verdict=error.kind if error is not None else "ready",
            reason=steps[0].rule if steps else rung.reason,
            asked=len(steps),
            answers=answers,
            error=error,
        )
