"""Texts for channels: what an agent wrote is shown as it is, never as markup, mention or hidden character."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

_encode = msgspec.json.Encoder(decimal_format="number").encode
MORE = "… open the question"
"""What stands where a text was cut."""
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MENTION = re.compile(r"@(?=everyone\b|here\b|channel\b|all\b|room\b)|<(?=[@#!])", re.IGNORECASE)


def visible(text: str) -> str:
    """``text`` with its control and direction characters spelt out: nothing reads as what it is not."""
    if text.isascii() and text.isprintable():
        return text
    text = text.replace("\r\n", "\n").replace("\t", "    ")
    return "".join(
        f"\\u{ord(char):04x}" if char != "\n" and unicodedata.category(char) in _HIDDEN else char
        for char in text
    )


def shown(text: str, most: int) -> str:
    """``text`` made visible, and cut to ``most`` characters."""
    text = visible(text[: 2 * most])
    return text if len(text) <= most else text[: most - len(MORE)] + MORE


def one_line(text: str, most: int) -> str:
    """As ``shown``, on one line: a title can't grow a second header."""
    return shown(" ".join(text.split()), most)


def harmless(text: str) -> str:
    """``text`` in which no chat program finds somebody to call."""
    return _MENTION.sub(lambda found: found.group() + "\u200b", text)


def escaped(text: str) -> str:
    """``text`` for a place where Slack reads markup: its three characters are written out."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def pretty(values: Mapping[str, object]) -> str:
    """Arguments as JSON, a line each, with every number as it is."""
    return msgspec.json.format(_encode(values), indent=2).decode()


def moment(at: int) -> str:
    """A time for people who may be anywhere."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
