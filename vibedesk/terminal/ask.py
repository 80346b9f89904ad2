"""`vibedesk ask`: every lane asked at the same time, its events told as they come, the answers kept."""

from __future__ import annotations

import argparse
import asyncio
import difflib
import signal
import sys
from collections.abc import Sequence
from contextlib import aclosing, suppress
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from vibedesk.desk import Desk
from vibedesk.engine.errors import EngineError, UnknownRoute
from vibedesk.engine.to_the_end import to_the_end
from vibedesk.engine.types import (
    CachePolicy,
    Finished,
    Image,
    Parameters,
    Request,
    Route,
    Rung,
    TextDelta,
    never_asked,
    request_of,
)
from vibedesk.terminal.arguments import WordsOff
from vibedesk.terminal.faces import BlockFace, Face, JsonFace
from vibedesk.terminal.output import Output
from vibedesk.terminal.record import Record
from vibedesk.terminal.sentences import Sentences
from vibedesk.terminal.unlock import unlock

COMPLETE, FAILED, WORDS_OFF, CUT, INTERRUPTED = 0, 1, 2, 3, 130
IMAGE_CAP = 20 * 1024 * 1024

_NAMING = frozenset({"unknown_provider", "unknown_route"})
_OUTCOMES = {"failed": FAILED, "cut": CUT, "stopped": INTERRUPTED}


class Lane(Struct, frozen=True, kw_only=True):
    """One question to one model or route. `asked` is the name that was typed; `error` set = it cannot be asked."""

    asked: str
    route: Route
    request: Request
    rungs: tuple[Rung, ...] = ()
    error: EngineError | None = None


def ask(options: argparse.Namespace, output: Output, desk: Desk) -> int:
    """Asks all lanes; the exit status tells how they ended."""
    lanes = _lanes(options, desk)
    asked = [lane.asked for lane in lanes]
    face: Face = (JsonFace if output.as_json else BlockFace)(output, Sentences(desk), asked)
    record = Record(desk, lanes[0].request, via=options.via or "", save=not options.no_save)
    unlock(desk, [lane.rungs for lane in lanes])
    return asyncio.run(_ask_all(desk, lanes, face, record))


async def _ask_all(desk: Desk, lanes: Sequence[Lane], face: Face, record: Record) -> int:
    _stop_on_signals()
    try:
        await record.begin([lane.route for lane in lanes])
        tasks = [asyncio.create_task(_ask_lane(desk, n, lane, face, record)) for n, lane in enumerate(lanes)]
        with suppress(asyncio.CancelledError):  # Ctrl+C: every lane ends as stopped, below
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        await desk.close()
    for result in ended:
        if isinstance(result, BaseException):
            raise result
    return status_of([finished for finished in ended if isinstance(finished, Finished)])


def _stop_on_signals() -> None:
    """The first Ctrl+C or polite kill ends the answers as stopped, with the text so far."""
    task = asyncio.current_task()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows: asyncio.run cancels the main task on Ctrl+C
            asyncio.get_running_loop().add_signal_handler(number, task.cancel if task else int)


async def _ask_lane(desk: Desk, number: int, lane: Lane, face: Face, record: Record) -> Finished:
    """Tells the face everything and keeps the answer, however it ended."""
    if lane.error is not None:
        finished = never_asked(lane.error)
    else:
        finished = await _listen(desk, number, lane, face, record)
    try:
        with suppress(asyncio.CancelledError):  # it has ended already
            await to_the_end(record.keep(number, finished))
    finally:
        face.tell(number, finished)
    return finished


async def _listen(desk: Desk, number: int, lane: Lane, face: Face, record: Record) -> Finished:
    """The lane's answer; a cancel ends it as stopped."""
    answer = desk.cache.ask(lane.request, lane.rungs)
    with suppress(asyncio.CancelledError):
        try:
            async with aclosing(answer.events()) as events:
                async for event in events:
                    if isinstance(event, Finished):
                        return event
                    face.tell(number, event)
                    if isinstance(event, TextDelta):
                        await record.hear(number, answer)
        except BrokenPipeError:
            await to_the_end(record.keep(number, answer.stopped()))
            raise
    return answer.stopped()


def status_of(ended: Sequence[Finished]) -> int:
    """130 before 2 before 1 before 3: an interruption explains the rest, a failure is worse than a cut."""
    statuses = {_status(finished) for finished in ended}
    return next((status for status in (INTERRUPTED, WORDS_OFF, FAILED, CUT) if status in statuses), COMPLETE)


