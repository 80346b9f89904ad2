"""A conversation as a file that another VibeDesk can read: everything that was said, and no key."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from vibedesk.store.history import Conversation, new_id

FORMAT = "vibedesk-conversations"
LARGEST = 512 << 20
"""Bytes of a file that is read at all."""


class NotReadable(Exception):
    """The file is none of ours, or damaged; the message says so and what helps."""


class _File(Struct, kw_only=True):
    format: str
    version: int
    conversations: tuple[Conversation, ...]


def written(conversations: tuple[Conversation, ...]) -> bytes:
    """The file's content: JSON, pictures as Base64."""
    document = _File(format=FORMAT, version=1, conversations=conversations)
    return msgspec.json.format(msgspec.json.encode(document), indent=1)


def read(content: bytes) -> tuple[Conversation, ...]:
    """The conversations of a file, under new ids: reading it twice makes two. Raises `NotReadable`."""
    if len(content) > LARGEST:
        raise NotReadable("The file is larger than 512 MiB, which no export of VibeDesk is.")
    try:
        header = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise NotReadable("This is no export of VibeDesk: it is not JSON.") from exc
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise NotReadable("This is no export of VibeDesk. Export a conversation as JSON to get one.")
    if header.get("version") != 1:
        raise NotReadable("A newer VibeDesk wrote this export. Update VibeDesk to read it.")
    try:
        document = msgspec.convert(header, _File)
    except msgspec.ValidationError as exc:
        raise NotReadable(f"The export is damaged: {exc}.") from exc
    return tuple(_renamed(one) for one in document.conversations)


def _renamed(conversation: Conversation) -> Conversation:
    """The same under ids nobody else has."""
    turns = {turn.id: new_id() for turn in conversation.turns}
    return replace(
        conversation,
        id=new_id(),
        lanes=tuple(replace(lane, leaf=turns.get(lane.leaf, "")) for lane in conversation.lanes),
        turns=tuple(
            replace(turn, id=turns[turn.id], parents=_parents(turn.parents, turns))
            for turn in conversation.turns
        ),
        answers=tuple(
            replace(answer, id=new_id(), turn_id=turns[answer.turn_id])
            for answer in conversation.answers
            if answer.turn_id in turns
        ),
    )


def _parents(parents: Mapping[str, str] | None, turns: Mapping[str, str]) -> dict[str, str] | None:
    return None if parents is None else {lane: turns.get(turn, "") for lane, turn in parents.items()}
