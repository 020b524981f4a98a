"""How much text an answer holds: a usage that tells of fewer tokens than could carry it is not believed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

TOKEN = 256
"""Bytes of text that one token carries at most; the longest of known tokenizers, a run of spaces, has 128."""
TEXTS = frozenset(
    {"content", "text", "refusal", "arguments", "partial_json", "thinking", "reasoning_content", "delta"}
)
"""The fields, of any of the APIs, in which an answer's text stands."""
HOLDERS = frozenset(
    {"choices", "message", "delta", "tool_calls", "function", "output", "content", "candidates"}
) | {
    "parts",
    "summary",
}
"""The fields that lead to them. An echo of the request, such as a response's tools, is in none."""
Walk = Callable[[Any], int]


def written(answer: Any) -> int:
    """Bytes of text in an answer, or in one event of its stream that adds something."""
    return sum(_texts(answer, ""))


def carries(tokens: int, text: int) -> bool:
    """Whether so many tokens can be all of so many bytes of text."""
    return text <= TOKEN * tokens


def _texts(value: Any, name: str) -> Iterator[int]:
    if isinstance(value, str):
        if name in TEXTS:
            yield len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass"))
    elif isinstance(value, Mapping):
        for each, inner in value.items():
            if isinstance(inner, str) or each in HOLDERS:
                yield from _texts(inner, each)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, name)
