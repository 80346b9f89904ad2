"""The log: one rotating file in which no key is ever readable, and where every crash ends up."""

from __future__ import annotations

import base64
import hashlib
import logging
import os
import re
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

if TYPE_CHECKING:
    import asyncio

    from vibedesk.store.paths import Paths

REDACTED = "[redacted]"
FILE_NAME = "vibedesk.log"
LARGEST = 1 << 20
KEPT = 3
FRAGMENT = 12
"""Characters of a live key in a row that are too many to show: a mask shows at most four."""
SHORTEST = 6
"""A live value below this is no key, and blanking it would make the log unreadable."""

# What providers' keys look like (their documents, and betterleaks' rules); shapes too general to tell from an
# identifier are left to the live values.
_SHAPES = re.compile(
    r"""(?<![A-Za-z0-9_])(?:
        sk-[A-Za-z0-9_-]{16,} | (?:gsk|tgp_v1)_[A-Za-z0-9_-]{16,} | csk-[A-Za-z0-9]{16,}
        | AIza[A-Za-z0-9_-]{30,} | AQ\.[A-Za-z0-9_-]{20,} | xai-[A-Za-z0-9_-]{20,}
        | cf(?:ut|at|k)_[A-Za-z0-9_-]{20,} | [0-9a-f]{32}\.[A-Za-z0-9_-]{24}(?![A-Za-z0-9_-])
        | eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+
    )""",
    re.X,
)
# `authorization: Bearer abc`, `'x-api-key': 'abc'`, `(b'x-api-key', b'abc')`
_HEADERS = re.compile(
    r"""((?:authorization|x-api-key|x-goog-api-key|api-key|cookie)["']?\s*[:=,]\s*(?:b?["'])?
        (?:(?:bearer|basic|token)\s+)?)[^\s"',;)}\]]{4,}""",
    re.X | re.I,
)
_BEARER = re.compile(r"\b(bearer\s+)[A-Za-z0-9._~+/=-]{12,}", re.I)
_QUERY = re.compile(r"([?&](?:key|api[_-]?key|access_token|token)=)[^&\s\"'<>]+", re.I)
_USER_INFO = re.compile(r"(://)[^/\s:@]+:[^/\s@]+(@)")
_SALT = os.urandom(32)
"""Of this run: a digest that got out says nothing."""
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), 127, *range(128, 160)) if code not in (9, 10)}


class Fingerprint(NamedTuple):
    """What is left of one form of a key that was let go: enough to know it again, whole, and too little to get it back.

    `tail`, its last four characters, may be shown anyway (see `engine.catalog.hint_of`): it says where to look.
    """

    tail: str
    length: int
    digest: bytes

    @classmethod
    def of(cls, form: str) -> Fingerprint:
        return cls(form[-4:], len(form), _digest(form))

    def taken_out_of(self, text: str) -> str:
        """`text` without the form; a piece of it is not known again, but where it has the shape of a key."""
        at = text.find(self.tail, self.length - len(self.tail))
        while at >= 0:
            end = at + len(self.tail)
            start = end - self.length
            if _digest(text[start:end]) == self.digest:
                text = text[:start] + REDACTED + text[end:]
                at = start
            at = text.find(self.tail, at + 1)
        return text


Live = Iterable["str | Fingerprint"]
"""Keys by which a text is redacted: as they are, or, of those that were let go, what knows them again."""


def fingerprints(secret: str) -> Iterator[Fingerprint]:
    """Of every form of a key; none of a value that is too short for one."""
    if len(secret) >= SHORTEST:
        yield from {Fingerprint.of(form) for form in _forms(secret)}


def redact(text: str, live: Live = ()) -> str:
    """`text` without keys: those in `live`, whole, in pieces or encoded, and whatever has the shape or place of one.

    A pure function; for an error message some 30 µs, and 50 µs more for each live key.
    """
    known = list(live)
    for secret in sorted((one for one in known if isinstance(one, str)), key=len, reverse=True):
        text = _without(text, secret)
    for mark in sorted((one for one in known if isinstance(one, Fingerprint)), key=_longest_first):
        text = mark.taken_out_of(text)
    text = _HEADERS.sub(rf"\1{REDACTED}", text)
    text = _SHAPES.sub(REDACTED, text)
    text = _BEARER.sub(rf"\1{REDACTED}", text)
    text = _QUERY.sub(rf"\1{REDACTED}", text)
    return _USER_INFO.sub(rf"\1{REDACTED}\2", text)


