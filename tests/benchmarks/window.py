"""What is measured of drawing, each in a process of its own that prints JSON: `python -m tests.benchmarks.window …`.

`stream WAY PORT RATE SECONDS LANES`: the whole program (WAY `vibedesk`: lanes as wide as usual, some out of sight;
`fitted`: all of them in the window) or the same engine under a bare view for each lane: `floor` inserts plain text,
`naive` sets the whole as Markdown, both once a frame.
`answer WAY TOKENS`: seconds of the first and of the last 1,000 tokens of one long answer.
`messages COUNT TOKENS`: a kept conversation of so many messages, with answers of so many tokens, is opened, scrolled
through, searched and gone on with.
`memory SECONDS`: resident MB while a lane streams as fast as it is drawn, and after its conversation is left.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import os
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from msgspec.structs import replace
from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import QApplication, QHBoxLayout, QPlainTextEdit, QTextBrowser, QWidget

from tests.benchmarks.server import DOCUMENT
from vibedesk.app import Sitting
from vibedesk.desk import Desk
from vibedesk.front import name_application
from vibedesk.loop import new_loop
from vibedesk.state.heap import trim
from vibedesk.state.lane import Lane
from vibedesk.state.notices import Notices
from vibedesk.state.playground import Playground
from vibedesk.state.tasks import Tasks
from vibedesk.store.history import LaneSpec, StoredAnswer, new_id
from vibedesk.store.paths import resources
from vibedesk.ui.playground import PlaygroundPage
from vibedesk.ui.theme import Theme
from vibedesk.ui.transcript import Transcript

BEAT_MS = 5
KEY_MS = 150
WIDTH, HEIGHT = 1600, 900


def home(folder: Path, port: int) -> dict[str, str]:
    """An environment whose only provider with a key is the streaming server."""
    (folder / "config").mkdir()
    block = (
        f'dialect = "openai-chat"\nname = "Lab"\nbase_url = "http://127.0.0.1:{port}/v1"\nkeyless = true\n'
    )
    (folder / "config" / "providers.toml").write_text(f"[providers.lab]\n{block}", encoding="utf-8")
    return {"VIBEDESK_HOME": str(folder), "VIBEDESK_VAULT": "file"}


class Heart(QObject):
    """Milliseconds by which each beat came too late: what a person would feel as a stall."""

    def __init__(self) -> None:
        super().__init__()
        self.late: list[float] = []
        self._last = 0.0
        self._timer = QTimer(self, interval=BEAT_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)

    def start(self) -> None:
        self._last = time.perf_counter()
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()

    def _beat(self) -> None:
        now = time.perf_counter()
        self.late.append(max(0.0, (now - self._last) * 1000 - BEAT_MS))
        self._last = now


class Lags:
    """Milliseconds by which what is drawn is behind the stream: from when its oldest word can have arrived, which is
    right after the lane was read the last time, to the moment it was drawn."""

    def __init__(self, lanes: list[Lane]) -> None:
        self.all: list[float] = []
        self.since_read: list[float] = []
        """The same from when that word was read from its socket."""
        self._drawn: dict[Lane, int] = dict.fromkeys(lanes, 0)
        self._came: dict[Lane, deque[tuple[int, float, float]]] = {lane: deque() for lane in lanes}
        """Of each lane, the character each piece ended with, when its first word can have come, when it was read."""
        self._read: dict[Lane, float] = {}
        for lane in lanes:
            lane.text_arrived.connect(lambda lane=lane: self._hear(lane))
            lane.text_appended.connect(lambda text, lane=lane: self._draw(lane, len(text)))

    def _hear(self, lane: Lane) -> None:
        end, now = self._drawn[lane] + lane._coming.words.waiting, time.perf_counter()
        self._came[lane].append((end, self._read.get(lane, now), now))
        self._read[lane] = now

    def _draw(self, lane: Lane, size: int) -> None:
        came = self._came[lane]
        if came:
            now = time.perf_counter()
            self.all.append((now - came[0][1]) * 1000)
            self.since_read.append((now - came[0][2]) * 1000)
        self._drawn[lane] += size
        while came and came[0][0] <= self._drawn[lane]:
            came.popleft()


class Typist(QObject):
    """Presses a key now and then; milliseconds from when it was due to when its letter had been painted."""

    def __init__(self, words: Any) -> None:
        super().__init__()
        self.took: list[float] = []
        self._words, self._due, self._length = words, 0.0, 0
        words.viewport().installEventFilter(self)
        self._timer = QTimer(self, interval=KEY_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._press)

    def start(self) -> None:
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()

    def _press(self) -> None:
        if self._due:
            return
        self._due, self._length = time.perf_counter(), len(self._words.toPlainText())
        none = Qt.KeyboardModifier.NoModifier
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            QCoreApplication.postEvent(self._words, QKeyEvent(kind, Qt.Key.Key_A, none, "a"))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and self._due and len(self._words.toPlainText()) > self._length:
            QTimer.singleShot(0, self, self._painted)
        return False

    def _painted(self) -> None:
        if self._due:
            self.took.append((time.perf_counter() - self._due) * 1000)
            self._due = 0.0


def floor_view(lane: Lane) -> QWidget:
    """The least that shows words."""
    view = QPlainTextEdit()
    view.setUndoRedoEnabled(False)

    def insert(text: str) -> None:
        cursor = view.textCursor()
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(text)
        view.verticalScrollBar().setValue(view.verticalScrollBar().maximum())

    lane.text_appended.connect(insert)
    return view


def naive_view(lane: Lane) -> QWidget:
    """What most programs do."""
    view = QTextBrowser()

    def show(_: str) -> None:
        view.setMarkdown(lane.text)
        view.verticalScrollBar().setValue(view.verticalScrollBar().maximum())

    lane.text_appended.connect(show)
    return view


class Bare:
    """The same engine and lanes under views of another kind."""

    def __init__(self, desk: Desk, make: Callable[[Lane], QWidget]) -> None:
        self._make = make
        self.tasks = Tasks()
        self.playground = Playground(desk, self.tasks, Notices())
        self.window = QWidget()
        self._row = QHBoxLayout(self.window)

    def show(self) -> None:
        for lane in self.playground.lanes:
            self._row.addWidget(self._make(lane))
        self.window.resize(WIDTH, HEIGHT)
        self.window.show()


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def run(what: Callable[[QApplication], Any]) -> None:
    """On the program's own loop; prints what comes out."""
    app = QApplication([])
    name_application(app)
    with asyncio.Runner(loop_factory=lambda: new_loop(app)) as runner:
        print(json.dumps(runner.run(what(app))))


