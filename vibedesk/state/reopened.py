"""A kept conversation, lane by lane."""

from __future__ import annotations

from vibedesk.state.story import Exchange
from vibedesk.store.history import Conversation, StoredAnswer


def exchanges_of(conversation: Conversation, lane_id: str) -> list[Exchange]:
    """The turns this lane took part in, each with its answers, one of them chosen."""
    answers: dict[str, list[StoredAnswer]] = {}
    for answer in conversation.answers:
        if answer.lane_id == lane_id:
            answers.setdefault(answer.turn_id, []).append(answer)
    found = [
        Exchange(turn, answers.get(turn.id, []))
        for turn in conversation.turns
        if lane_id in turn.lanes or turn.id in answers
    ]
    for exchange in found:
        standing = [place for place, answer in enumerate(exchange.answers) if not answer.replaced]
        exchange.chosen = standing[-1] if standing else -1
    return found
