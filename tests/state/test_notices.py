"""Notices: shown, acted on once, gone by themselves."""

from __future__ import annotations

import asyncio

from vibedesk.state.notices import Notices


async def test_a_notice_goes_by_itself_when_its_time_is_over() -> None:
    notices, gone = Notices(), []
    notices.removed.connect(gone.append)
    short = notices.add("Soon gone.", seconds=0.02)
    stays = notices.add("Stays.", seconds=0)
    await asyncio.sleep(0.1)
    assert gone == [short.id]
    assert notices.current() == (stays,)


async def test_its_action_is_done_once() -> None:
    notices, done = Notices(), []
    notice = notices.add("Deleted.", action_label="Undo", action=lambda: done.append("undone"))
    notices.act(notice.id)
    notices.act(notice.id)
    assert done == ["undone"]
    assert notices.current() == ()


async def test_the_same_words_are_not_shown_twice_at_a_time() -> None:
    notices = Notices()
    notices.add("No network.", "warn")
    second = notices.add("No network.", "warn")
    assert notices.current() == (second,)


async def test_dismissing_what_is_gone_is_harmless() -> None:
    notices = Notices()
    notice = notices.add("Once.")
    notices.dismiss(notice.id)
    notices.dismiss(notice.id)
    assert notices.current() == ()
