"""A conversation goes to a file and comes back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from vibedesk.engine.types import Cost, Image, Usage
from vibedesk.store.database import Database
from vibedesk.store.history import Conversation, History, LaneSpec, StoredAnswer
from vibedesk.store.transfer import NotReadable, read, written


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    database = Database(tmp_path / "vibedesk.db")
    yield History(database)
    database.close()


def conversation(history: History) -> Conversation:
    """Two versions of one question, a picture, an answer with its price."""
    id = history.create([LaneSpec(id="a", model="openai/gpt-6-luna")], "Title")
    first = history.add_turn(id, "Hi", [Image("image/png", b"\x89PNG")], ["a"], {"a": ""})
    second = history.add_turn(id, "Hi again", [], ["a"], {"a": first.id})
    history.set_lanes(id, [LaneSpec(id="a", model="openai/gpt-6-luna", leaf=second.id)])
    history.save_answer(
        id,
        StoredAnswer(
            id="one", turn_id=first.id, lane_id="a", text="Hello \U0001f600", outcome="complete",
            usage=Usage(input_tokens=1, output_tokens=2), cost=Cost(usd=Decimal("0.0000012"), source="list"),
            created=datetime.now(UTC),
        ),
    )  # fmt: skip
    history.set_tags(id, ["work"])
    return history.load(id)


def test_what_is_read_is_what_was_written_under_new_ids(history: History) -> None:
    before = conversation(history)
    [after] = read(written((before,)))
    assert after.id != before.id
    assert after.turns[0].images == before.turns[0].images
    assert after.turns[1].parents == {"a": after.turns[0].id}
    assert after.lanes[0].leaf == after.turns[1].id
    assert after.answers[0].turn_id == after.turns[0].id
    assert replace(after.answers[0], id="one", turn_id=before.turns[0].id) == before.answers[0]
    assert (after.title, after.tags, after.created) == (before.title, before.tags, before.created)


def test_it_can_be_kept_beside_the_one_it_came_from_as_often_as_wished(history: History) -> None:
    content = written((conversation(history),))
    for _ in range(2):
        for one in read(content):
            history.keep(one)
    assert [one.title for one in history.list(search="again")] == ["Title"] * 3


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[1]", "no export of VibeDesk"),
        (b'{"format": "chatgpt"}', "no export of VibeDesk"),
        (b'{"format": "vibedesk-conversations", "version": 2}', "newer VibeDesk"),
        (b'{"format": "vibedesk-conversations", "version": 1, "conversations": [{}]}', "damaged"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_what_cannot_be_read_is_named(content: bytes, sentence: str) -> None:
    with pytest.raises(NotReadable, match=sentence):
        read(content)
