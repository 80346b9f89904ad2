"""Writes a kept conversation to a file, in a thread, and says where it is."""

from __future__ import annotations

import asyncio
from pathlib import Path

from vibedesk.desk import Desk
from vibedesk.state.export import Format, exported
from vibedesk.state.notices import Notices
from vibedesk.state.tasks import Tasks
from vibedesk.store.database import DatabaseProblem
from vibedesk.store.paths import write_whole


class Exporter:
    """`export` tells its end as a notice."""

    def __init__(self, desk: Desk, tasks: Tasks, notices: Notices) -> None:
        self._desk, self._tasks, self._notices = desk, tasks, notices

    def export(self, conversation: str, form: Format, path: Path) -> None:
        """Writes the conversation to `path`; one whose names are hidden is not written."""
        self._tasks.start(self._export(conversation, form, path), name="export")

    async def _export(self, conversation: str, form: Format, path: Path) -> None:
        def write() -> bool:
            if self._desk.votes.hidden_since(conversation) is not None:
                return False
            write_whole(path, exported(self._desk.history.load(conversation), form).encode())
            return True

        try:
            written = await asyncio.to_thread(write)
        except KeyError:
            self._notices.add("This conversation is no longer there.", "warn")
        except DatabaseProblem as problem:
            self._notices.add(str(problem), "bad")
        except OSError as error:
            self._notices.add(f"{path.name} could not be written: {error.strerror or error}.", "bad")
        else:
            told = f"Exported to {path.name}." if written else "Vote or reveal first: the names are hidden."
            self._notices.add(told, "ok" if written else "warn")
