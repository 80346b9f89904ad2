"""The demo provider: answers without key and network, and says in its first sentence that it is a simulation."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

from msgspec import Struct

from vibedesk.engine.dialects.openai_chat import OpenAIChat
from vibedesk.engine.dialects.turns import turns_of
from vibedesk.engine.errors import Unsupported
from vibedesk.engine.types import (
    DialectName,
    FinishReported,
    Image,
    Model,
    ModelReported,
    Piece,
    ReasoningDelta,
    Request,
    TextDelta,
    Usage,
    UsageReported,
)

_OPENING = """\
This is a simulation: no model was asked, no key was used and nothing left this computer.

You asked: “{asked}”{images}
"""

_SHOW = """
What a real answer looks like here:

- **Text** streams word by word, with `inline code` and *emphasis*.
- Reasoning folds away with its seconds.
- The footer counts tokens, speed and cost.

```python
def greet(name: str) -> str:
    # Highlighted, with its own copy button.
    return f"Hello, {name}"
```
"""

_MORE = """
## Side by side

Each lane is asked at the same moment, and each keeps its own history. The best of each figure is marked.

| Lane | Pace | Reasoning |
|---|---|---|
| quick | fast | short |
| thoughtful | steady | long |
| long | fast | none |

1. Add a lane with Ctrl+T.
2. Choose its model with Ctrl+L.
3. Ask again: the whole conversation goes along.

> The receipt behind each lane says who answered, through what, after which attempts, in what time and for how much.
"""

_CLOSING = """
Add a key on the Keys page, and this lane asks a real model.
"""

_THOUGHTS = "Nothing is computed here. I only show how reasoning looks while it streams, then fold it away. "
_MORE_THOUGHTS = (
    "A model that reasons would weigh the question now, try a way, find where it fails and try another. "
    "How long that took is said when it is done, and what it thought can be unfolded. "
)


class _Manner(Struct, frozen=True):
    """How one of the demo's models answers: seconds from word to word, what it thinks, and what it says."""

    pace_s: float = 0.022
    thoughts: str = _THOUGHTS
    answer: str = _SHOW


_MANNERS = {
    "fast": _Manner(pace_s=0.008),
    "slow": _Manner(pace_s=0.06),
    "quick": _Manner(pace_s=0.014),
    "thoughtful": _Manner(pace_s=0.026, thoughts=_THOUGHTS + _MORE_THOUGHTS),
    "long": _Manner(pace_s=0.010, thoughts="", answer=_SHOW + _MORE),
}
_WORD = re.compile(r"\S+\s*|\s+")


class Demo(OpenAIChat):
    """The dialect `demo`. It has no wire; asked for one, it would speak `openai-chat`."""

    name: DialectName = "demo"

    async def stream(self, request: Request, model: Model) -> AsyncIterator[Piece]:
        """The same pieces for the same request, in the manner the model's id names, else at some 45 words a second.

        Raises Unsupported like any dialect.
        """
        turns = turns_of(request, model)
        if request.parameters.json_schema:
            raise Unsupported(
                "a simulation follows no schema", provider=model.provider, part="json_schema", model=model.id
            )
        manner = next((manner for word, manner in _MANNERS.items() if word in model.id), _Manner())
        thoughts = "" if request.parameters.reasoning_effort == "none" else manner.thoughts
        images = sum(isinstance(part, Image) for part in turns[-1].parts)
        thinking = _words(thoughts)
        answer = _words(_opening(turns[-1].text, images) + manner.answer + _CLOSING)
        limit = request.parameters.max_tokens or len(thinking) + len(answer)
        pieces: list[Piece] = [*map(ReasoningDelta, thinking), *map(TextDelta, answer)]
        yield ModelReported(model.id)
        for piece in pieces[:limit]:
            await asyncio.sleep(manner.pace_s)
            yield piece
        asked = sum(len(_words(turn.text)) for turn in turns) + len(_words(request.system))
        said = min(limit, len(pieces))
        yield UsageReported(
            Usage(input_tokens=asked, output_tokens=said, reasoning_tokens=min(said, len(thinking)))
        )
        yield FinishReported("length", "length") if limit < len(pieces) else FinishReported("stop", "stop")


def _opening(asked: str, images: int) -> str:
    line = " ".join(asked.split())
    short = line if len(line) <= 120 else line[:119] + "…"
    return _OPENING.format(
        asked=short, images=f" (with {images} images)" if images > 1 else " (with an image)" * images
    )


def _words(text: str) -> list[str]:
    return _WORD.findall(text)