async def until(true: Callable[[], object], seconds: float = 60.0) -> None:
    limit = time.perf_counter() + seconds
    while not true():
        if time.perf_counter() > limit:
            raise TimeoutError
        await asyncio.sleep(0.002)


async def stream(
    app: QApplication, way: str, port: int, rate: float, seconds: float, lanes: int
) -> dict[str, Any]:
    """Stall, reach, lag, processor, typing and Stop while `lanes` stream; it is stopped before the last second."""
    with folder() as place:
        desk = await asyncio.to_thread(lambda: Desk.open(home(place, port), cwd=place))
        desk.settings.set("lanes.last", [f"lab/draw-{rate:g}-{seconds + 20:g}"] * lanes)
        whole = way in ("vibedesk", "fitted")
        program: Any = (
            Sitting(app, desk) if whole else Bare(desk, floor_view if way == "floor" else naive_view)
        )
        playground: Playground = program.playground
        typist = None
        if whole:
            await program.begin()
            page = program.window.show_page("playground")
            assert isinstance(page, PlaygroundPage)
            program.window.resize(WIDTH, HEIGHT)
            page.area.fit(way == "fitted")
            typist = Typist(page.composer.words)
        else:
            program.show()
        found = await _measure(playground, typist, rate, seconds)
        if whole:
            await program.end()
        else:
            await program.tasks.close()
            await desk.close()
        return found


