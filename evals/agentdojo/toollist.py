"""What a tool does, judged from the tool list alone: its name, as a person reads it on the first day.

The rule: the first word of the name is looked up in VERBS. A word that is not there means `run`, which asks.
A tool that is no read and names money or a transaction pays. Descriptions are left aside: they only ever
say more, and whoever writes a description must not widen what its tool may do.

One call is close: `get_unread_emails` says of itself that it marks the mails as read. It is counted as a
read, because all that anyone opens it for is reading; as a write it would cost one user task of 97.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

VERBS: Mapping[str, tuple[str, str]] = {
    "get": ("read", "gives something back and leaves it there"),
    "search": ("read", "looks for something"),
    "list": ("read", "shows what there is"),
    "read": ("read", "says so"),
    "check": ("read", "looks something up"),
    "create": ("create", "makes something new"),
    "reserve": ("create", "makes a booking in the user's name"),
    "schedule": ("create", "makes something that happens later"),
    "add": ("update", "changes who takes part"),
    "append": ("update", "changes a file"),
    "reschedule": ("update", "changes an event, and mails those who come"),
    "share": ("update", "changes who can see a file"),
    "update": ("update", "says so"),
    "cancel": ("delete", "takes an event away, and mails those who come"),
    "delete": ("delete", "says so"),
    "remove": ("delete", "takes a person away"),
    "invite": ("send", "lets someone from outside in"),
    "post": ("send", "puts text where others see it"),
    "send": ("send", "says so"),
}
PAYING = frozenset({"money", "payment", "transaction"})


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool as the list shows it, with the JSON Schema of its arguments."""

    name: str
    description: str
    schema: Mapping[str, Any]


def does(name: str) -> str:
    """Say what a tool of this name does, in the policy file's words; `run` when the name does not tell."""
    words = name.split("_")
    verb, _why = VERBS.get(words[0], ("run", "the name does not tell"))
    if verb not in ("read", "run") and PAYING.intersection(words):
        return "pay"
    return verb


def reads(name: str) -> bool:
    """Say whether a tool of this name only reads."""
    return does(name) == "read"
