"""Every notation of a wait, and junk (wire facts §11.4, routing facts §2.5, §2.9, security N9)."""

# ruff: noqa: E501 - samples and tables: one row, one line

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibedesk.engine.dialects.retry_after import LONGEST_S, seconds, wait_of

NOW = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("12ms", 0.012), ("1s", 1.0), ("6m0s", 360.0), ("2m59.56s", 179.56), ("33011.38", 33011.38), ("34.074824224s", 34.074824224),
        ("1h2m3.5s", 3723.5), ("1d", 86400.0), ("120ms", 0.12), ("0", 0.0), ("2026-11-22T10:00:30Z", 30.0),
        ("2026-11-22T09:00:00Z", 0.0), ("2026-11-22T11:00:30+01:00", 30.0), (str(NOW.timestamp() + 7), 7.0),
        (str((NOW.timestamp() + 7) * 1000), 7.0), ("nan", None), ("inf", None), ("", None), ("soon", None), ("5 apples", None),
    ],
)  # fmt: skip
def test_a_reset_in_any_notation(value: str, expected: float | None) -> None:
    assert seconds(value, NOW) == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "12"}, 12.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after-ms": "1500", "retry-after": "99"}, 1.5),
        ({"x-ms-retry-after-ms": "250"}, 0.25),
        ({"retry-after": "Sun, 22 Nov 2026 10:00:20 GMT"}, 20.0),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:20 GMT", "date": "Sun, 22 Nov 2026 12:00:00 GMT"}, 20.0),
        ({"retry-after": "Sun, 22 Nov 2020 10:00:20 GMT"}, None),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, LONGEST_S),
        ({"retry-after": "1e9"}, LONGEST_S),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "0"}, None),
        ({"retry-after": "NaN"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "when it suits"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "5, 10"}, 10.0),
        ({"retry-after": "10,5"}, 10.0),
        ({"retry-after": "NaN, 5, soon, -7"}, 5.0),
        ({"retry-after": "5, Sun, 22 Nov 2026 10:00:20 GMT"}, 20.0),
        ({"retry-after": "Sun, 22 Nov 2026 10:00:20 GMT, Sun, 22 Nov 2026 10:00:30 GMT"}, 30.0),
        ({"retry-after": "Sunday, 22-Nov-26 10:00:20 GMT"}, 20.0),
        ({"retry-after-ms": "1500, 2500", "retry-after": "99"}, 2.5),
        ({"retry-after": ","}, None),
        ({"retry-after-ms": "junk", "retry-after": "3"}, 3.0),
        ({"X-RateLimit-Remaining-Requests": "0", "X-RateLimit-Reset-Requests": "2m59.56s"}, 179.56),
        ({"x-ratelimit-remaining-tokens": "5", "x-ratelimit-reset-tokens": "9s"}, None),
        ({"x-ratelimit-remaining-tokens-minute": "0", "x-ratelimit-reset-tokens-minute": "33.5"}, 33.5),
        (
            {
                "anthropic-ratelimit-tokens-remaining": "0",
                "anthropic-ratelimit-tokens-reset": "2026-11-22T10:00:05Z",
            },
            5.0,
        ),
        ({}, None),
    ],
)
def test_headers(headers: dict[str, str], expected: float | None) -> None:
    assert wait_of(headers, now=NOW) == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Please try again in 5.289s. Need more", 5.289),
        ("try again in 20ms", 0.02),
        ("Try again in 1m26.4s.", 86.4),
        ("Please retry in 34.07s", 34.07),
        ("try again in 2 minutes", 120.0),
        ("try again later", None),
    ],
)
def test_words(message: str, expected: float | None) -> None:
    assert wait_of({}, message=message, now=NOW) == (None if expected is None else pytest.approx(expected))


def test_what_the_header_says_goes_before_what_the_body_says() -> None:
    assert wait_of({"retry-after": "7"}, delay="34s", message="try again in 9s", now=NOW) == 7
    assert wait_of({}, delay="34s", message="try again in 9s", now=NOW) == 34


@given(
    st.dictionaries(
        st.sampled_from(["retry-after", "retry-after-ms", "date", "x-remaining", "x-reset"]), st.text()
    ),
    st.text(),
    st.text(),
)
def test_no_junk_breaks_it(headers: dict[str, str], delay: str, message: str) -> None:
    wait = wait_of(headers, delay=delay, message=message, now=NOW)
    assert wait is None or 0 < wait <= LONGEST_S
