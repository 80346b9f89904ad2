"""The way to the host as one line."""

from __future__ import annotations

import pytest

from vibedesk.state.check import CheckLine
from vibedesk.state.check_lines import folded

NAMES = ("shape", "host", "port", "tls", "api", "key", "models")
DETAILS = {
    "host": "api.groq.com",
    "port": "api.groq.com:443 takes connections",
    "tls": "TLSv1.3",
    "api": "yes",
}


def lines(**verdicts: str) -> list[CheckLine]:
    def one(name: str) -> CheckLine:
        verdict = verdicts.get(name, "waiting")
        took = 0.1 if verdict in ("ok", "failed") else None
        return CheckLine(
            id=name, title=name, verdict=verdict, detail=DETAILS.get(name, "") if took else "", took_s=took
        )

    return [one(name) for name in NAMES]


def test_all_passed_is_one_line_with_the_time_of_all() -> None:
    found = folded(lines(shape="ok", host="ok", port="ok", tls="ok", api="ok", key="ok"))
    assert [line.id for line in found] == ["shape", "host", "key", "models"]
    assert found[1].detail == "api.groq.com reached, certificate trusted"
    assert found[1].verdict == "ok"
    assert found[1].took_s == pytest.approx(0.4)


@pytest.mark.parametrize("failing", ["host", "port", "tls", "api"])
def test_the_part_that_failed_stands_for_the_way(failing: str) -> None:
    before = dict.fromkeys(NAMES[: NAMES.index(failing)], "ok")
    found = folded(lines(**before, **{failing: "failed"}))
    assert [line.id for line in found] == ["shape", failing, "key", "models"]
    assert (found[1].verdict, found[1].title) == ("failed", failing)


def test_under_way_says_what_is_being_done() -> None:
    found = folded(lines(shape="ok", host="ok", port="running"))
    assert (found[1].verdict, found[1].detail) == ("running", "connecting")
    assert folded(lines(shape="running"))[1].verdict == "waiting"
    between = folded(lines(shape="ok", host="ok"))
    assert (between[1].verdict, between[1].detail) == ("running", "")


def test_a_check_without_a_host_keeps_its_lines() -> None:
    assert [line.verdict for line in folded(lines(host="skipped", port="skipped", tls="skipped", api="skipped"))] == [
        "waiting", "skipped", "waiting", "waiting",
    ]  # fmt: skip
