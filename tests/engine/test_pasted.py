"""What people paste where a key belongs, and what becomes of it."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.test_catalog import KEYS, bundled
from vibedesk.engine.catalog import clean_key, hint_of, read_pasted
from vibedesk.engine.errors import Misconfigured

KEY = KEYS["groq"]
PLAIN = string.ascii_letters + string.digits + "-_."


def found(text: str) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(key.name, key.secret.reveal(), key.providers) for key in read_pasted(text, bundled())]


@pytest.mark.parametrize(
    "pasted",
    [
        "{}",
        "  {}\n",
        '"{}"',
        "'{}',",
        "“{}”",
        "‘{}’",
        "`{}`",
        "Bearer {}",
        "bearer  {}",
        "Authorization: Bearer {}",
        "export GROQ_API_KEY={}",
        'export GROQ_API_KEY="{}"',
        "GROQ_API_KEY = {}",
        "GROQ_API_KEY=Bearer {};",
        "\ufeff{}",
        "\u200b{}\u2060",
        "\u00a0{}\u00a0",
        "\u202a{}\u202c",
    ],
)
def test_a_key_comes_clean_out_of_its_wrapping(pasted: str) -> None:
    assert clean_key(pasted.format(KEY)) == KEY


def test_invisible_characters_inside_are_taken_out_too() -> None:
    assert clean_key(KEY[:9] + "\u200b\u00ad" + KEY[9:]) == KEY


@pytest.mark.parametrize(
    ("pasted", "reason"),
    [
        ("", "empty"),
        (" \n ", "empty"),
        ('""', "empty"),
        ("https://console.groq.com/keys", "url"),
        (KEY + " " + KEY, "spaces"),
        (KEY[:20] + "\n" + KEY[20:], "spaces"),
        (KEY + "é", "characters"),
        (KEY + "\x07", "characters"),
        (KEY + "…", "characters"),
        ("x" * 5000, "long"),
    ],
)
def test_what_is_no_key_is_refused_without_repeating_it(pasted: str, reason: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        clean_key(pasted)
    assert caught.value.facts["reason"] == reason
    assert KEY[:12] not in caught.value.detail
    assert "xxxx" not in caught.value.detail


def test_an_equals_sign_inside_a_key_stays() -> None:
    assert clean_key("abc123/+def==") == "abc123/+def=="


@given(
    st.text(alphabet=PLAIN, min_size=1, max_size=200),
    st.sampled_from(["", " ", "\t", "\n", '"', "'", "\u200b"]),
)
def test_cleaning_is_the_same_twice_and_wrapping_changes_nothing(key: str, wrap: str) -> None:
    once = clean_key(wrap + key + wrap)
    assert once == key
    assert clean_key(once) == once


@given(st.text(max_size=300))
def test_any_paste_becomes_printable_ascii_or_is_refused(pasted: str) -> None:
    try:
        key = clean_key(pasted)
    except Misconfigured:
        return
    assert key
    assert all(33 <= ord(character) <= 126 for character in key)


@pytest.mark.parametrize(
    ("secret", "hint"),
    [
        ("sk-ant-api03-" + "x" * 91 + "a1b2", "sk-ant-…a1b2"),
        ("sk-proj-" + "x" * 60 + "77fe", "sk-proj-…77fe"),
        ("sk-or-v1-" + "x" * 60 + "0000", "sk-or-v1-…0000"),
        ("sk-" + "x" * 40 + "beef", "sk-…beef"),
        ("gsk_" + "x" * 48 + "4d1a", "gsk_…4d1a"),
        ("tgp_v1_" + "x" * 39 + "09c3", "tgp_v1_…09c3"),
        ("x" * 28 + "abcd", "…abcd"),
        ("short-key", "…ey"),
        ("sk-or-v1-abcd", "…abcd"),
    ],
)
def test_a_hint_shows_the_known_beginning_and_the_last_four(secret: str, hint: str) -> None:
    assert hint_of(secret) == hint


@given(st.text(alphabet=PLAIN, max_size=120))
def test_a_hint_never_shows_more_than_four_of_what_is_secret(secret: str) -> None:
    shown = hint_of(secret).partition("…")[2]
    assert len(shown) <= 4
    assert len(shown) <= 2 or len(secret) >= 12


@pytest.mark.parametrize("id", list(KEYS))
def test_a_bare_key_is_one_key_of_its_provider(id: str) -> None:
    ((name, secret, providers),) = found(f" {KEYS[id]}\n")
    assert (name, secret, providers[0]) == ("", KEYS[id], id)


def test_a_key_alone_that_nobody_knows_is_still_a_key() -> None:
    assert found("my-own-servers-token") == [("", "my-own-servers-token", ())]


@pytest.mark.parametrize(
    "line",
    ["export GROQ_API_KEY={}", "GROQ_API_KEY='{}' # work", '$env:GROQ_API_KEY = "{}"', "set GROQ_API_KEY={}",
     'GROQ_API_KEY: "{}"', '  "GROQ_API_KEY": "{}",', "GROQ_API_KEY_BYOK={}"],
)  # fmt: skip
def test_a_line_with_a_name_gives_name_and_key(line: str) -> None:
    ((name, secret, providers),) = found(line.format(KEY))
    assert name.removesuffix("_BYOK") == "GROQ_API_KEY"
    assert (secret, providers) == (KEY, ("groq",))


def test_a_header_line_is_a_key_without_a_name() -> None:
    assert found("x-api-key: " + KEYS["anthropic"]) == [("", KEYS["anthropic"], ("anthropic",))]


def test_a_whole_file_gives_its_keys_and_nothing_else() -> None:
    text = f"""
    # keys
    OPENAI_API_KEY={KEYS["openai"]}
    export ANTHROPIC_API_KEY="{KEYS["anthropic"]}"   # work
    GOOGLE_AI_STUDIO_API_KEY=AIza...
    CEREBRAS_API_KEY=
    GROQ_API_KEY=your-key-goes-here
    TOGETHER_API_KEY={"0a" * 32}
    MY_MISTRAL={KEYS["mistral"]}
    SECOND={KEYS["groq"]}
    AGAIN={KEYS["groq"]}
    DATABASE_URL=postgres://user:word@host/db
    SESSION_SECRET={"0b" * 32}
    GIT_COMMIT={"c0" * 20}
    DEBUG=true
    """
    assert found(text) == [
        ("OPENAI_API_KEY", KEYS["openai"], ("openai",)),
        ("ANTHROPIC_API_KEY", KEYS["anthropic"], ("anthropic",)),
        ("TOGETHER_API_KEY", "0a" * 32, ("together",)),
        ("SECOND", KEYS["groq"], ("groq",)),
    ]


def test_an_unmistakable_shape_beats_the_name_it_stood_under() -> None:
    assert found("OPENAI_API_KEY=" + KEYS["groq"])[0][2] == ("groq", "openai")


def test_a_name_settles_what_the_shape_leaves_open() -> None:
    assert found("DEEPSEEK_API_KEY=sk-" + "Ab1" * 16)[0][2] == ("deepseek", "openai")
    assert found("TOGETHER_API_KEY=" + KEYS["mistral"])[0][2] == ("together", "mistral")


def test_a_pasted_key_does_not_show_itself() -> None:
    (key,) = read_pasted(KEY, bundled())
    assert KEY not in repr(key)
    assert KEY not in str(key)


@pytest.mark.parametrize(
    "text", ["", "\n\n", "# only a comment", "OPENAI_API_KEY=sk-...", "https://example.com/keys"]
)
def test_where_there_is_no_key_none_is_found(text: str) -> None:
    assert found(text) == []


@given(st.text(max_size=400))
def test_any_text_can_be_pasted(text: str) -> None:
    for _, secret, _ in found(text):
        assert clean_key(secret) == secret or "=" in secret