def set_up(paths: Paths, *, live_secrets: Callable[[], Live]) -> RedactingFile:
    """Sends the log, warnings and every uncaught exception to `logs/vibedesk.log`, keys taken out.

    Called once, by the face that starts the program. Also forbids core dumps and other processes' looks into
    this one's memory, where the system knows such a thing. The handler it returns is `close`d at the end.
    """
    forbid_dumps()
    file = RedactingFile(paths.logs / FILE_NAME, live_secrets)
    root = logging.getLogger()
    root.addHandler(file)
    root.setLevel(logging.INFO)
    # They write URLs at INFO and headers at DEBUG.
    for chatty in ("httpx", "httpcore", "asyncio", "keyring", "hpack"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    _hook_crashes(live_secrets)
    return file


class RedactingFile(RotatingFileHandler):
    """The log file, mode 0600, one mebibyte and three older ones.

    It redacts what it writes, not what it is sent: a filter on a logger is not asked for the records of its children.
    """

    def __init__(self, path: Path, live_secrets: Callable[[], Live]) -> None:
        self._live_secrets = live_secrets
        super().__init__(
            path, maxBytes=LARGEST, backupCount=KEPT, encoding="utf-8", errors="backslashreplace", delay=True
        )
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))

    def format(self, record: logging.LogRecord) -> str:
        """Message, arguments, exception and stack in one: redacted, and no line of it can pass for another entry."""
        text = redact(super().format(record), self._live_secrets())
        return text.translate(_CONTROLS).replace("\n", "\n    ")

    def handleError(self, record: logging.LogRecord) -> None:
        """A log that cannot be written is no reason to print a record, with what may be in it, to the terminal."""

    def _open(self) -> TextIOWrapper:
        flags = (
            os.O_WRONLY
            | os.O_CREAT
            | os.O_APPEND
            | getattr(os, "O_NOFOLLOW", 0)
            | getattr(os, "O_CLOEXEC", 0)
        )
        handle = os.open(self.baseFilename, flags, 0o600)
        return open(handle, "a", encoding=self.encoding, errors=self.errors)


def note_loop_failure(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """For `loop.set_exception_handler`: what a task or callback died of goes to the log."""
    failure = context.get("exception")
    logging.getLogger("vibedesk.crash").error(
        "%s", context.get("message", "Unhandled in the event loop"), exc_info=failure or False
    )


def forbid_dumps() -> None:
    """No core dump, and no reading of this process's memory by others of the same user (Linux); best effort."""
    if os.name != "posix":
        return
    import resource

    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError):
        logging.getLogger(__name__).info("Core dumps could not be switched off.")
    if sys.platform == "linux":
        import ctypes

        pr_set_dumpable = 4
        ctypes.CDLL(None).prctl(pr_set_dumpable, 0, 0, 0, 0)


def _hook_crashes(live_secrets: Callable[[], Live]) -> None:
    crash = logging.getLogger("vibedesk.crash")

    def report(
        kind: type[BaseException], failure: BaseException | None, trace: TracebackType | None, where: str
    ) -> None:
        if failure is None or issubclass(kind, KeyboardInterrupt):
            return
        crash.critical("Uncaught in %s", where, exc_info=(kind, failure, trace))
        if sys.stderr is not None:
            lines = "".join(traceback.format_exception(kind, failure, trace))
            sys.stderr.write(redact(lines, live_secrets()))

    sys.excepthook = lambda kind, failure, trace: report(kind, failure, trace, "the main thread")
    threading.excepthook = lambda args: report(
        args.exc_type, args.exc_value, args.exc_traceback, args.thread.name if args.thread else "a thread"
    )
    sys.unraisablehook = lambda args: report(args.exc_type, args.exc_value, args.exc_traceback, "a finaliser")


def _longest_first(mark: Fingerprint) -> int:
    return -mark.length


def _digest(form: str) -> bytes:
    return hashlib.blake2b(form.encode("utf-8", "surrogatepass"), key=_SALT, digest_size=16).digest()


def _without(text: str, secret: str) -> str:
    if len(secret) < SHORTEST:
        return text
    for form in _forms(secret):
        if form in text:
            text = text.replace(form, REDACTED)
    return _without_fragments(text, secret)


def _forms(secret: str) -> Iterator[str]:
    """The secret as it is, and as it stands in URLs, hexadecimal, UTF-16 and base64 of whatever holds it."""
    data = secret.encode("utf-8", "surrogatepass")
    yield secret
    yield quote(secret, safe="")
    yield "".join(f"%{byte:02X}" for byte in data)
    yield data.hex()
    yield data.hex().upper()
    yield "\0".join(secret)
    for before in range(3):
        # Characters that also carry bits of a neighbour are left out.
        whole = base64.b64encode(b"\0" * before + data).decode()
        inner = whole[(0, 2, 3)[before] : (len(data) + before) * 8 // 6]
        yield inner
        yield inner.translate(str.maketrans("+/", "-_"))


def _without_fragments(text: str, secret: str) -> str:
    """Without any run of `FRAGMENT` characters of the secret: messages are cut off, and keys with them."""
    for start in range(len(secret) - FRAGMENT + 1):
        piece = secret[start : start + FRAGMENT]
        while (at := text.find(piece)) >= 0:
            end = FRAGMENT
            while text[at : at + end + 1] == secret[start : start + end + 1] and start + end < len(secret):
                end += 1
            text = text[:at] + REDACTED + text[at + end :]
    return text
