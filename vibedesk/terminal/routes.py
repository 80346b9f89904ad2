"""`vibedesk routes`: the named model configs, shown, explained, linted, tried, and carried in and out."""

from __future__ import annotations

import argparse
import asyncio
import difflib
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from vibedesk.amounts import duration
from vibedesk.desk import Desk
from vibedesk.engine import exports
from vibedesk.engine.explain import FAULTS, Told, is_fault, names_of
from vibedesk.engine.tryout import question_of, try_each
from vibedesk.engine.types import Finished, Route, Rung
from vibedesk.log import redact
from vibedesk.terminal.arguments import WordsOff
from vibedesk.terminal.events import cost_object, error_object, route_object, usage_object
from vibedesk.terminal.faces import receipt
from vibedesk.terminal.output import Output, one_line
from vibedesk.terminal.sentences import Sentences
from vibedesk.terminal.unlock import unlock


def list_routes(options: argparse.Namespace, output: Output, desk: Desk) -> int:
    routes = desk.routes.routes()
    if output.as_json:
        output.json([route_object(route) for route in routes])
    elif not routes:
        output.line(f"No routes yet. They stand in {desk.paths.routes}")
    else:
        rows = [
            [
                route.name,
                route.model,
                route.provider_override or "",
                _tuning(route),
                ", ".join(route.fallback_models),
            ]
            for route in routes
        ]
        output.table(["ROUTE", "MODEL", "OVERRIDE", "PARAMETERS", "FALLBACKS"], rows)
    return 0


def show(options: argparse.Namespace, output: Output, desk: Desk) -> int:
    route = _route(options.name, desk)
    if output.as_json:
        output.json(route_object(route))
    else:
        output.line(exports.own.table_of(route).rstrip())
    return 0


def explain(options: argparse.Namespace, output: Output, desk: Desk) -> int:
    """The ladder as it would be climbed now, or with faults. Nothing is sent; 1 when nobody would answer."""
    route = _route(options.name, desk)
    found = desk.explain(route, _faults(options.fault, route, desk))
    told = [_rung_object(rung, desk) for rung in found.rungs]
    if output.as_json:
        error = error_object(found.error, Sentences(desk))
        ending = {"outcome": found.outcome, "error": error, "waited_s": round(found.waited_s, 3)}
        output.json({"route": route.name, "rungs": told, **ending})
        return 0 if found.outcome == "complete" else 1
    rows = [
        [
            _number(n, rung),
            rung["deployment"],
            rung["via"],
            rung["key"] or "—",
            rung["verdict"],
            rung["reason"],
        ]
        for n, rung in enumerate(told, 1)
    ]
    output.table(["", "DEPLOYMENT", "VIA", "KEY", "VERDICT", "REASON"], rows, styles={4: {"ready": "ok"}})
    if found.waited_s:
        output.note(f"waits {duration(found.waited_s)} in all")
    if found.error is not None:
        output.error(Sentences(desk).of(found.error))
    return 0 if found.outcome == "complete" else 1


def _faults(typed: Sequence[str], route: Route, desk: Desk) -> dict[str, str]:
    """`PROVIDER=529` and the like, each at somebody whom the route would ask."""
    faults: dict[str, str] = {}
    for word in typed:
        whom, sign, what = word.rpartition("=")
        if not (whom and sign and what):
            raise WordsOff(f"“{word}” is no fault: write PROVIDER=529, KEY=limit or PROVIDER=timeout")
        if not is_fault(what):
            raise WordsOff(
                f"there is no fault “{what}”; there are the statuses 400 to 599, {', '.join(FAULTS)}"
            )
        faults[whom] = what
    if faults:
        _assert_asked(faults, [name for rung in desk.rungs(route) for name in names_of(rung.deployment)])
    return faults


def _assert_asked(whom: Iterable[str], names: Sequence[str]) -> None:
    """A name that is mistyped would change nothing, and look as if the fault did not matter."""
    for name in whom:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            there = ", ".join(dict.fromkeys(one for one in names if one))
            help = f"did you mean {near[0]}?" if near else f"there are {there}"
            raise WordsOff(f"the route asks nobody called “{name}”; {help}")


def _number(n: int, rung: dict[str, Any]) -> str:
    return f"→ {n}" if rung["answers"] else str(n)


def lint(options: argparse.Namespace, output: Output, desk: Desk) -> int:
    """What looks wrong, in all routes; 1 when anything does."""
    from vibedesk.engine.lint import lint as lint_route

    found = [
        one
        for route in desk.routes.routes()
        for one in lint_route(route, desk.catalog, desk.keys.usable, desk.gateway())
    ]
    if output.as_json:
        output.json([{"route": one.route, "rule": one.rule, "message": one.message} for one in found])
    elif found:
        output.table(["ROUTE", "RULE", ""], [[one.route, one.rule, one.message] for one in found])
    else:
        output.line(f"{len(desk.routes.routes())} routes, nothing to say")
    return 1 if found or desk.routes.problems else 0


def test(options: argparse.Namespace, output: Output, desk: Desk) -> int:
    """Asks the model and each fallback the same short question, each on its own; 0 when all answered whole."""
    route = _route(options.name, desk)
    rungs = desk.rungs(route)
    unlock(desk, [[rung] for rung in rungs])
    ended = asyncio.run(_try_all(route, rungs, desk))
    if output.as_json:
        results = [_result_object(rung, finished, desk) for rung, finished in zip(rungs, ended, strict=True)]
        output.json({"route": route.name, "results": results})
    else:
        for rung, finished in zip(rungs, ended, strict=True):
            _show_result(rung, finished, output, desk)
    return 0 if all(finished.outcome == "complete" for finished in ended) else 1


