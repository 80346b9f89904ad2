"""What one lane was asked and said: every version of every question, and the path through them that is shown."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from vibedesk.store.history import StoredAnswer, StoredTurn


class Exchange(Struct):
    """A turn as one lane saw it, and its answers, oldest first. The chosen one counts; the others were replaced."""

    turn: StoredTurn
    answers: list[StoredAnswer] = field(default_factory=list)
    chosen: int = -1

    @property
    def answer(self) -> StoredAnswer | None:
        return self.answers[self.chosen] if self.answers else None

    @property
    def place(self) -> int:
        """Of the chosen answer among all, from 0."""
        return self.chosen % len(self.answers) if self.answers else 0

    def choose(self, place: int) -> list[StoredAnswer]:
        """Answer `place` counts from now on; the answers that this changes, as they are now."""
        self.chosen = place
        changed = []
        for number, answer in enumerate(self.answers):
            if answer.replaced == (number == place):
                self.answers[number] = replace(answer, replaced=number != place)
                changed.append(self.answers[number])
        return changed


class Story:
    """All exchanges of one lane as a tree: two turns that were asked after the same one are versions of a question."""

    def __init__(self, lane_id: str, exchanges: Sequence[Exchange] = (), leaf: str = "") -> None:
        self._lane = lane_id
        self._all = list(exchanges)
        self.path: list[Exchange] = []
        """What is shown, from the first question on."""
        shown = next((one for one in self._all if one.turn.id == leaf), self._all[-1] if self._all else None)
        if shown is not None:
            self.show(shown)

    @property
    def leaf(self) -> str:
        """The id of the last turn that is shown; "" where none is."""
        return self.path[-1].turn.id if self.path else ""

    @property
    def branched(self) -> bool:
        """Whether there is more than what is shown."""
        return len(self.path) < len(self._all)

    def exchange(self, turn_id: str) -> Exchange | None:
        """Of the shown ones."""
        return next((one for one in self.path if one.turn.id == turn_id), None)

    def add(self, turn: StoredTurn) -> Exchange:
        """A question after the last one shown."""
        exchange = Exchange(turn)
        self._all.append(exchange)
        self.path.append(exchange)
        return exchange

    def versions(self, exchange: Exchange) -> list[Exchange]:
        """Of its question, itself among them, oldest first."""
        parent = self.parent(exchange)
        return [one for one in self._all if self.parent(one) == parent]

    def show(self, exchange: Exchange) -> None:
        """The path through this exchange, and on to the latest that follows it."""
        self.path = self._above(exchange)
        while exchange is not None:
            self.path.append(exchange)
            exchange = self._latest_after(exchange)  # type: ignore[assignment]

    def rewind(self, exchange: Exchange) -> None:
        """The path ends before this exchange; nothing is lost."""
        self.path = self._above(exchange)

    def remove(self, exchange: Exchange) -> None:
        """Out of the tree; what followed it follows the one before."""
        parent = self.parent(exchange)
        for one in self._all:
            if one is not exchange and self.parent(one) == exchange.turn.id:
                one.turn = replace(one.turn, parents={**(one.turn.parents or {}), self._lane: parent})
        shown = [one for one in self.path if one is not exchange]
        self._all.remove(exchange)
        if exchange in self.path and len(shown) < 1 and self._all:
            self.show(self._all[-1])
        else:
            self.path = shown

    def parent(self, exchange: Exchange) -> str:
        """The id of the turn it was asked after, "" = it was the first."""
        parents = exchange.turn.parents
        if parents is not None and self._lane in parents:
            before = parents[self._lane]
            return before if any(one.turn.id == before for one in self._all) else ""
        place = self._all.index(exchange)
        return self._all[place - 1].turn.id if place else ""

    def _above(self, exchange: Exchange) -> list[Exchange]:
        by_id = {one.turn.id: one for one in self._all}
        above: list[Exchange] = []
        parent = by_id.get(self.parent(exchange))
        while parent is not None and parent not in above and parent is not exchange:
            above.insert(0, parent)
            parent = by_id.get(self.parent(parent))
        return above

    def _latest_after(self, exchange: Exchange) -> Exchange | None:
        after = [one for one in self._all if self.parent(one) == exchange.turn.id and one not in self.path]
        return after[-1] if after else None
