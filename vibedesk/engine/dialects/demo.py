"""The demo provider: answers without key and network, and says in its first sentence that it is a simulation."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

from vibedesk.engine.dialects.openai_chat import OpenAIChat
from vibedesk.engine.dialects.turns import turns_of
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

_THOUGHTS = "Nothing is computed here. I only show how reasoning looks while it streams, then fold it away. "

_ANSWER = """\
This is a simulation: no model was asked, no key was used and nothing left this computer.

You asked: “{asked}”{images}

What a real answer looks like here:

- **Text** streams word by word, with `inline code` and *emphasis*.
- Reasoning folds away with its seconds.
- The footer counts tokens, speed and cost.

```python
def greet(name: str) -> str:
    # Highlighted, with its own copy button.
    return f"Hello, {{name}}"
```

Add a key on the Keys page, and this lane asks a real model.
"""

_WORD = re.compile(r"\S+\s*|\s+")
_PACES_S = {"fast": 0.008, "slow": 0.06}
_PACE_S = 0.022


class Demo(OpenAIChat):
    """The dialect `demo`. It has no wire; asked for one, it would speak `openai-chat`."""

    name: DialectName = "demo"

    async def stream(self, request: Request, model: Model) -> AsyncIterator[Piece]:
        """The same pieces for the same request, at the pace of the model's id (`…fast…`, `…slow…`, else ≈ 45 words/s).

        Raises Unsupported like any dialect.
        """
        turns = turns_of(request, model)
        pace = next((s for word, s in _PACES_S.items() if word in model.id), _PACE_S)
        thoughts = "" if request.parameters.reasoning_effort == "none" else _THOUGHTS
        images = sum(isinstance(part, Image) for part in turns[-1].parts)
        thinking, answer = _words(thoughts), _words(_answer(turns[-1].text, images))
        limit = request.parameters.max_tokens or len(thinking) + len(answer)
        pieces: list[Piece] = [*map(ReasoningDelta, thinking), *map(TextDelta, answer)]
        yield ModelReported(model.id)
        for piece in pieces[:limit]:
            await asyncio.sleep(pace)
            yield piece
        asked = sum(len(_words(turn.text)) for turn in turns) + len(_words(request.system))
        said = min(limit, len(pieces))
        yield UsageReported(
            Usage(input_tokens=asked, output_tokens=said, reasoning_tokens=min(said, len(thinking)))
        )
        yield FinishReported("length", "length") if limit < len(pieces) else FinishReported("stop", "stop")


def _answer(asked: str, images: int) -> str:
    line = " ".join(asked.split())
    short = line if len(line) <= 120 else line[:119] + "…"
    return _ANSWER.format(
        asked=short, images=f" (with {images} images)" if images > 1 else " (with an image)" * images
    )


def _words(text: str) -> list[str]:
    return _WORD.findall(text)
