"""The question that is being written: what goes along with it, and what should be said before it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from vibedesk.engine.keyshapes import key_in
from vibedesk.engine.types import Image
from vibedesk.state.attached import (
    MOST_FILES,
    MOST_PICTURES,
    PICTURE_TOKENS,
    Attached,
    NotAttached,
    attached,
    attached_file,
    images_of,
    message_of,
    parts_of,
    pasted,
)
from vibedesk.state.tasks import Tasks

__all__ = ["Draft", "key_in", "shown", "taken_up"]


class Draft(QObject):
    """`changed` when something is attached or taken out, `reading_changed` while files are read, `refused(sentence)`,
    `folded(attached)` when a long paste has become an attachment.
    """

    changed = Signal()
    reading_changed = Signal(bool)
    refused = Signal(str)
    folded = Signal(object)

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._files = 0
        self.attachments: list[Attached] = []

    @property
    def reading(self) -> bool:
        return self._files > 0

    @property
    def images(self) -> tuple[Image, ...]:
        return images_of(self.attachments)

    @property
    def tokens(self) -> int:
        """About how many tokens what is attached adds."""
        return sum(one.tokens for one in self.attachments)

    def add_files(self, paths: Sequence[Path]) -> None:
        """Reads files in a thread and attaches what can be sent of them."""
        for path in paths:
            self._start(partial(attached_file, path))

    def add_data(self, data: bytes, name: str) -> None:
        """The same for bytes that are here already: a picture from the clipboard."""
        self._start(lambda: attached(data, name))

    def fold(self, text: str) -> None:
        """A long paste as an attachment; `folded` follows."""
        self._start(lambda: pasted(text), self.folded.emit)

    def remove(self, one: Attached) -> None:
        if one in self.attachments:
            self.attachments.remove(one)
            self.changed.emit()

    def clear(self) -> None:
        if self.attachments:
            self.attachments = []
            self.changed.emit()

    def message(self, words: str) -> str:
        """What is asked: the words and every text that goes along."""
        return message_of(words, self.attachments)

    def take_up(self, message: str, images: Sequence[Image] = ()) -> str:
        """An earlier message again: attaches what went along with it and gives its words."""
        words, self.attachments = taken_up(message, images)
        self.changed.emit()
        return words

    def key_in(self, words: str) -> str:
        """What in the question looks like an API key, "" = nothing."""
        return key_in(words) or next((one.key for one in self.attachments if one.key), "")

    def _start(self, read: Callable[[], Attached], then: Callable[[Attached], object] | None = None) -> None:
        self._files += 1
        self.reading_changed.emit(True)
        self._tasks.start(self._attach(read, then), name="read an attachment")

    async def _attach(self, read: Callable[[], Attached], then: Callable[[Attached], object] | None) -> None:
        try:
            one = await asyncio.to_thread(read)
        except NotAttached as problem:
            self.refused.emit(str(problem))
        else:
            if self._add(one) and then is not None:
                then(one)
        finally:
            self._files -= 1
            self.reading_changed.emit(self.reading)

    def _add(self, one: Attached) -> bool:
        if one.image is not None and len(self.images) >= MOST_PICTURES:
            self.refused.emit(f"At most {MOST_PICTURES} pictures go along with one message.")
        elif len(self.attachments) >= MOST_FILES:
            self.refused.emit(f"At most {MOST_FILES} files go along with one message.")
        else:
            self.attachments.append(one)
            self.changed.emit()
            return True
        return False


def taken_up(message: str, images: Sequence[Image] = ()) -> tuple[str, list[Attached]]:
    """An earlier message again: its words, and what went along with it."""
    words, texts = parts_of(message)
    pictures = [
        Attached(f"Picture {place}", "picture", image, tokens=PICTURE_TOKENS)
        for place, image in enumerate(images, 1)
    ]
    return words, [*pictures, *texts]


def shown(message: str) -> str:
    """A message as its bubble shows it: texts that went along by their names."""
    words, texts = parts_of(message)
    names = [f"📎 {one.name} · {one.tokens:,} tok" for one in texts]
    return "\n".join([words, *names]) if words.strip() else "\n".join(names)
