"""The reference page of a request's fields, made from the tables: ``python -m handrail.meters.page``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

from handrail.meters.fields import FREE, GENERATION, TABLES, Allowed
from handrail.meters.usage import Api

TITLES = {
    Api.CHAT: "`chat/completions`",
    Api.RESPONSES: "`responses`",
    Api.EMBEDDINGS: "`embeddings`",
    Api.IMAGES: "`images/generations`",
    Api.MESSAGES: "`messages`, `messages/count_tokens`",
    Api.GEMINI: "`generateContent`, `streamGenerateContent`",
}
HEAD = """# Fields of requests to models

What the [gateway](../howto/models.md) forwards, and by what each field is bounded. A field that does not
stand here is refused by its name, and so is one that stands twice in an object.
`python -m handrail.meters.page` makes this page.

Fields that cost nothing but their bytes are listed together.
"""


def page() -> str:
    """The whole page."""
    return "\n".join((HEAD.rstrip(), *_sections(), ""))


def _sections() -> Iterator[str]:
    for api, title in TITLES.items():
        yield f"\n## {title}\n"
        yield from _table(TABLES[api])
    yield "\n### `generationConfig`\n"
    yield from _table(GENERATION)


def _table(fields: Mapping[str, Allowed]) -> Iterator[str]:
    yield "| field | bounded by |"
    yield "|---|---|"
    for name, allowed in fields.items():
        if allowed is not FREE:
            yield f"| `{name}` | {allowed.bound} |"
    free = [f"`{name}`" for name, allowed in fields.items() if allowed is FREE]
    yield f"| {', '.join(free)} | {FREE.bound} |"


if __name__ == "__main__":
    sys.stdout.write(page())
