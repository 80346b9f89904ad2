"""The stages of a check as a person follows them: the way to the host is one line, until a part of it fails."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from vibedesk.state.check import CheckLine

WAY = ("host", "port", "tls", "api")
"""Name, connection, certificate and API: four probes, and one question, whether the right server is there."""


def folded(lines: Sequence[CheckLine]) -> tuple[CheckLine, ...]:
    """The lines with those of the way to the host made one; the one that failed stands for all of them."""
    way = [line for line in lines if line.id in WAY]
    if len(way) < 2:
        return tuple(lines)
    first = next(number for number, line in enumerate(lines) if line.id in WAY)
    rest = [line for line in lines if line.id not in WAY]
    return (*rest[:first], _one(way), *rest[first:])


def _one(way: Sequence[CheckLine]) -> CheckLine:
    took = [line.took_s for line in way if line.took_s is not None]
    facts = tuple(fact for line in way for fact in line.evidence)
    failed = next((line for line in way if line.verdict == "failed"), None)
    if failed is not None:
        return replace(failed, took_s=sum(took), evidence=facts)
    verdicts = {line.verdict for line in way}
    if verdicts <= {"ok", "skipped"}:
        verdict = "ok" if "ok" in verdicts else "skipped"
        return replace(way[0], verdict=verdict, detail=_found(way), took_s=sum(took) or None, evidence=facts)
    begun = "waiting" if verdicts == {"waiting"} else "running"
    step = next((line for line in way if line.verdict == "running"), None)
    return replace(way[0], verdict=begun, detail=_STEPS[step.id] if step else "", took_s=None, evidence=facts)


_STEPS = {
    "host": "looking up its name",
    "port": "connecting",
    "tls": "looking at its certificate",
    "api": "asking whether it is that API",
}


def _found(way: Sequence[CheckLine]) -> str:
    """`api.groq.com reached, certificate trusted`."""
    line = {part.id: part for part in way}
    host, tls = line.get("host"), line.get("tls")
    if host is None or host.verdict != "ok":
        return way[0].detail
    trusted = tls.detail if tls and tls.verdict == "skipped" else "certificate trusted" if tls else ""
    return f"{host.detail} reached" + (f", {trusted}" if trusted else "")
