"""A kept conversation, lane by lane."""

from __future__ import annotations

from vibedesk.state.story import Exchange
from vibedesk.store.history import Conversation


def exchanges_of(conversation: Conversation, lane_id: str) -> list[Exchange]:
    """The turns this lane took part in, each with its answers, one of them chosen."""
    answers = [answer for answer in conversation.answers if answer.lane_id == lane_id]
    found = [
        Exchange(turn, [answer for answer in answers if answer.turn_id == turn.id])
        for turn in conversation.turns
        if lane_id in turn.lanes or any(answer.turn_id == turn.id for answer in answers)
    ]
    for exchange in found:
        standing = [place for place, answer in enumerate(exchange.answers) if not answer.replaced]
        exchange.chosen = standing[-1] if standing else -1
    return found
