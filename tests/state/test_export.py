"""What leaves the desk as a file: whole, harmless, and without a key."""

from __future__ import annotations

import csv
import io
import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.playing import REFUSING, THINKING, playing
from tests.providers import TEXT
from tests.sitting import GROQ_KEY, until
from vibedesk.engine.types import Image
from vibedesk.state.export import COLUMNS, FORMATS, Format, exported, file_name
from vibedesk.store.history import Conversation

ASKED = '=1+1 <script>alert("1")</script> & more\n\n```html\n<b>bold</b>\n```'
PNG = bytes.fromhex("89504e470d0a1a0a")


async def conversation_in(folder: Path) -> tuple[Conversation, list[str]]:
    """Two lanes, one of which refuses; and everything of the keys that must not leave."""
    async with playing(folder, [THINKING, REFUSING]) as scene:
        before = scene.playground.turns
        scene.playground.ask(ASKED, [Image("image/png", PNG)])
        await until(lambda: scene.playground.turns > before)
        await scene.rest()
        attempts = [one for lane in scene.playground.lanes for one in lane.exchanges[0].answers[0].attempts]
        private = {GROQ_KEY, *(one.key for one in attempts), *(one.key_id for one in attempts)} - {""}
        return scene.desk.history.load(scene.playground.conversation), sorted(private)


class Page(HTMLParser):
    """Remembers every tag with its attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.mark.parametrize("form", list(FORMATS))
async def test_no_format_tells_of_a_key(tmp_path: Path, form: Format) -> None:
    conversation, private = await conversation_in(tmp_path)
    told = exported(conversation, form)
    assert len(private) >= 3
    assert not [word for word in private if word in told]
    assert TEXT in told
    assert "http://" not in told


async def test_the_page_loads_nothing_and_runs_nothing(tmp_path: Path) -> None:
    conversation, _ = await conversation_in(tmp_path)
    page = Page(exported(conversation, "html"))
    assert not {"script", "link", "iframe", "object", "a", "b"} & {tag for tag, _ in page.tags}
    loads = [value for _, fields in page.tags for name, value in fields.items() if name in ("src", "href")]
    assert all(str(value).startswith("data:image/png;base64,") for value in loads)
    assert len(loads) == 1
    policy = [fields["content"] for _, fields in page.tags if "http-equiv" in fields]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
    words = "".join(page.words)
    assert '=1+1 <script>alert("1")</script> & more' in words
    assert "<b>bold</b>\n" in words


async def test_a_spreadsheet_computes_nothing_of_it(tmp_path: Path) -> None:
    conversation, _ = await conversation_in(tmp_path)
    rows = list(csv.DictReader(io.StringIO(exported(conversation, "csv"))))
    assert tuple(rows[0]) == COLUMNS
    assert [row["outcome"] for row in rows] == ["complete", "failed"]
    assert {row["question"] for row in rows} == {"'" + ASKED}
    assert rows[0]["answer"] == TEXT
    assert float(rows[0]["first_token_s"]) > 0


async def test_json_and_markdown_hold_every_answer_under_its_lane(tmp_path: Path) -> None:
    conversation, _ = await conversation_in(tmp_path)
    told = json.loads(exported(conversation, "json"))
    assert [one["lane"] for one in told["answers"]] == ["A", "B"]
    assert told["answers"][0]["question"] == ASKED
    lines = exported(conversation, "md").splitlines()
    assert f"### A · {THINKING}" in lines
    assert f"### B · {REFUSING}" in lines
    assert TEXT in lines


def test_the_file_has_a_name_every_system_takes() -> None:
    assert file_name('../a: "title"? / of ∑ things', "md") == "a title  of  things.md"
    assert file_name("…", "csv") == "conversation.csv"
