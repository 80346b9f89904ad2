"""The personal ranking: what the votes say of the models, by Bradley and Terry, with how sure it is."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations

from msgspec import Struct
from PySide6.QtCore import QObject, Signal

from vibedesk.desk import Desk
from vibedesk.state.rows import RowsModel
from vibedesk.state.tasks import Tasks
from vibedesk.store.database import DatabaseProblem
from vibedesk.store.votes import Vote

MIDDLE, SCALE = 1_500.0, 400.0 / math.log(10)
"""The points of an average model; points a unit of log-odds: 400 points more are ten wins to one."""
DOUBT = 1.5
"""Standard deviation, in log-odds, expected among models before any vote: no single win makes a model unbeatable."""
SURE = 1.959964
"""Standard deviations to each side of a 95 % interval."""
ENOUGH = 1e-12

Pair = tuple[str, str, float]
"""Two names, and what the first scored against the second: 1, ½ or 0."""


class Rank(Struct, frozen=True, kw_only=True):
    """`low` to `high` holds the true points with 95 % chance. `wins`, `losses`, `ties` count pairs."""

    id: str
    points: float
    low: float
    high: float
    wins: int
    losses: int
    ties: int


def pairs_of(votes: Iterable[Vote]) -> list[Pair]:
    """The best beats each of the others; a tie, and all bad, is half a point to either side of every pair."""
    found: list[Pair] = []
    for vote in votes:
        names = vote.contenders
        if vote.choice >= 0:
            best = names[vote.choice]
            found += [(best, other, 1.0) for place, other in enumerate(names) if place != vote.choice]
        else:
            found += [(one, other, 0.5) for one, other in combinations(names, 2)]
    return [(one, other, score) for one, other, score in found if one != other]


def ranked(pairs: Sequence[Pair]) -> list[Rank]:
    """Best first. The mode of the posterior, by Newton's method; intervals from its curvature there."""
    names = sorted({name for one, other, _ in pairs for name in (one, other)})
    place = {name: number for number, name in enumerate(names)}
    met: Counter[tuple[int, int]] = Counter()
    scored = [0.0] * len(names)
    for one, other, score in sorted(pairs):
        met[min(place[one], place[other]), max(place[one], place[other])] += 1
        scored[place[one]] += score
        scored[place[other]] += 1 - score
    strength = _mode(met, scored)
    spread = _spread(_curvature(met, strength))
    tallies = {name: _tally(name, pairs) for name in names}
    found = [
        _rank(name, strength[number], spread[number], tallies[name]) for number, name in enumerate(names)
    ]
    return sorted(found, key=lambda rank: (-rank.points, rank.id))


def _mode(met: Counter[tuple[int, int]], scored: list[float]) -> list[float]:
    """Log-odds of each; their sum is 0. The posterior is strictly concave: there is one, and steps are halved to it."""
    at = [0.0] * len(scored)
    for _ in range(100):
        slope = _slope(met, scored, at)
        if max((abs(value) for value in slope), default=0.0) < ENOUGH:
            break
        step = _solved(_curvature(met, at), [slope])[0]
        width, here = 1.0, _chance(met, scored, at)
        while _chance(met, scored, _moved(at, step, width)) < here and width > 1e-6:
            width /= 2
        at = _moved(at, step, width)
    return at


def _moved(at: list[float], step: list[float], width: float) -> list[float]:
    return [one + width * other for one, other in zip(at, step, strict=True)]


def _chance(met: Counter[tuple[int, int]], scored: list[float], at: list[float]) -> float:
    """The logarithm of the posterior, but for a constant."""
    told = sum(score * strength for score, strength in zip(scored, at, strict=True))
    expected = sum(
        times * (max(at[i], at[j]) + math.log1p(math.exp(-abs(at[i] - at[j]))))
        for (i, j), times in met.items()
    )
    return told - expected - sum(value * value for value in at) / (2 * DOUBT**2)


def _slope(met: Counter[tuple[int, int]], scored: list[float], at: list[float]) -> list[float]:
    slope = [score - strength / DOUBT**2 for score, strength in zip(scored, at, strict=True)]
    for (i, j), times in met.items():
        chance = _win(at[i] - at[j])
        slope[i] -= times * chance
        slope[j] -= times * (1 - chance)
    return slope


