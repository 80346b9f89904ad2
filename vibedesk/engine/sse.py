"""Bytes as they come from the socket, in any cut, to server-sent events.

Works on bytes: lines end with CR, LF or CRLF and with nothing else (U+2028 and friends may stand in JSON), a
line is
joined once when it is whole, and what is inside `data` is left to the reader of the JSON. Beyond the standard
it hands
over what providers really send: raw JSON between events (Gemini's errors, NDJSON), an `error:` field
(llama.cpp), and
`data:` lines that each hold a whole JSON object without the blank line between them.
"""

from __future__ import annotations

import re

from msgspec import Struct

from vibedesk.engine.errors import AnswerTooLong

LINE_LIMIT = 32 * 1024 * 1024
"""Bytes one event (or one line) may have before the answer is refused as too long."""

_BOM = b"\xef\xbb\xbf"
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
_NOISE_LIMIT = 2048


class ServerSentEvent(Struct, gc=False):
    """`event` is "" when it was not named. `data` is raw UTF-8, lines joined by LF. `stray` = it had no field
    name."""

    event: str
    data: bytes
    stray: bool = False


class SseDecoder:
    """Feed it reads of any size. Events before a line that is too long are delivered; the call after them
    raises."""

    def __init__(self, *, limit: int = LINE_LIMIT) -> None:
        self._limit = limit
        self._begun = False
        self._after_cr = False
        self._unfinished: list[bytes] = []
        self._unfinished_size = 0
        self._name = b""
        self._data: list[bytes] = []
        self._data_size = 0
        self._stray: list[bytes] = []
        self._stray_size = 0
        self._stray_depth = 0
        self._too_long = False
        self.noise = b""
        """The first lines that were neither fields nor JSON, for a diagnosis; at most 2 KiB."""

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """The events completed by this read. Raises AnswerTooLong when an event has outgrown the limit."""
        events: list[ServerSentEvent] = []
        if not self._too_long:
            self._take(chunk, events)
        return self._checked(events)

    @property
    def between(self) -> bool:
        """Nothing of an event has been seen: the next byte begins one."""
        return self._begun and not (
            self._unfinished or self._data or self._name or self._stray or self._after_cr or self._too_long
        )

    def close(self) -> list[ServerSentEvent]:
        """The end of the body: what was still unfinished, as if a blank line had followed."""
        events: list[ServerSentEvent] = []
        self._begun = True
        if self._unfinished and not self._too_long:
            self._lines([self._joined(b"")], events)
        if not self._too_long:
            self._dispatch(events)
            self._end_stray(events)
        return self._checked(events)

    def _checked(self, events: list[ServerSentEvent]) -> list[ServerSentEvent]:
        if self._too_long and not events:
            raise AnswerTooLong(f"an event of more than {self._limit} bytes", limit=self._limit)
        return events

    def _take(self, chunk: bytes, events: list[ServerSentEvent]) -> None:
        if not self._begun:
            chunk = self._without_bom(chunk)
        if self._after_cr and chunk:
            self._after_cr = False
            if chunk[0] == 10:
                chunk = chunk[1:]
        end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r")) + 1
        if end:
            whole = self._joined(chunk[:end] if end < len(chunk) else chunk)
            if b"\r" in whole:
                # The LF of a CRLF may be in the next read; the line itself is not kept waiting for it.
                self._after_cr = end == len(chunk) and whole.endswith(b"\r")
                whole = whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            self._blocks(whole.split(b"\n\n"), events)
            chunk = chunk[end:]
        if chunk and not self._too_long:
            self._unfinished.append(chunk)
            self._unfinished_size += len(chunk)
            self._too_long = self._unfinished_size > self._limit

    def _without_bom(self, chunk: bytes) -> bytes:
        head = self._joined(chunk)
        if len(head) < len(_BOM) and _BOM.startswith(head):
            self._unfinished = [head]
            return b""
        self._begun = True
        return head.removeprefix(_BOM)

    def _joined(self, end: bytes) -> bytes:
        if not self._unfinished:
            return end
        self._unfinished.append(end)
        whole = b"".join(self._unfinished)
        self._unfinished = []
        self._unfinished_size = 0
        return whole

    def _blocks(self, blocks: list[bytes], events: list[ServerSentEvent]) -> None:
        """Blocks with a blank line after each but the last, which ends with its own line's end. Nearly all are one
        `data:`, or an `event:` and one: told apart at a glance."""
        begun = blocks.pop()
        for block in blocks:
            name = b""
            data = block
            if block[:7] == b"event: ":
                name, _, data = block[7:].partition(b"\n")
            if (
                data[:6] == b"data: "
                and b"\n" not in data
                and len(data) <= self._limit
                and not (self._data or self._name or self._stray)
            ):
                events.append(ServerSentEvent(name.decode("utf-8", "replace") if name else "", data[6:]))
            else:
                self._lines([*block.split(b"\n"), b""], events)
                if self._too_long:
                    return
        self._lines(begun.split(b"\n")[:-1], events)

    def _lines(self, lines: list[bytes], events: list[ServerSentEvent]) -> None:
        for line in lines:
            if line[:5] == b"data:":
                self._more_data(line[6:] if line[5:6] == b" " else line[5:], events)
            elif line:
                self._other(line, events)
            elif self._data or self._name:
                self._dispatch(events)
            if self._too_long:
                return

    def _more_data(self, value: bytes, events: list[ServerSentEvent]) -> None:
        if self._stray:
            self._drop_stray()
        if self._data and self._data[-1][-1:] == b"}" and value[:1] in (b"{", b"["):
            # "}" then "{" is never inside one JSON value: these are events without the blank line between
            # them.
            self._dispatch(events)
        self._data.append(value)
        self._data_size += len(value)
        self._too_long = self._data_size > self._limit

    def _dispatch(self, events: list[ServerSentEvent]) -> None:
        # An event without data is none, by the standard; one that says "error" is heard all the same.
        if self._data or self._name == b"error":
            data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
            events.append(ServerSentEvent(self._name.decode("utf-8", "replace"), data))
            self._data = []
            self._data_size = 0
        self._name = b""

    def _other(self, line: bytes, events: list[ServerSentEvent]) -> None:
        name, _, value = line.partition(b":")
        match name:
            case b"":
                return
            case b"event":
                self._name = value.removeprefix(b" ")
            case b"data":
                self._more_data(b"", events)
            case b"error":
                events.append(ServerSentEvent("error", value.removeprefix(b" ")))
            case b"id" | b"retry":
                return
            case _:
                self._more_stray(line, events)

    def _more_stray(self, line: bytes, events: list[ServerSentEvent]) -> None:
        if not self._stray and line.lstrip()[:1] not in (b"{", b"["):
            self.noise = (self.noise + line + b"\n")[:_NOISE_LIMIT]
            return
        self._stray.append(line)
        self._stray_size += len(line)
        self._too_long = self._stray_size > self._limit
        bare = _STRING.sub(b"", line)
        self._stray_depth += bare.count(b"{") + bare.count(b"[") - bare.count(b"}") - bare.count(b"]")
        if self._stray_depth <= 0:
            self._end_stray(events)

    def _end_stray(self, events: list[ServerSentEvent]) -> None:
        if self._stray:
            events.append(ServerSentEvent("", b"\n".join(self._stray), stray=True))
            self._stray, self._stray_size, self._stray_depth = [], 0, 0

    def _drop_stray(self) -> None:
        self.noise = (self.noise + b"\n".join(self._stray))[:_NOISE_LIMIT]
        self._stray, self._stray_size, self._stray_depth = [], 0, 0
