"""The list of conversations as the screen sees it: searched, renamed, removed with a way back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, QTimer, Signal

from vibedesk.desk import Desk
from vibedesk.state.notices import Notices
from vibedesk.state.rows import RowsModel
from vibedesk.state.tasks import Tasks
from vibedesk.store.database import DatabaseProblem
from vibedesk.store.history import ConversationSummary
from vibedesk.store.paths import write_whole
from vibedesk.store.transfer import NotReadable, read, written

UNDO_S = 8.0


class History(QObject):
    """`rows` holds the summaries, latest first; `listed` after each look.

    A removal happens when its time to undo is over, or at the end (`finish`). `removed(id)` at once, `returned(id)`
    when it was undone. `salvaged` once what a damaged database still held has been brought back.
    """

    listed = Signal()
    salvaged = Signal()
    removed = Signal(str)
    returned = Signal(str)

    def __init__(
        self, desk: Desk, tasks: Tasks, notices: Notices | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._desk, self._tasks, self._notices = desk, tasks, notices
        self.rows = RowsModel(self, text=lambda row: row.title)
        self._search = self._tag = ""
        self.tags: tuple[str, ...] = ()
        """All tags there are."""
        self._leaving: dict[str, QTimer] = {}
        self._in_turn = asyncio.Lock()
        self._looking = False
        self._look_again = False

    @property
    def search(self) -> str:
        return self._search

    @property
    def tag(self) -> str:
        return self._tag

    def find(self, text: str) -> None:
        """Only conversations that say all the words of `text` in title, question or answer; "" = all."""
        self._search = text
        self.refresh()

    def find_tag(self, tag: str) -> None:
        """Only conversations that carry `tag`; "" = all."""
        self._tag = tag
        self.refresh()

    def pin(self, id: str, pinned: bool) -> None:
        self._write(lambda: self._desk.history.set_pinned(id, pinned), "pin")

    def set_tags(self, id: str, tags: Sequence[str]) -> None:
        self._write(lambda: self._desk.history.set_tags(id, tags), "tag")

    def export(self, ids: Sequence[str], path: str) -> None:
        """Writes these conversations into a file that another VibeDesk reads."""
        self._tasks.start(self._export(tuple(ids), Path(path)), name="export conversations")

    def import_from(self, path: str) -> None:
        """Reads such a file; its conversations stand in the list beside those that are there."""
        self._tasks.start(self._import(Path(path)), name="import conversations", to_the_end=True)

    def refresh(self) -> None:
        """Looks again; several wishes at once are one look."""
        if self._looking or self._tasks.closed:
            self._look_again = True
            return
        self._looking = True
        self._tasks.start(self._list(), name="list conversations")

    def rename(self, id: str, title: str) -> None:
        if title.strip():
            self._write(lambda: self._desk.history.set_title(id, title.strip()), "rename")

    def remove(self, id: str) -> None:
        """Takes it off the list at once, and for good when nobody has undone it in time."""
        row = self.rows.row_of(id)
        if row < 0 or id in self._leaving:
            return
        title = self.rows.value(row).title
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.timeout.connect(lambda: self._remove_now(id))
        timer.start(round(UNDO_S * 1000))
        self._leaving[id] = timer
        self._show([one for one in self.rows.rows() if one.id != id])
        self.removed.emit(id)
        if self._notices is not None:
            self._notices.add(
                f"Removed “{title}”.", action_label="Undo", action=lambda: self.undo(id), seconds=UNDO_S
            )

    def salvage(self) -> None:
        """Brings back what can still be read of the database that was set aside."""
        self._tasks.start(self._salvage(), name="salvage")

    def undo(self, id: str) -> None:
        """The conversation is back."""
        timer = self._leaving.pop(id, None)
        if timer is not None:
            timer.stop()
            timer.deleteLater()
            self.refresh()
            self.returned.emit(id)

    async def finish(self) -> None:
        """Removes at once what still waits: called on quitting."""
        for id in list(self._leaving):
            self._leaving.pop(id).stop()
            with suppress(DatabaseProblem):
                await asyncio.to_thread(self._desk.history.remove, id)

    def _remove_now(self, id: str) -> None:
        if not self._tasks.closed and self._leaving.pop(id, None) is not None:  # else `finish` does it
            self._write(lambda: self._desk.history.remove(id), "remove a conversation")

    async def _list(self) -> None:
        try:
            found, self.tags = await asyncio.to_thread(
                lambda: (
                    self._desk.history.list(200, self._search, self._tag),
                    self._desk.history.tags(),
                )
            )
        except DatabaseProblem as problem:
            self._tell(problem)
            found = ()
        finally:
            self._looking = False
        self._show([one for one in found if one.id not in self._leaving])
        if self._look_again:
            self._look_again = False
            self.refresh()

    def _show(self, rows: list[ConversationSummary]) -> None:
        self.rows.set_rows(rows)
        self.listed.emit()

    def _write(self, work: Callable[[], object], name: str) -> None:
        """Does it after what was wished for before, and to the end, whoever leaves meanwhile."""
        self._tasks.start(self._change(work), name=name, to_the_end=True)

    async def _change(self, work: Callable[[], object]) -> None:
        async with self._in_turn:
            try:
                await asyncio.to_thread(work)
            except (DatabaseProblem, KeyError) as problem:
                self._tell(problem)
        self.refresh()

    async def _export(self, ids: tuple[str, ...], path: Path) -> None:
        def write() -> None:
            content = written(tuple(self._desk.history.load(id) for id in ids))
            write_whole(path, content)

        try:
            await asyncio.to_thread(write)
        except (DatabaseProblem, KeyError) as problem:
            self._tell(problem)
        except OSError as problem:
            self._say(f"{path} could not be written: {problem.strerror}. Choose another folder.", "bad")
        else:
            self._say(f"Exported to {path}.", "info")

    async def _import(self, path: Path) -> None:
        def keep() -> int:
            conversations = read(path.read_bytes())
            for conversation in conversations:
                self._desk.history.keep(conversation)
            return len(conversations)

        try:
            count = await asyncio.to_thread(keep)
        except (DatabaseProblem, NotReadable) as problem:
            self._say(f"{path.name}: {problem}", "bad")
        except OSError as problem:
            self._say(f"{path} could not be read: {problem.strerror}.", "bad")
        else:
            self._say(f"Imported {_counted(count, 'conversation')}.", "info")
            self.refresh()

    async def _salvage(self) -> None:
        try:
            rows = await asyncio.to_thread(self._desk.database.salvage)
        except (DatabaseProblem, OSError) as problem:
            self._tell(problem)
            return
        found = [_counted(rows.get(table, 0), one) for table, one in _SALVAGED if rows.get(table)]
        self._say(f"Brought back {' and '.join(found)}." if found else "Nothing in it could be read.", "info")
        self.refresh()
        self.salvaged.emit()

    def _say(self, sentence: str, role: Literal["info", "bad"]) -> None:
        if self._notices is not None:
            self._notices.add(sentence, role)

    def _tell(self, problem: Exception) -> None:
        if self._notices is not None:
            self._notices.add(str(problem), "bad")


_SALVAGED = (("conversations", "conversation"), ("keys", "key"))


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
