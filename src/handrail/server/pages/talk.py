"""Who said what in a call of a model, as far as its text has a shape that is known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec


def talk(text: str | None) -> list[tuple[str, str]]:
    """Who said what, in order; nothing where the text has another shape, or a part of it has."""
    try:
        found = msgspec.json.decode(text or "")
        return [each for each in _said(found) if each[1]]
    except (msgspec.DecodeError, AttributeError, KeyError, TypeError):
        return []


def _said(found: Any) -> Iterator[tuple[str, str]]:
    """A request or a whole answer of OpenAI's chats, or of Anthropic's messages."""
    if "messages" in found:
        yield "system", _words(found.get("system"))
        messages = found["messages"]
    elif "choices" in found:
        messages = [choice["message"] for choice in found["choices"]]
    else:
        messages = [found]
    for each in messages:
        calls = each.get("tool_calls") or []
        yield str(each["role"]), "\n".join(filter(None, [_words(each["content"]), *map(_words, calls)]))


def _words(content: Any) -> str:
    """A text as it is, the texts of several parts one after the other, and anything else as JSON."""
    if content is None or isinstance(content, str):
        return content or ""
    if isinstance(content, list):
        return "\n".join(_words(part) for part in content)
    if isinstance(content.get("text"), str):
        return str(content["text"])
    return msgspec.json.format(msgspec.json.encode(content), indent=2).decode()
