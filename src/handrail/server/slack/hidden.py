"""Arguments to edit in Slack: what the policy hides stays hidden, and keeps its value."""

from __future__ import annotations

from typing import Any

from handrail.engine.door import parse, thaw
from handrail.journal.redaction import REDACTED
from handrail.words.errors import BadArguments, Refused
from handrail.words.sheet import Sheet

ELSEWHERE = "these arguments can't be edited in Slack; open the question"


def to_edit(sheet: Sheet) -> dict[str, Any]:
    """The exact arguments, with a mark for each value that the policy hides.

    Raises:
        Refused: they were erased, or are too long to be shown whole.
    """
    if sheet.args is None:
        raise Refused("the arguments were erased; it can't be edited")
    masked: dict[str, Any] = _masked(thaw(sheet.args.encode()), dict(sheet.shown_args))
    return masked


def edited(text: str, sheet: Sheet) -> dict[str, Any]:
    """What a person wrote, with the hidden values where their marks stand.

    Raises:
        BadArguments: no JSON object, or a mark stands where nothing was hidden.
        Refused: what is edited has gone.
    """
    mask = to_edit(sheet)
    found: dict[str, Any] = _unmasked(parse(text), mask, thaw((sheet.args or "{}").encode()))
    return found


def _masked(exact: Any, shown: Any) -> Any:
    if shown == REDACTED:
        return REDACTED
    if isinstance(exact, dict) and isinstance(shown, dict) and exact.keys() == shown.keys():
        return {key: _masked(exact[key], shown[key]) for key in exact}
    if isinstance(exact, list) and isinstance(shown, list | tuple) and len(exact) == len(shown):
        return [_masked(*pair) for pair in zip(exact, shown, strict=True)]
    if exact != shown:
        raise Refused(ELSEWHERE)
    return exact


def _unmasked(written: Any, mask: Any, exact: Any) -> Any:
    if written == REDACTED:
        if mask != REDACTED:
            raise BadArguments(f"{REDACTED} stands where nothing is hidden; write the value itself")
        return exact
    if isinstance(written, dict):
        return {key: _unmasked(each, *_below(mask, exact, key)) for key, each in written.items()}
    if isinstance(written, list):
        _must_stay_in_place(written, mask)
        return [_unmasked(each, *_below(mask, exact, at)) for at, each in enumerate(written)]
    return written


def _must_stay_in_place(written: list[Any], mask: Any) -> None:
    """Among several items a mark does not say whose value it stands for: those with one stay as they are."""
    if not isinstance(mask, list) or len(mask) == len(written) == 1:
        return
    for each, before in zip(written, mask, strict=False):
        if _is_marked(each) and (each != before or len(written) != len(mask)):
            raise BadArguments(f"a list with {REDACTED} in it can't be changed here; open the question")


def _is_marked(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(_is_marked, value.values() if isinstance(value, dict) else value))
    return bool(value == REDACTED)


def _below(mask: Any, exact: Any, key: str | int) -> tuple[Any, Any]:
    try:
        return mask[key], exact[key]
    except (KeyError, IndexError, TypeError):
        return None, None