async def _measure(
    playground: Playground, typist: Typist | None, rate: float, seconds: float
) -> dict[str, Any]:
    heart, lags = Heart(), Lags(playground.lanes)
    playground.ask("Go")
    await until(lambda: all(lane.first_at for lane in playground.lanes))
    await asyncio.sleep(1.0)
    for one in (heart, typist):
        if one is not None:
            one.start()
    lags.all.clear()
    lags.since_read.clear()
    said = sum(len(lane.text) for lane in playground.lanes)
    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.sleep(seconds)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    said = sum(len(lane.text) for lane in playground.lanes) - said
    heart.stop()
    if typist is not None:
        typist.stop()
    began = time.perf_counter()
    playground.stop_all()
    await until(lambda: not playground.running and not any(x.waiting_to_be_drawn for x in playground.lanes))
    await asyncio.sleep(0)
    stopped = (time.perf_counter() - began) * 1000
    return {
        "late": heart.late,
        "lag": lags.all,
        "since_read": lags.since_read,
        "reach": said / (sum(map(len, DOCUMENT)) / len(DOCUMENT)) / (rate * wall * len(playground.lanes)),
        "cpu": cpu / wall,
        "typed": typist.took if typist is not None else [],
        "stop": stopped,
    }


async def answer(app: QApplication, way: str, tokens: int) -> dict[str, Any]:
    """Frame by frame, 80 tokens each, as fast as they are drawn."""
    views: dict[str, Any] = {"vibedesk": _our_view, "floor": _floor, "naive": _naive}
    append = views[way](app)
    words = itertools.cycle(DOCUMENT)
    spent = []
    for _ in range(tokens // 80):
        piece = "".join(itertools.islice(words, 80))
        began = time.perf_counter()
        append(piece)
        app.processEvents()
        spent.append(time.perf_counter() - began)
    frames = 1000 // 80
    return {"first": sum(spent[:frames]), "last": sum(spent[-frames:]), "frames": [s * 1000 for s in spent]}


def _our_view(app: QApplication) -> Callable[[str], object]:
    theme = Theme(resources())
    theme.apply(app, "light")
    view = Transcript(theme)
    _show(view)
    view.begin()
    return view.append


def _floor(app: QApplication) -> Callable[[str], object]:
    view = QPlainTextEdit()
    view.setUndoRedoEnabled(False)
    _show(view)

    def insert(text: str) -> None:
        cursor = view.textCursor()
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(text)
        view.verticalScrollBar().setValue(view.verticalScrollBar().maximum())

    return insert


def _naive(app: QApplication) -> Callable[[str], object]:
    view, said = QTextBrowser(), [""]
    _show(view)

    def show(text: str) -> None:
        said[0] += text
        view.setMarkdown(said[0])
        view.verticalScrollBar().setValue(view.verticalScrollBar().maximum())

    return show


def _show(view: QWidget) -> None:
    kept.append(view)
    view.resize(400, 800)
    view.show()


kept: list[QWidget] = []
"""Views that nobody else holds."""


async def messages(app: QApplication, count: int, tokens: int) -> dict[str, Any]:
    """The whole program opens a kept conversation, from the order to the first paint; then the wheel turns."""
    with folder() as place:
        desk = await asyncio.to_thread(lambda: Desk.open(home(place, 1), cwd=place))
        spec = LaneSpec(id=new_id(), model="lab/none")
        id = await asyncio.to_thread(_write, desk, spec, count, tokens)
        program = Sitting(app, desk)
        await program.begin()
        page = program.window.show_page("playground")
        assert isinstance(page, PlaygroundPage)
        program.window.resize(WIDTH, HEIGHT)
        await asyncio.sleep(0.5)
        opened: list[float] = []
        program.playground.conversation_opened.connect(lambda: opened.append(time.perf_counter()))
        heart = Heart()
        heart.start()
        began = time.perf_counter()
        program.playground.open_conversation(id)
        await until(lambda: opened)
        page.views[0].transcript.viewport().repaint()
        usable = (time.perf_counter() - began) * 1000
        await asyncio.sleep(0.1)
        heart.stop()
        steps = await _scroll(page.views[0].transcript)
        steps |= await _find(page)
        steps["grow"] = await _grow(page.views[0].transcript)
        await program.end()
        return {"open": usable, "late": heart.late, **steps}


def _write(desk: Desk, spec: LaneSpec, count: int, tokens: int) -> str:
    history = desk.history
    id = history.create([spec], title="Long")
    said = "".join(itertools.islice(itertools.cycle(DOCUMENT), tokens))
    for number in range(count // 2):
        turn = history.add_turn(id, f"Question {number}: what of it?", (), [spec.id])
        answer = StoredAnswer(id=new_id(), turn_id=turn.id, lane_id=spec.id, created=datetime.now(UTC))
        history.save_answer(id, replace(answer, text=f"{number}. {said}", outcome="complete"))
    return id


async def _scroll(view: Transcript) -> dict[str, list[float]]:
    """Milliseconds of each frame: up by the wheel, and then to a hundred places far apart."""
    bar = view.verticalScrollBar()
    steps: dict[str, list[float]] = {"wheel": [], "far": []}

    async def go(kind: str, place: int) -> None:
        began = time.perf_counter()
        bar.setValue(place)
        view.viewport().repaint()
        steps[kind].append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(0)

    for _ in range(999):  # from where it stands: the bar's range changes as heights become known
        await go("wheel", bar.value() - 60)
    for step in range(100):
        await go("far", round(bar.maximum() * (step * 37 % 100) / 100))
    return steps


async def _find(page: PlaygroundPage) -> dict[str, list[float]]:
    """Milliseconds of each frame while a word is typed into the bar, and while one goes from place to place."""
    bar = page.find_bar
    steps: dict[str, list[float]] = {"typed": [], "found": []}
    bar.open()

    async def timed(kind: str, act: Callable[[], object]) -> None:
        began = time.perf_counter()
        act()
        page.views[0].transcript.viewport().repaint()
        steps[kind].append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(0)

    for end in range(1, 5):
        await timed("typed", lambda end=end: bar.field.setText("retry"[:end]))  # type: ignore[misc]
    for _ in range(20):
        await timed("found", lambda: bar.step(-1))
    bar.leave()
    return steps


async def _grow(view: Transcript) -> list[float]:
    """Milliseconds of each frame of eighty tokens while another answer comes in."""
    words, steps = itertools.cycle(DOCUMENT), []
    view.say("Go on")
    view.begin()
    for _ in range(100):
        began = time.perf_counter()
        view.append("".join(itertools.islice(words, 80)))
        view.viewport().repaint()
        steps.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(0)
    view.end()
    return steps


async def memory(app: QApplication, seconds: float) -> dict[str, Any]:
    """One view is fed without pause; megabytes every tenth of the time, then after it was emptied."""
    append = _our_view(app)
    view = kept[-1]
    assert isinstance(view, Transcript)
    words = itertools.cycle(DOCUMENT)
    found: list[tuple[int, float]] = []
    tokens, began, next_look = 0, time.perf_counter(), 0.0
    while (now := time.perf_counter() - began) < seconds:
        append("".join(itertools.islice(words, 80)))
        app.processEvents()
        tokens += 80
        if now >= next_look:
            found.append((tokens, megabytes()))
            next_look += seconds / 10
    found.append((tokens, megabytes()))
    view.clear()
    gc.collect()
    trim()
    await asyncio.sleep(0.2)
    return {"grown": found, "after": megabytes()}


def megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    kind, *words = sys.argv[1:]
    match kind:
        case "answer":
            run(lambda app: answer(app, words[0], int(words[1])))
        case "messages":
            run(lambda app: messages(app, int(words[0]), int(words[1])))
        case "memory":
            run(lambda app: memory(app, float(words[0])))
    if kind == "stream":
        way, port, rate, seconds, lanes = words
        run(lambda app: stream(app, way, int(port), float(rate), float(seconds), int(lanes)))


if __name__ == "__main__":
    main()
