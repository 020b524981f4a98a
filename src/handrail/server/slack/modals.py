"""The modals: one text to edit, to answer with, or a reason to reject with. All their texts are plain."""

from __future__ import annotations

from typing import Any

from handrail.channels.slack_blocks import ANSWER, EDIT, REJECT
from handrail.channels.texts import shown

FIELD, REASON = "field", "reason"
VALUE = "value"
LONGEST = 3_000
VIEWS = {EDIT: ("Edit", "Save"), REJECT: ("Reject", "Reject"), ANSWER: ("Answer", "Tell the agent")}
"""A modal's title and what its button says."""


def modal(action: str, what: str, seen: str, value: str) -> dict[str, Any]:
    """The modal of a button, about ``what``; ``seen`` is what it carries back, ``value`` what is edited."""
    title, submit = VIEWS[action]
    blocks = [{"type": "section", "text": _plain(shown(what, LONGEST - 100) or " ")}]
    if action == EDIT:
        blocks.append(_input(FIELD, "Arguments (JSON)", value=value))
    if action == ANSWER:
        blocks.append(_input(FIELD, "What the agent is told"))
    if action != ANSWER:
        blocks.append(_input(REASON, "Reason", optional=action == REJECT))
    return {
        "type": "modal",
        "callback_id": action,
        "private_metadata": seen,
        "title": _plain(title),
        "submit": _plain(submit),
        "close": _plain("Cancel"),
        "blocks": blocks,
    }


def written(view: dict[str, Any]) -> dict[str, str]:
    """What was written, by field."""
    values = view["state"]["values"]
    return {name: str(values[name][VALUE].get("value") or "").strip() for name in values}


def _input(name: str, label: str, value: str = "", *, optional: bool = False) -> dict[str, Any]:
    element: dict[str, Any] = {"type": "plain_text_input", "action_id": VALUE, "multiline": True}
    element["max_length"] = LONGEST
    if value:
        element["initial_value"] = value
    return {
        "type": "input",
        "block_id": name,
        "label": _plain(label),
        "optional": optional,
        "element": element,
    }


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}
