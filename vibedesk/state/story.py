"""What one lane was asked and said: every version of every question, and the path through them that is shown."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from vibedesk.engine.pricing import estimate_tokens
from vibedesk.store.history import StoredAnswer, StoredTurn


class Exchange(Struct):
    """A turn as one lane saw it, and its answers, oldest first. The chosen one counts; the others were replaced."""

    turn: StoredTurn
    answers: list[StoredAnswer] = field(default_factory=list)
    chosen: int = -1
    _weighed: tuple[str, int] = ("", 0)

    @property
    def tokens(self) -> int:
        """About how many tokens the question and the answer that counts are; weighed once for each answer."""
        answer = self.answer
        known = f"{answer.id}:{len(answer.text)}" if answer else "-"
        if self._weighed[0] != known:
            both = estimate_tokens(self.turn.text) + (estimate_tokens(answer.text) if answer else 0)
            self._weighed = known, both
        return self._weighed[1]

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
        self._shown: set[str] = set()
        self._index()
        shown = self._by_id.get(leaf, self._all[-1] if self._all else None)
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
        return self._by_id.get(turn_id) if turn_id in self._shown else None

    def add(self, turn: StoredTurn) -> Exchange:
        """A question after the last one shown."""
        exchange = Exchange(turn)
        self._all.append(exchange)
        self._enter(exchange, len(self._all) - 1)
        self.path.append(exchange)
        self._shown.add(turn.id)
        return exchange

    def versions(self, exchange: Exchange) -> list[Exchange]:
        """Of its question, itself among them, oldest first."""
        return self._after[self.parent(exchange)]

    def show(self, exchange: Exchange) -> None:
        """The path through this exchange, and on to the latest that follows it."""
        self.rewind(exchange)
        following: Exchange | None = exchange
        while following is not None and following.turn.id not in self._shown:
            self.path.append(following)
            self._shown.add(following.turn.id)
            after = self._after.get(following.turn.id)
            following = after[-1] if after else None

    def rewind(self, exchange: Exchange) -> None:
        """The path ends before this exchange; nothing is lost."""
        self.path = self._above(exchange)
        self._shown = {one.turn.id for one in self.path}

    def remove(self, exchange: Exchange) -> None:
        """Out of the tree; what followed it follows the one before."""
        parent = self.parent(exchange)
        for one in self._after.get(exchange.turn.id, ()):
            one.turn = replace(one.turn, parents={**(one.turn.parents or {}), self._lane: parent})
        was_shown = exchange.turn.id in self._shown
        self._shown.discard(exchange.turn.id)
        self.path = [one for one in self.path if one is not exchange]
        self._all = [one for one in self._all if one is not exchange]
        self._index()
        if was_shown and not self.path and self._all:
            self.show(self._all[-1])

    def parent(self, exchange: Exchange) -> str:
        """The id of the turn it was asked after, "" = it was the first."""
        return self._parents.get(exchange.turn.id, "")

    def _index(self) -> None:
        self._by_id: dict[str, Exchange] = {one.turn.id: one for one in self._all}
        self._parents: dict[str, str] = {}
        self._after: dict[str, list[Exchange]] = {}
        for place, exchange in enumerate(self._all):
            self._enter(exchange, place)

    def _enter(self, exchange: Exchange, place: int) -> None:
        self._by_id[exchange.turn.id] = exchange
        parents = exchange.turn.parents
        if parents is not None and self._lane in parents:
            before = parents[self._lane] if parents[self._lane] in self._by_id else ""
        else:
            before = self._all[place - 1].turn.id if place else ""
        self._parents[exchange.turn.id] = before
        self._after.setdefault(before, []).append(exchange)

    def _above(self, exchange: Exchange) -> list[Exchange]:
        above: list[Exchange] = []
        seen = {exchange.turn.id}
        parent = self._by_id.get(self.parent(exchange))
        while parent is not None and parent.turn.id not in seen:
            above.append(parent)
            seen.add(parent.turn.id)
            parent = self._by_id.get(self.parent(parent))
        return above[::-1]
