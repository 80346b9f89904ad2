"""One question as a table: who answered, through what, how fast, for how much, how it ended."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from vibedesk.state.lane import Lane
from vibedesk.state.metrics import METRICS, Measured, best_of_many, measured
from vibedesk.state.story import Exchange
from vibedesk.store.history import StoredAnswer

LETTERS = "ABCDEFGH"


class RunRow(Struct, frozen=True, kw_only=True):
    """A lane's part in the run. `figures` by the name of the metric; `left_s` after the first request that left."""

    id: str
    letter: str
    model: str
    provider: str
    via: str
    outcome: str
    error: str
    figures: dict[str, Measured | None]
    best: frozenset[str]
    times: int
    left_s: float | None
    input_tokens: int | None


class Run(Struct, frozen=True, kw_only=True):
    """`turn` counts from 0; `spread_s` lies between the first and the last request that left."""

    turn: int
    question: str
    rows: tuple[RunRow, ...]

    @property
    def spread_s(self) -> float | None:
        left = [row.left_s for row in self.rows if row.left_s is not None]
        return max(left) - min(left) if len(left) > 1 else None

    @property
    def times(self) -> int:
        """How often it was asked, at most."""
        return max((row.times for row in self.rows), default=0)


def run_of(lanes: Sequence[Lane], turn: int) -> Run | None:
    """The turn at this position over all lanes that took part in it; None when none did."""
    parts = [
        (place, lane, one) for place, lane in enumerate(lanes) if (one := _exchange(lane, turn)) is not None
    ]
    if not parts:
        return None
    best = best_of_many([repeats_of(exchange) for _, _, exchange in parts])
    rows = tuple(
        _row(lane, place, exchange, frozenset(best.get(number, set())))
        for number, (place, lane, exchange) in enumerate(parts)
    )
    return Run(turn=turn, question=parts[0][2].turn.text, rows=rows)


def repeats_of(exchange: Exchange) -> list[StoredAnswer]:
    """The answers that can be measured together: of the same place as the last one."""
    last = exchange.answer
    return [one for one in exchange.answers if last is not None and one.deployment == last.deployment]


def _exchange(lane: Lane, turn: int) -> Exchange | None:
    return next((one for one in lane.exchanges if one.turn.position == turn and one.answers), None)


def _row(lane: Lane, place: int, exchange: Exchange, best: frozenset[str]) -> RunRow:
    answer, repeats = exchange.answer or exchange.answers[-1], repeats_of(exchange)
    provider, _, model = (answer.deployment or lane.spec.model or lane.spec.route).partition("/")
    return RunRow(
        id=lane.spec.id,
        letter=LETTERS[place],
        model=model or provider,
        provider=lane.provider_name(provider) if model else "",
        via=answer.attempts[-1].via if answer.attempts else "",
        outcome=answer.outcome or "running",
        error=answer.error_title,
        figures={metric: measured(repeats, metric) for metric in METRICS},
        best=best,
        times=sum(one.outcome == "complete" for one in repeats),
        left_s=answer.left_s,
        input_tokens=answer.usage.input_tokens if answer.usage is not None else None,
    )
