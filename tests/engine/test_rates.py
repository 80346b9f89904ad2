"""What providers say of their limits in headers, as each of them writes it (wire.md §3.3, §4.3, §6.1, §7.1, §8.1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from vibedesk.engine.rates import Bucket, buckets_of, organisation_of

NOW = 1_795_000_000.0

SAID = {
    "openai": (
        {
            "x-ratelimit-limit-requests": "10000",
            "x-ratelimit-remaining-requests": "9999",
            "x-ratelimit-reset-requests": "6ms",
            "x-ratelimit-limit-tokens": "2000000",
            "x-ratelimit-remaining-tokens": "1999000",
            "x-ratelimit-reset-tokens": "6m0s",
        },
        {"requests": (10_000, 9_999, 0.006), "tokens": (2_000_000, 1_999_000, 360.0)},
    ),
    "anthropic": (
        {
            "anthropic-ratelimit-requests-limit": "50",
            "anthropic-ratelimit-requests-remaining": "0",
            "anthropic-ratelimit-requests-reset": "2026-11-18T10:27:20Z",
            "anthropic-ratelimit-input-tokens-limit": "30000",
            "anthropic-ratelimit-input-tokens-remaining": "29000",
        },
        {"requests": (50, 0, None), "input-tokens": (30_000, 29_000, None)},
    ),
    "groq": (
        {
            "x-ratelimit-limit-requests": "14400",
            "x-ratelimit-remaining-requests": "14370",
            "x-ratelimit-reset-requests": "2m59.56s",
            "x-ratelimit-limit-tokens": "18000",
            "x-ratelimit-remaining-tokens": "17997",
            "x-ratelimit-reset-tokens": "7.66s",
        },
        {"requests-day": (14_400, 14_370, 179.56), "tokens": (18_000, 17_997, 7.66)},
    ),
    "cerebras": (
        {
            "x-ratelimit-limit-requests-day": "1000",
            "x-ratelimit-remaining-requests-day": "999",
            "x-ratelimit-reset-requests-day": "33011.382867",
            "x-ratelimit-limit-tokens-minute": "60000",
            "x-ratelimit-remaining-tokens-minute": "59400",
            "x-ratelimit-reset-tokens-minute": "11.38",
        },
        {"requests-day": (1_000, 999, 33_011.382867), "tokens-minute": (60_000, 59_400, 11.38)},
    ),
    "together": (
        {
            "x-ratelimit-limit": "10",
            "x-ratelimit-remaining": "9",
            "x-ratelimit-reset": "1",
            "x-tokenlimit-limit": "3000",
            "x-tokenlimit-remaining": "2900",
        },
        {"requests": (10, 9, 1.0), "tokens": (3_000, 2_900, None)},
    ),
    "google-ai-studio": ({"content-type": "text/event-stream"}, {}),
}


@pytest.mark.parametrize("provider", SAID)
def test_each_of_the_six_is_read(provider: str) -> None:
    headers, expected = SAID[provider]
    found = buckets_of(headers, provider, NOW)
    assert set(found) == set(expected)
    for name, (limit, remaining, reset) in expected.items():
        bucket = found[name]
        assert (bucket.limit, bucket.remaining, bucket.said_at) == (limit, remaining, NOW)
        if reset is not None:
            assert bucket.reset_at is not None
            assert bucket.reset_at - NOW == pytest.approx(reset, abs=1e-3)


def test_a_reset_that_has_passed_is_now_and_nonsense_is_nothing() -> None:
    headers = {
        "anthropic-ratelimit-requests-reset": "2020-01-01T00:00:00Z",
        "x-ratelimit-limit-tokens": "many",
        "x-ratelimit-remaining-tokens": "-4",
    }
    assert buckets_of(headers, "x", NOW) == {"requests": Bucket(reset_at=NOW, said_at=NOW)}


def test_a_header_that_came_twice_counts_once() -> None:
    found = buckets_of({"x-ratelimit-remaining-requests": "3, 3"}, "openai", NOW)
    assert found["requests"].remaining == 3


def test_the_organisation_is_read_where_it_is_named() -> None:
    assert organisation_of({"openai-organization": "org-1"}) == "org-1"
    assert organisation_of({"anthropic-organization-id": "uuid"}) == "uuid"
    assert organisation_of({"server": "cloudflare"}) == ""


@given(
    some.dictionaries(
        some.sampled_from([name for one, _ in SAID.values() for name in one]), some.text(max_size=30)
    )
)
def test_no_header_breaks_it(headers: dict[str, str]) -> None:
    for bucket in buckets_of(headers, "groq", NOW).values():
        assert bucket.remaining is None or bucket.remaining >= 0
        assert bucket.reset_at is None or bucket.reset_at >= NOW