def _curvature(met: Counter[tuple[int, int]], at: list[float]) -> list[list[float]]:
    """The negated second derivative: symmetric and positive."""
    size = len(at)
    matrix = [[1 / DOUBT**2 if row == column else 0.0 for column in range(size)] for row in range(size)]
    for (i, j), times in met.items():
        chance = _win(at[i] - at[j])
        weight = times * chance * (1 - chance)
        matrix[i][i] += weight
        matrix[j][j] += weight
        matrix[i][j] -= weight
        matrix[j][i] -= weight
    return matrix


def _win(by: float) -> float:
    return 1 / (1 + math.exp(-by)) if by >= 0 else math.exp(by) / (1 + math.exp(by))


def _spread(matrix: list[list[float]]) -> list[float]:
    """Standard deviation of each from the mean of all: votes say nothing of where that mean lies."""
    size = len(matrix)
    units = [[1.0 if row == column else 0.0 for row in range(size)] for column in range(size)]
    inverse = _solved(matrix, units)
    return [math.sqrt(column[number] - DOUBT**2 / size) for number, column in enumerate(inverse)]


def _solved(matrix: list[list[float]], sides: list[list[float]]) -> list[list[float]]:
    """x of matrix·x = side for each side, by Cholesky: the matrix is symmetric and positive."""
    size = len(matrix)
    root = [[0.0] * size for _ in range(size)]
    for row in range(size):
        for column in range(row + 1):
            rest = matrix[row][column] - sum(root[row][k] * root[column][k] for k in range(column))
            root[row][column] = math.sqrt(rest) if row == column else rest / root[column][column]
    found = []
    for side in sides:
        half = [0.0] * size
        for row in range(size):
            half[row] = (side[row] - sum(root[row][k] * half[k] for k in range(row))) / root[row][row]
        whole = [0.0] * size
        for row in reversed(range(size)):
            rest = half[row] - sum(root[k][row] * whole[k] for k in range(row + 1, size))
            whole[row] = rest / root[row][row]
        found.append(whole)
    return found


def _tally(name: str, pairs: Sequence[Pair]) -> tuple[int, int, int]:
    own = [score for one, _, score in pairs if one == name]
    own += [1 - score for _, other, score in pairs if other == name]
    return own.count(1.0), own.count(0.0), own.count(0.5)


def _rank(name: str, strength: float, spread: float, tally: tuple[int, int, int]) -> Rank:
    points, reach = MIDDLE + SCALE * strength, SCALE * SURE * spread
    wins, losses, ties = tally
    return Rank(
        id=name, points=points, low=points - reach, high=points + reach, wins=wins, losses=losses, ties=ties
    )


class Ranking(QObject):
    """`rows` holds the ranks under `tag` (None = all votes); `changed` after each look."""

    changed = Signal()

    def __init__(self, desk: Desk, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self._tasks = desk, tasks
        self.rows = RowsModel(self, text=lambda rank: rank.id)
        self.tags: tuple[str, ...] = ()
        self.tag: str | None = None
        self.votes = 0
        self._wish = 0
        self.problem = ""

    def show(self, tag: str | None) -> None:
        """Only votes with this tag; None = all."""
        self.tag = tag
        self.refresh()

    def refresh(self) -> None:
        if not self._tasks.closed:
            self._tasks.start(self._load(), name="rank the models")

    async def _load(self) -> None:
        self._wish = wish = self._wish + 1
        tag, tags, trouble = self.tag, self.tags, ""
        try:
            votes = await asyncio.to_thread(self._desk.votes.all)
            tags = await asyncio.to_thread(self._desk.votes.tags)
        except DatabaseProblem as problem:
            votes, trouble = (), str(problem)
        chosen = [vote for vote in votes if tag is None or vote.tag == tag]
        ranks = await asyncio.to_thread(ranked, pairs_of(chosen))
        if wish == self._wish:  # else somebody looked again meanwhile
            self.tags, self.problem = tags, trouble
            self.votes = len(chosen)
            self.rows.set_rows(ranks)
            self.changed.emit()
