"""A conversation as a file: Markdown, one self-contained HTML page, CSV, JSON. No key's name leaves with it."""

from __future__ import annotations

import base64
import csv
import io
import re
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any, Literal

import msgspec

from vibedesk.amounts import count, duration, money, speed
from vibedesk.store.history import Conversation, LaneSpec, StoredAnswer, StoredTurn

Format = Literal["md", "html", "csv", "json"]
FORMATS: dict[Format, str] = {"md": "Markdown", "html": "HTML", "csv": "CSV", "json": "JSON"}
COLUMNS = (
    "turn", "lane", "model", "via", "outcome", "finish_reason", "first_token_s", "tokens_per_s", "input_tokens",
    "output_tokens", "cached_tokens", "reasoning_tokens", "cost_usd", "cost_estimated", "took_s", "replaced",
    "asked_at", "question", "answer",
)  # fmt: skip
_FENCE = re.compile(r"^(```|~~~)([^\n]*)\n(.*?)(?:^\1[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)


def exported(conversation: Conversation, form: Format) -> str:
    """The whole conversation, every answer with its figures, those that were replaced too (not in Markdown, HTML)."""
    match form:
        case "md":
            return markdown(conversation)
        case "html":
            return html(conversation)
        case "csv":
            return table(conversation)
        case "json":
            return json(conversation)


def file_name(title: str, form: Format) -> str:
    """A name any file system takes."""
    plain = re.sub(r"[^\w\- ]+", "", title).strip()[:60].strip() or "conversation"
    return f"{plain}.{form}"


def markdown(conversation: Conversation) -> str:
    """Questions as headings, answers under their lane's name."""
    lines = [f"# {_one_line(conversation.title) or 'Conversation'}", ""]
    for turn, answers in _turns(conversation):
        lines += [f"## {turn.position + 1}. Question", "", turn.text, ""]
        lines += [f"*{len(turn.images)} pictures*", ""] if turn.images else []
        for lane, answer in answers:
            lines += [f"### {_heading(conversation, lane, answer)}", "", answer.text or _nothing(answer), ""]
            lines += [f"*{_figures(answer)}*", ""]
    return "\n".join(lines).rstrip() + "\n"


def html(conversation: Conversation) -> str:
    """One file that loads nothing: its style is inside, pictures are data, and the policy forbids everything else."""
    title = escape(_one_line(conversation.title) or "Conversation")
    body = [f"<h1>{title}</h1>"]
    for turn, answers in _turns(conversation):
        pictures = "".join(
            f'<img alt="" src="data:{escape(image.media_type)};base64,{base64.b64encode(image.data).decode()}">'
            for image in turn.images
        )
        body.append(
            f'<section><div class="question">{_paragraphs(turn.text)}{pictures}</div><div class="lanes">'
        )
        for lane, answer in answers:
            head = escape(_heading(conversation, lane, answer))
            said = _paragraphs(answer.text) if answer.text else f"<p>{escape(_nothing(answer))}</p>"
            foot = escape(_figures(answer))
            body.append(f"<article><h2>{head}</h2>{said}<footer>{foot}</footer></article>")
        body.append("</div></section>")
    return _PAGE.replace("{title}", title).replace("{body}", "\n".join(body))


def table(conversation: Conversation) -> str:
    """A line an answer. Cells a spreadsheet would compute begin with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in _rows(conversation):
        writer.writerow([_harmless(row[column]) for column in COLUMNS])
    return out.getvalue()


def json(conversation: Conversation) -> str:
    """Everything the CSV has, with the lanes' settings; indented."""
    whole = {
        "format": "vibedesk-conversation",
        "version": 1,
        "title": conversation.title,
        "created": conversation.created.isoformat(),
        "lanes": [_lane(lane) for lane in conversation.lanes],
        "answers": list(_rows(conversation)),
    }
    return msgspec.json.format(msgspec.json.encode(whole), indent=2).decode() + "\n"


def _turns(conversation: Conversation) -> Iterator[tuple[StoredTurn, list[tuple[str, StoredAnswer]]]]:
    """Each turn with the answers that stand, in the order of the lanes."""
    letters = _letters(conversation)
    for turn in conversation.turns:
        standing = [one for one in conversation.answers if one.turn_id == turn.id and not one.replaced]
        standing.sort(key=lambda one: list(letters).index(one.lane_id) if one.lane_id in letters else 99)
        yield turn, [(letters.get(one.lane_id, "–"), one) for one in standing]


def _letters(conversation: Conversation) -> dict[str, str]:
    return {lane.id: "ABCDEFGHIJKLMNOP"[place] for place, lane in enumerate(conversation.lanes[:16])}


def _rows(conversation: Conversation) -> Iterator[dict[str, Any]]:
    letters = _letters(conversation)
    turns = {turn.id: turn for turn in conversation.turns}
    for answer in conversation.answers:
        turn, usage = turns[answer.turn_id], answer.usage
        yield {
            "turn": turn.position + 1,
            "lane": letters.get(answer.lane_id, ""),
            "model": answer.deployment or _asked(conversation, answer),
            "via": answer.attempts[-1].via if answer.attempts else "",
            "outcome": answer.outcome or "running",
            "finish_reason": answer.finish_reason,
            "first_token_s": answer.ttft_s,
            "tokens_per_s": answer.tokens_per_s,
            "input_tokens": usage.input_tokens if usage else None,
            "output_tokens": usage.output_tokens if usage else None,
            "cached_tokens": usage.cached_tokens if usage else None,
            "reasoning_tokens": usage.reasoning_tokens if usage else None,
            "cost_usd": str(answer.cost.usd) if answer.cost else None,
            "cost_estimated": answer.cost.estimated if answer.cost else None,
            "took_s": answer.took_s,
            "replaced": answer.replaced,
            "asked_at": answer.created.isoformat(),
            "question": turn.text,
            "answer": answer.text,
        }


def _lane(lane: LaneSpec) -> dict[str, Any]:
    parameters = lane.parameters
    return {
        "model": lane.model,
        "route": lane.route,
        "via": lane.via,
        "system": lane.system,
        "max_tokens": parameters.max_tokens,
        "temperature": parameters.temperature,
        "reasoning_effort": parameters.reasoning_effort,
    }


def _heading(conversation: Conversation, letter: str, answer: StoredAnswer) -> str:
    return f"{letter} · {answer.deployment or _asked(conversation, answer) or 'no model'}"


def _asked(conversation: Conversation, answer: StoredAnswer) -> str:
    lane = next((one for one in conversation.lanes if one.id == answer.lane_id), None)
    return (lane.model or lane.route) if lane else ""


def _nothing(answer: StoredAnswer) -> str:
    return " ".join(part for part in (answer.error_title, answer.error_text) if part) or "No answer."


def _figures(answer: StoredAnswer) -> str:
    parts = [answer.outcome or "running"]
    parts += [f"first {duration(answer.ttft_s)}"] if answer.ttft_s is not None else []
    parts += [speed(answer.tokens_per_s)] if answer.tokens_per_s is not None else []
    parts += [f"{count(answer.usage.output_tokens)} tok"] if answer.usage else []
    parts += [money(answer.cost.usd, answer.cost.estimated)] if answer.cost else []
    return " · ".join(parts)


def _paragraphs(text: str) -> str:
    """Blocks of code as such, everything else as it was written."""
    found: list[str] = []
    at = 0
    for fence in _FENCE.finditer(text):
        found += _prose(text[at : fence.start()])
        found.append(f"<pre><code>{escape(fence.group(3))}</code></pre>")
        at = fence.end()
    return "".join([*found, *_prose(text[at:])])


def _prose(text: str) -> Iterable[str]:
    return [f"<p>{escape(part)}</p>" for part in re.split(r"\n{2,}", text.strip("\n")) if part.strip()]


def _harmless(value: object) -> object:
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return value


def _one_line(text: str) -> str:
    return " ".join(text.split())


_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root { color-scheme: light dark; font: 14px/1.5 system-ui, sans-serif; }
body { margin: 24px auto; max-width: 1600px; padding: 0 24px; }
h1 { font-size: 18px; } h2 { font-size: 14px; margin: 0 0 8px; }
section { border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent); padding: 16px 0; }
.question { max-width: 70ch; font-weight: 600; }
.lanes { display: grid; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); gap: 24px; margin-top: 12px; }
p { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0 0 8px; }
pre { overflow-x: auto; padding: 8px 12px; border-radius: 6px;
  background: color-mix(in srgb, currentColor 7%, transparent); }
footer { opacity: .7; font-size: 12px; font-variant-numeric: tabular-nums; }
img { max-width: 240px; display: block; margin-top: 8px; }
</style>
<body>
{body}
</body>
</html>
"""
