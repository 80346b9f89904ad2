"""The settings: defaults, a file people edit, and what becomes of their comments and mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from vibedesk.engine.errors import Misconfigured
from vibedesk.store.settings import SETTINGS, Settings

TYPED = """# mine, since 2026
[appearance]
theme = "dark"   # easier on the eyes

[something.else]
kept = [1, 2]

[composer]
enter_sends = false
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.toml"


def typed(path: Path, text: str) -> Settings:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode())
    return Settings(path)


def test_without_a_file_everything_is_as_declared(path: Path) -> None:
    settings = Settings(path)
    assert {setting.key: settings.get(setting.key) for setting in SETTINGS} == {
        setting.key: setting.default for setting in SETTINGS
    }
    assert settings.problems == ()
    assert not path.exists()


def test_every_default_would_be_accepted() -> None:
    assert [setting.key for setting in SETTINGS if setting.refusal(setting.default)] == []


def test_a_default_list_is_not_shared(path: Path) -> None:
    settings = Settings(path)
    settings.get("models.recent").append("openai/x")
    assert settings.get("models.recent") == []


def test_a_value_outlives_the_program(path: Path) -> None:
    Settings(path).set("models.favourites", ["groq/a", "openai/b"])
    assert Settings(path).get("models.favourites") == ["groq/a", "openai/b"]


def test_comments_and_unknown_tables_stay_as_typed(path: Path) -> None:
    settings = typed(path, TYPED)
    settings.set("appearance.theme", "light")
    settings.set("gateway.account", "a" * 32)
    text = path.read_text()
    assert '# mine, since 2026\n[appearance]\ntheme = "light"   # easier on the eyes\n' in text
    assert "[something.else]\nkept = [1, 2]" in text
    assert Settings(path).get("composer.enter_sends") is False


def test_windows_line_ends_stay(path: Path) -> None:
    settings = typed(path, TYPED.replace("\n", "\r\n"))
    settings.set("appearance.theme", "light")
    assert b'theme = "light"   # easier on the eyes\r\n' in path.read_bytes()


@given(
    st.sampled_from(SETTINGS).flatmap(
        lambda setting: st.tuples(
            st.just(setting.key),
            {
                str: st.sampled_from(setting.choices)
                if setting.choices
                else st.text(st.characters(codec="utf-8")),
                bool: st.booleans(),
                int: st.integers(0, 10_000),
                list: st.lists(st.text(st.characters(codec="utf-8"))),
            }[setting.type],
        )
    )
)
@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_value_comes_back_and_nothing_else_changes(path: Path, change: tuple[str, object]) -> None:
    settings = typed(path, TYPED)
    others = {setting.key: settings.get(setting.key) for setting in SETTINGS if setting.key != change[0]}
    settings.set(*change)
    later = Settings(path)
    assert later.problems == ()
    assert later.get(change[0]) == change[1]
    assert {key: later.get(key) for key in others} == others
    assert "# mine, since 2026" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("appearance.theme", "pink", 'is one of "system", "light", "dark"'),
        ("composer.enter_sends", "yes", "takes true or false"),
        ("models.recent", [1], "takes a list of strings"),
    ],
)
def test_a_value_that_will_not_do_is_refused_and_not_written(
    path: Path, key: str, value: object, reason: str
) -> None:
    settings = Settings(path)
    with pytest.raises(Misconfigured, match=f"{key} {reason}"):
        settings.set(key, value)
    assert not path.exists()


def test_a_setting_nobody_declared_is_a_mistake(path: Path) -> None:
    with pytest.raises(KeyError):
        Settings(path).get("appearance.colour")


def test_an_edit_is_seen_and_our_own_write_is_not(path: Path) -> None:
    settings = typed(path, TYPED)
    assert not settings.changed()
    settings.set("appearance.theme", "light")
    assert not settings.changed()
    path.write_text(TYPED + "# longer\n")
    assert settings.changed()
    assert settings.reload() == ()
    assert settings.get("appearance.theme") == "dark"
    assert not settings.changed()


def test_a_file_that_cannot_be_read_names_the_line_and_keeps_the_last_good_state(path: Path) -> None:
    settings = typed(path, TYPED)
    path.write_text('[appearance]\ntheme = "light"\nbroken\n')
    [problem] = settings.reload()
    assert problem.startswith("settings.toml could not be read:")
    assert "line 3" in problem
    assert settings.get("appearance.theme") == "dark"
    with pytest.raises(Misconfigured, match=r"line 3.*Nothing was saved"):
        settings.set("appearance.theme", "light")
    assert "broken" in path.read_text()


def test_a_wrong_value_names_its_line_and_the_rest_holds(path: Path) -> None:
    settings = typed(path, TYPED)
    path.write_text('[appearance]\n\ntheme = "pink"\n[composer]\nenter_sends = true\n')
    assert settings.reload() == (
        'settings.toml, line 3: appearance.theme is one of "system", "light", "dark".',
    )
    assert settings.get("appearance.theme") == "dark"
    assert settings.get("composer.enter_sends") is True


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a = 1\n" * 200_000])
def test_a_file_that_is_no_text_or_too_long_is_a_problem_not_a_crash(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    settings = Settings(path)
    assert len(settings.problems) == 1
    assert settings.get("appearance.theme") == "system"


def test_a_folder_in_the_files_place_is_a_problem_not_a_crash(path: Path) -> None:
    path.mkdir(parents=True)
    assert "not a regular file" in Settings(path).problems[0]


def test_a_byte_order_mark_is_no_problem(path: Path) -> None:
    assert typed(path, "\ufeff" + TYPED).get("appearance.theme") == "dark"