def export(options: argparse.Namespace, output: Output, desk: Desk) -> int:
    """Writes the routes in another tool's format to standard output, and what it cannot carry to standard error.

    Never a key.
    """
    if options.format not in exports.FORMATS:
        raise WordsOff(f"there is no format “{options.format}”; there are {', '.join(exports.FORMATS)}")
    blank = partial(redact, live=desk.live_secrets())
    done = exports.export(options.format, desk.routes.routes(), desk.catalog, desk.gateway(), redact=blank)
    if output.as_json:
        output.json({"format": done.format, "file": done.file, "text": done.text, "lost": list(done.lost)})
    else:
        output.out.write(done.text)
        for line in done.lost:
            output.note(f"not carried over: {line}")
    return 0


def import_routes(options: argparse.Namespace, output: Output, desk: Desk) -> int:
    """Takes the routes of a file in; one of the same name is replaced, all others stay. A `.dev.vars` has none: which
    keys it names is told, and what is still missing here."""
    found = exports.read(_text_of(options.file), desk.catalog)
    for route in found.routes:
        desk.routes.save(route)
    if output.as_json:
        told = [route_object(route) for route in found.routes]
        output.json(told or [_name_object(name, owner, desk) for name, owner in found.names])
    elif found.routes:
        output.line(f"Imported {', '.join(route.name for route in found.routes)}")
    if found.names and not output.as_json:
        rows = [[name, owner, _key_here(owner, desk)] for name, owner in found.names]
        output.table(["VARIABLE", "PROVIDER", "KEY HERE"], rows)
    for line in found.lost:
        output.note(f"not brought in: {line}")
    return 0


def _name_object(variable: str, owner: str, desk: Desk) -> dict[str, Any]:
    return {"variable": variable, "provider": owner, "key_here": _has_key(owner, desk)}


def _key_here(owner: str, desk: Desk) -> str:
    yes, no = ("yes", "no") if owner in desk.catalog.providers else ("set up", "not set up")
    return yes if _has_key(owner, desk) else no


def _has_key(owner: str, desk: Desk) -> bool:
    """The gateway is an owner too, and no provider."""
    return desk.can_ask(owner) if owner in desk.catalog.providers else desk.gateway() is not None


# Reading


def _route(name: str, desk: Desk) -> Route:
    found = next((route for route in desk.routes.routes() if route.name == name), None)
    if found is None:
        near = difflib.get_close_matches(name, [route.name for route in desk.routes.routes()], 1)
        help = f"did you mean {near[0]}? vibedesk" if near else "vibedesk"
        raise WordsOff(f"there is no route named “{name}”; {help} routes list shows them")
    return found


def _text_of(file: str) -> str:
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as problem:
        raise WordsOff(f"{file} cannot be read ({problem.strerror})") from problem
    return data.decode("utf-8-sig", "replace")


def _tuning(route: Route) -> str:
    """Only what differs from the default."""
    parameters = route.parameters
    parts = [
        f"effort {parameters.reasoning_effort}" if parameters.reasoning_effort else "",
        f"max {parameters.max_tokens}" if parameters.max_tokens is not None else "",
        f"temperature {parameters.temperature:g}" if parameters.temperature is not None else "",
    ]
    return ", ".join(part for part in parts if part)


def _rung_object(told: Told, desk: Desk) -> dict[str, Any]:
    deployment, error = told.rung.deployment, told.error
    why = Sentences(desk).of(error) if error else deployment.why_via
    return {
        "deployment": deployment.name,
        "via": deployment.via,
        "key": deployment.key_name or None,
        "verdict": told.verdict,
        "reason": f"{told.reason}: {why}" if why else told.reason,
        "asked": told.asked,
        "answers": told.answers,
    }


# Testing


async def _try_all(route: Route, rungs: Sequence[Rung], desk: Desk) -> list[Finished]:
    try:
        ended = await try_each(desk.router, question_of(route), rungs)
        for finished in ended:
            if finished.attempts:
                await asyncio.to_thread(desk.ledger.record, finished, datetime.now(UTC))
        return ended
    finally:
        await desk.http.close()


def _result_object(rung: Rung, finished: Finished, desk: Desk) -> dict[str, Any]:
    return {
        "deployment": rung.deployment.name,
        "via": rung.deployment.via,
        "key": rung.deployment.key_name or None,
        "outcome": finished.outcome,
        "finish_reason": finished.finish_reason,
        "text": finished.text[:200],
        "ttft_s": finished.ttft_s and round(finished.ttft_s, 4),
        "took_s": round(finished.took_s, 4),
        "usage": usage_object(finished.usage),
        "cost": cost_object(finished.cost),
        "error": error_object(finished.error, Sentences(desk)),
    }


def _show_result(rung: Rung, finished: Finished, output: Output, desk: Desk) -> None:
    style = "ok" if finished.outcome == "complete" else "bad"
    output.line(f"{output.styled(finished.outcome, style)}  {rung.deployment.name}")
    if finished.error is not None:
        output.line(f"  {Sentences(desk).of(finished.error)}")
    if finished.text:
        output.line(f"  “{one_line(finished.text)[:100]}”")
    if finished.attempts:
        output.line(output.styled(f"  {receipt(finished)}", "dim"))
