"""What goes along with a question: pictures as they are, text files and PDFs as text. Runs in threads; no Qt."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct

from vibedesk.engine.keyshapes import key_in
from vibedesk.engine.pricing import estimate_tokens
from vibedesk.engine.types import Image

MOST_BYTES = 20 * 1024 * 1024
MOST_CHARACTERS = 1_000_000
"""Of one text; what is longer is refused, not cut: a cut file would be judged as if it were whole."""
MOST_PAGES = 500
MOST_PICTURES = 10
MOST_FILES = 20
PICTURE_TOKENS = 1_000
"""About what a picture costs: every provider counts differently."""
_STARTS = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}
_OPENING = re.compile(r'\n*<(attachment(?:-\d+)?) name="([^"<>\n]*)">\n')

Kind = Literal["picture", "text", "pdf", "paste"]


class Attached(Struct, frozen=True):
    """One thing that goes along. Either `image` or `text` is there; `pages` of a PDF."""

    name: str
    kind: Kind
    image: Image | None = None
    text: str = ""
    pages: int = 0
    tokens: int = 0
    key: str = ""
    """What in the text looks like an API key."""

    @property
    def size(self) -> int:
        """Bytes of a picture, characters of a text."""
        return len(self.image.data) if self.image is not None else len(self.text)


class NotAttached(Exception):
    """Why a file does not go along, in a sentence."""


def picture_of(data: bytes) -> Image | None:
    """The file's bytes as a picture, recognised by how they begin; None when they are no picture models take."""
    kind = next((kind for start, kind in _STARTS.items() if data.startswith(start)), "")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        kind = "image/webp"
    return Image(kind, data) if kind else None


def attached_file(path: Path) -> Attached:
    """A file from the disk as what can be sent of it. Raises NotAttached."""
    name = path.name
    try:
        if not path.is_file():
            raise NotAttached(f"{name} could not be read: it is no file.")
        if path.stat().st_size > MOST_BYTES:
            raise NotAttached(f"{name} is larger than 20 MB.")
        data = path.read_bytes()
    except OSError as exc:
        raise NotAttached(f"{name} could not be read: {exc.strerror or exc}.") from exc
    return attached(data, name)


def attached(data: bytes, name: str) -> Attached:
    """Bytes as what can be sent of them. Raises NotAttached."""
    if len(data) > MOST_BYTES:
        raise NotAttached(f"{name} is larger than 20 MB.")
    if (image := picture_of(data)) is not None:
        return Attached(name, "picture", image, tokens=PICTURE_TOKENS)
    if data[:1024].lstrip().startswith(b"%PDF-"):
        text, pages = _pdf(data, name)
        return _worded(name, "pdf", text, pages)
    return _worded(name, "text", _plain(data, name))


def pasted(text: str) -> Attached:
    """A long paste as an attachment. Raises NotAttached."""
    first = " ".join(text[:200].split())[:24].strip()
    return _worded(f"Pasted: {first}…", "paste", _bounded(text, "The paste"))


def _worded(name: str, kind: Kind, text: str, pages: int = 0) -> Attached:
    return Attached(name, kind, None, text, pages, estimate_tokens(text), key_in(text))


def _plain(data: bytes, name: str) -> str:
    encodings: tuple[str, ...]
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ("utf-16",)
    else:
        if b"\0" in data[:8192]:
            raise NotAttached(f"{name} is neither text, nor a PDF, nor a PNG, JPEG, GIF or WebP picture.")
        encodings = ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return _bounded(text.replace("\r\n", "\n"), name)
    raise NotAttached(f"{name} is neither text, nor a PDF, nor a PNG, JPEG, GIF or WebP picture.")


def _bounded(text: str, name: str) -> str:
    if not text.strip():
        raise NotAttached(f"{name} holds no text.")
    if len(text) > MOST_CHARACTERS:
        raise NotAttached(f"{name} holds more than a million characters: attach a part of it.")
    return text


def _pdf(data: bytes, name: str) -> tuple[str, int]:
    """The text of a PDF, page by page. Loads nothing the file names, and runs nothing in it."""
    import logging

    import pypdf
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.ERROR)
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise NotAttached(f"{name} is locked with a password.")
        pages = len(reader.pages)
        if pages > MOST_PAGES:
            raise NotAttached(f"{name} has {pages:,} pages; at most {MOST_PAGES} go along.")
        said: list[str] = []
        for page in reader.pages:
            said.append(page.extract_text())
            _bounded("." + "".join(said), name)
    except (
        PyPdfError,
        ValueError,
        KeyError,
        TypeError,
        IndexError,
        AttributeError,
        RecursionError,
        OSError,
    ) as exc:
        raise NotAttached(f"{name} could not be read as a PDF.") from exc
    text = "\n\n".join(page.strip() for page in said if page.strip())
    if not text:
        raise NotAttached(f"{name} holds no text, only pictures of it.")
    return _bounded(text, name), pages


# In a message


def images_of(attachments: Sequence[Attached]) -> tuple[Image, ...]:
    """The pictures among them."""
    return tuple(one.image for one in attachments if one.image is not None)


def message_of(words: str, attachments: Sequence[Attached]) -> str:
    """What is asked: the words, then every text that goes along, each between tags it does not hold itself."""
    blocks = [words.strip()] if words.strip() else []
    for one in attachments:
        if one.image is None:
            tag, number = "attachment", 1
            while f"</{tag}>" in one.text:
                number += 1
                tag = f"attachment-{number}"
            name = re.sub(r'["<>\n]', "'", one.name)
            blocks.append(f'<{tag} name="{name}">\n{one.text}\n</{tag}>')
    return "\n\n".join(blocks)


def parts_of(message: str) -> tuple[str, tuple[Attached, ...]]:
    """The words of a message, and the texts that went along: `message_of` undone. Anything else is words."""
    found: list[Attached] = []
    start = _OPENING.search(message)
    words, rest = (message[: start.start()], message[start.start() :]) if start else (message, "")
    while rest.strip():
        opening = _OPENING.match(rest)
        end = rest.find(f"\n</{opening[1]}>", opening.end() - 1) if opening else -1
        if opening is None or end < 0:
            return message, ()
        text = rest[opening.end() : end]
        name = opening[2]
        kind: Kind = (
            "paste" if name.startswith("Pasted") else "pdf" if name.lower().endswith(".pdf") else "text"
        )
        found.append(_worded(name, kind, text))
        rest = rest[end + len(opening[1]) + 4 :]
    return words, tuple(found)