def _status(finished: Finished) -> int:
    if finished.error is not None and finished.error.kind in _NAMING:
        return WORDS_OFF
    return _OUTCOMES.get(finished.outcome, COMPLETE)


# What is asked of whom


def _lanes(options: argparse.Namespace, desk: Desk) -> list[Lane]:
    if not options.lanes:
        raise WordsOff(
            "name a model with -m PROVIDER/MODEL or a route with -r NAME; vibedesk models lists them"
        )
    parameters = Parameters(
        max_tokens=options.max_tokens, temperature=options.temperature, reasoning_effort=options.effort
    )
    images = [_image(Path(name)) for name in options.image]
    request = request_of(_prompt(options.prompt), images=images, system=options.system or "")
    request = replace(request, parameters=parameters)
    lanes = [_lane(kind, name, options.via, request, desk) for kind, name in options.lanes]
    return [_uncached(lane) for lane in lanes] if options.no_save else lanes


def _uncached(lane: Lane) -> Lane:
    """What is not to be kept is not kept in the answer cache either."""
    return replace(lane, rungs=tuple(replace(rung, cache=CachePolicy()) for rung in lane.rungs))


def _lane(kind: str, name: str, via: str | None, request: Request, desk: Desk) -> Lane:
    """The lane, or why it cannot be asked: the others go on."""
    if kind == "model":
        if "/" not in name.strip("/"):
            raise WordsOff(f"“{name}” is not a model: write PROVIDER/MODEL{_such_as(name, desk)}")
        route = desk.route_for(name, via=via, parameters=request.parameters, system=request.system)
    else:
        route = next(
            (route for route in desk.routes.routes() if route.name == name), Route(name=name, model="")
        )
        if not route.model:
            return Lane(asked=name, route=route, request=request, error=_unknown_route(name, desk))
        route = replace(route, provider_override=via or route.provider_override)
        request = _with_defaults(request, route)
    try:
        rungs = desk.rungs(route)
    except EngineError as error:
        return Lane(asked=name, route=route, request=request, error=error)
    return Lane(asked=name, route=route, request=request, rungs=rungs)


def _with_defaults(request: Request, route: Route) -> Request:
    """What was typed comes first, what the route says fills the rest."""
    typed, own = request.parameters, route.parameters
    parameters = Parameters(
        max_tokens=own.max_tokens if typed.max_tokens is None else typed.max_tokens,
        temperature=own.temperature if typed.temperature is None else typed.temperature,
        reasoning_effort=typed.reasoning_effort or own.reasoning_effort,
    )
    return replace(request, system=request.system or route.system, parameters=parameters)


def _unknown_route(name: str, desk: Desk) -> UnknownRoute:
    near = difflib.get_close_matches(name, [route.name for route in desk.routes.routes()], 1)
    return UnknownRoute(name, name=name, suggestion=near[0] if near else "")


def _such_as(name: str, desk: Desk) -> str:
    found = desk.catalog.search(name)
    return f", such as {found[0].full_id}" if found else ""


def _prompt(typed: str) -> str:
    text = sys.stdin.buffer.read().decode("utf-8", "replace") if typed == "-" else typed
    if not text.strip():
        raise WordsOff("the prompt is empty")
    return text.removesuffix("\n") if typed == "-" else text


def _image(path: Path) -> Image:
    """The file as an image part; its type is told by its first bytes, never by its name."""
    try:
        if path.exists() and not path.is_file():
            raise WordsOff(f"{path} is not a file; a pipe or a device may have no end")
        with path.open("rb") as file:
            data = file.read(IMAGE_CAP + 1)
    except OSError as problem:
        raise WordsOff(f"{path} cannot be read ({problem.strerror})") from problem
    if len(data) > IMAGE_CAP:
        raise WordsOff(f"{path.name} is larger than 20 MiB; send a smaller image")
    if media_type := media_type_of(data):
        return Image(media_type, data)
    raise WordsOff(f"{path.name} is not an image that models take: PNG, JPEG, GIF or WebP")


def media_type_of(data: bytes) -> str:
    """image/png, image/jpeg, image/gif or image/webp by the first bytes; "" for anything else."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    signatures = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}
    return next((kind for signature, kind in signatures.items() if data.startswith(signature)), "")
