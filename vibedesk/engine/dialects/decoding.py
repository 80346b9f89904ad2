"""One answer being read: sniffs what the body really is, cuts it into events, and judges how it ended.

What an event means is each dialect's own `Interpreter`; what an end means (complete, cut, empty, not this API)
is decided here once for all of them (wire facts §12.3).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from vibedesk.engine import errors
from vibedesk.engine.dialects.complaint import clean, title_of
from vibedesk.engine.dialects.lenient import Unreadable, loads
from vibedesk.engine.dialects.refusal import refusal_of
from vibedesk.engine.dialects.repeats import Around, Repeats
from vibedesk.engine.dialects.speech import Speech
from vibedesk.engine.errors import EngineError
from vibedesk.engine.sse import LINE_LIMIT, ServerSentEvent, SseDecoder
from vibedesk.engine.types import Piece, Provider

_PAGE_LIMIT = 64 * 1024
_BLANK = b" \t\r\n\xef\xbb\xbf"


class Interpreter(Protocol):
    """What the events of one dialect mean. `speech` collects the pieces.

    `terminal`: the success marker was seen. `done`: nothing more will come. `fault`: the answer ended, but badly.
    """

    speech: Speech
    terminal: bool
    done: bool
    fault: EngineError | None

    def event(self, name: str, data: bytes) -> None:
        """One event; what is not an object is passed over. Raises Unreadable, or the error the event holds."""

    def whole(self, document: object) -> None:
        """The whole answer as one JSON document, though a stream was asked for. Raises like `event`."""

    def mark(self) -> None:
        """`[DONE]` was read."""

    def end(self) -> None:
        """The body has ended: what is still to be reported."""


class StreamDecoder:
    """Reads one body through an interpreter. After an error it is spent and raises the same one again."""

    def __init__(
        self, interpreter: Interpreter, provider: Provider, content_type: str, around: Around | None = None
    ) -> None:
        self._interpreter = interpreter
        self._speech = interpreter.speech
        self._provider = provider
        kind = content_type.partition(";")[0].strip().lower()
        self._expects_document = kind.endswith("json") and "ndjson" not in kind and "stream" not in kind
        self._mode = ""
        self._head = b""
        self._body: list[bytes] = []
        self._size = 0
        self._sse = SseDecoder()
        self._repeats = Repeats(around)
        self._understood = 0
        self._unreadable = 0
        self._snippet = ""
        self._failure: EngineError | None = None
        self.notes = self._speech.notes

    @property
    def finished(self) -> bool:
        """The terminal marker was seen."""
        return self._interpreter.terminal

    @property
    def done(self) -> bool:
        """Nothing more will come."""
        return self._interpreter.done

    @property
    def progress(self) -> bool:
        """Text or reasoning was seen."""
        return self._speech.spoke or self._speech.thought

    def feed(self, chunk: bytes) -> Iterator[Piece]:
        """Pieces of this read; then, if there is one, the error."""
        if self._failure is None:
            try:
                self._take(chunk)
            except EngineError as error:
                self._failure = error
                self._speech.flush()
        yield from self._speech.drain()
        if self._failure is not None:
            raise self._failure

    def close(self) -> Iterator[Piece]:
        """The last pieces; then the error if the answer is not whole."""
        if self._failure is None:
            try:
                self._end()
            except EngineError as error:
                self._failure = error
            self._speech.flush()
            if self._failure is None:
                self._failure = self._verdict()
        yield from self._speech.drain()
        if self._failure is not None:
            raise self._failure

    def _take(self, chunk: bytes) -> None:
        if not self._mode:
            chunk = self._sniff(chunk)
        match self._mode:
            case "events":
                self._read(chunk)
            case "page" | "document":
                self._collect(chunk)

    def _sniff(self, chunk: bytes) -> bytes:
        """Content types lie; the first byte that is not blank does not."""
        self._head += chunk
        bare = self._head.lstrip(_BLANK)
        if not bare or bare == b"\x1f":
            self._head = self._head[-_PAGE_LIMIT:]
            return b""
        if bare[:2] == b"\x1f\x8b":
            raise errors.NotThisApi(
                "compressed (gzip) without saying so", provider=self._provider.id, title=""
            )
        if bare[:1] == b"<":
            self._mode = "page"
        elif self._expects_document and bare[:1] in b"{[":
            self._mode = "document"
        else:
            self._mode = "events"
        head, self._head = self._head, b""
        return head

    def _read(self, chunk: bytes) -> None:
        """Whole events that only say words are told at a glance; the rest, and parts of events, are read properly."""
        begin = 0 if self._sse.between else chunk.find(b"\n\n") + 2
        end = chunk.rfind(b"\n\n") + 2
        if begin != 1 and begin < end and (words := self._repeats.words(chunk[begin:end])) is not None:
            if begin:
                self._events(self._sse.feed(chunk[:begin]))
            if self._sse.between and not self._interpreter.done:
                self._understood += len(words)
                for said in words:
                    self._speech.say(said)
                begin = end
            chunk = chunk[begin:]
        if chunk:
            events = self._sse.feed(chunk)
            self._events(events)
            if events:
                self._repeats.learn(events[-1].data, chunk)

    def _collect(self, chunk: bytes) -> None:
        self._body.append(chunk)
        self._size += len(chunk)
        if self._mode == "page":
            if self._size > _PAGE_LIMIT or b"</title" in chunk.lower():
                raise self._not_this_api()
        elif self._size > LINE_LIMIT:
            raise errors.AnswerTooLong(f"a body of more than {LINE_LIMIT} bytes", limit=LINE_LIMIT)

    def _events(self, events: Iterable[ServerSentEvent], *, last: bool = False) -> None:
        interpreter = self._interpreter
        for event in events:
            data = event.data.strip()
            if interpreter.done:
                return
            if data[:6] == b"[DONE]":
                self._understood += 1
                interpreter.mark()
            elif data or event.event == "error":
                self._event(event.event, data, last=last)

    def _event(self, name: str, data: bytes, *, last: bool) -> None:
        try:
            self._interpreter.event(name, data)
            self._understood += 1
        except Unreadable:
            if name == "error":
                raise refusal_of(200, {}, data, self._provider) from None
            if not last or b"\n" in data:
                self._pieces_of(data, last=last)

    def _pieces_of(self, data: bytes, *, last: bool) -> None:
        """JSON objects that a server put under one another without a blank line between."""
        lines = data.split(b"\n")
        for line in lines if len(lines) > 1 else ():
            try:
                self._interpreter.event("", line)
                self._understood += 1
            except Unreadable:
                break
        else:
            if len(lines) > 1:
                return
        if not last:
            self._unreadable += 1
            self._snippet = self._snippet or clean(data[:200].decode("utf-8", "replace"))[:80]

    def _end(self) -> None:
        match self._mode:
            case "page":
                raise self._not_this_api()
            case "document":
                self._document(b"".join(self._body))
            case "events":
                self._events(self._sse.close(), last=True)
        self._interpreter.end()
        if self._unreadable and self._understood:
            self.notes.append(f"{self._unreadable} unreadable events skipped, the first: {self._snippet}")

    def _document(self, body: bytes) -> None:
        try:
            document = loads(body.strip(_BLANK))
        except Unreadable:
            # Several documents, one a line (NDJSON), under the content type of one; or one that was cut off.
            self._events(self._sse.feed(body))
            self._events(self._sse.close(), last=True)
            return
        self._understood += 1
        self._interpreter.whole(document)

    def _verdict(self) -> EngineError | None:
        """How it ended, when the body itself said no error."""
        fault = self._interpreter.fault
        if fault is not None:
            return fault
        if not self._mode:
            return self._empty("the body was empty")
        if not self._interpreter.terminal:
            return self._cut_short()
        if self.progress:
            return None
        raw = self._speech.finish_raw
        if self._speech.blocked:
            return errors.ContentBlocked("nothing was said", provider=self._provider.id, code=raw, status=200)
        return self._empty("it ended without a word")

    def _empty(self, detail: str) -> EngineError:
        return errors.EmptyAnswer(detail, provider=self._provider.id, finish_reason=self._speech.finish_raw)

    def _cut_short(self) -> EngineError:
        if not self._understood and self._sse.noise:
            words = clean(self._sse.noise.decode("utf-8", "replace"))
            return errors.NotThisApi(
                "not a stream of events", provider=self._provider.id, title="", provider_message=words
            )
        if not self._understood and self._unreadable:
            return errors.Malformed(
                f"no event was readable, the first: {self._snippet}", provider=self._provider.id
            )
        return errors.Cut("the stream ended without its terminal event", provider=self._provider.id)

    def _not_this_api(self) -> EngineError:
        title = title_of(b"".join(self._body))
        return errors.NotThisApi(
            "an HTML page came instead of an answer", provider=self._provider.id, title=title
        )
