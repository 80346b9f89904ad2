"""Times of day as a person says them: `2 min ago`, `yesterday`, `3 Nov`."""

from __future__ import annotations

from datetime import datetime, timedelta

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def ago(at: datetime | None, now: datetime | None = None) -> str:
    """How long ago something was, in the fewest words; "never" for None. Times are shown as local ones."""
    if at is None:
        return "never"
    here = (now or datetime.now().astimezone()).astimezone()
    then = at.astimezone()
    passed = here - then
    if passed < timedelta(minutes=1):
        return "now"
    if passed < timedelta(hours=1):
        return f"{int(passed.total_seconds() // 60)} min ago"
    if then.date() == here.date():
        return f"{then:%H:%M}"
    if then.date() == here.date() - timedelta(days=1):
        return "yesterday"
    return _day(then, here)


def moment(at: datetime, now: datetime | None = None) -> str:
    """A moment with its time: `today 11:58`, `yesterday 09:10`, `3 Nov 17:02`."""
    here = (now or datetime.now().astimezone()).astimezone()
    then = at.astimezone()
    if then.date() == here.date():
        return f"today {then:%H:%M}"
    if then.date() == here.date() - timedelta(days=1):
        return f"yesterday {then:%H:%M}"
    return f"{_day(then, here)} {then:%H:%M}"


def _day(then: datetime, here: datetime) -> str:
    day = f"{then.day} {_MONTHS[then.month - 1]}"
    return day if then.year == here.year else f"{day} {then.year}"
