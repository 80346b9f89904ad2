"""What in a question looks like an API key, and what does not."""

from __future__ import annotations

import pytest

from vibedesk.engine.keyshapes import key_in

RANDOM = "a1B2c3D4e5F6" * 4


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("sk-ant-api03-" + RANDOM, "sk-ant-…e5F6"),
        ("sk-proj-" + RANDOM, "sk-proj-…e5F6"),
        ("sk-" + RANDOM, "sk-…e5F6"),
        ("gsk_" + RANDOM, "gsk_…e5F6"),
        ("AIzaSy" + RANDOM[:33], "AIzaSya1…e5F6a1B2"),
        ("ghp_" + RANDOM[:36], "ghp_…e5F6"),
        ("AKIA" + "A1B2C3D4E5F6G7H8", "AKIA…G7H8"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nx", "a private key"),
    ],
)
@pytest.mark.parametrize("around", ["{}", "export K={} # mine", "see “{}”.", "a\n{}\nb"])
def test_keys_are_seen_wherever_they_stand(key: str, told: str, around: str) -> None:
    found = key_in(around.format(key))
    assert found
    assert found[:3] == told[:3]
    assert RANDOM[:20] not in found
    assert len(found) < 20


@pytest.mark.parametrize(
    "text",
    [
        "",
        "What does sk-… mean?",
        "the package sk-learn-2024-edition-of-the-book-by-us",
        "sk-placeholder-goes-here-please",
        "risk-" + RANDOM,
        "commit 1f0e9d8c7b6a5f4e3d2c1b0a9f8e7d6c5b4a3f2e",
        "https://example.org/ask-" + RANDOM,
        "gsk_tooshort1",
    ],
)
def test_other_words_are_not(text: str) -> None:
    assert key_in(text) == ""


def test_a_long_text_is_looked_through_once() -> None:
    assert key_in("sk-" * 200_000) == ""
    assert key_in("sk-" + "a" * 500_000) == ""
