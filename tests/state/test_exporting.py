"""A conversation written to a file: whole and for its owner alone, or the file is as it was."""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.playing import playing
from vibedesk.state.exporting import Exporter


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file can be made larger than this: what a full disk does, after as many bytes."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.skipif(sys.platform == "win32", reason="a file's size is not limited that way there")
async def test_an_export_that_finds_no_room_leaves_the_earlier_one_whole(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        await scene.ask()
        exporter = Exporter(scene.desk, scene.tasks, scene.notices)
        file = tmp_path / "out" / "talk.md"
        file.parent.mkdir()
        exporter.export(scene.playground.conversation, "md", file)
        await scene.rest()
        earlier = file.read_bytes()
        assert scene.answer().text.encode() in earlier
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        with room_for(16):
            exporter.export(scene.playground.conversation, "md", file)
            await scene.rest()
        assert [notice.role for notice in scene.notices.current()] == ["ok", "bad"]
        assert (file.read_bytes(), [path.name for path in file.parent.iterdir()]) == (earlier, ["talk.md"])
