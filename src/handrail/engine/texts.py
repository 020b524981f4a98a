"""Texts from outside: names and reasons are refused when no store could keep them, error texts made fit."""

from __future__ import annotations

from handrail.words.errors import BadArguments

LONGEST_NAME = 500
"""Characters of an agent, a task or a key."""
LONGEST_REASON = 20_000
"""Characters of a rationale or a reason."""
LONGEST_ERROR = 2_000
"""Characters of an exception's text that are kept."""
UNREADABLE = "its text can't be read"


def name_of(value: object, what: str) -> str:
    """A name that every store can keep and every page can show.

    Raises:
        BadArguments: it is no text, empty, too long, or holds what no store can keep.
    """
    text = reason_of(value, what, LONGEST_NAME)
    if not text.strip():
        raise BadArguments(f"{what} is empty; expected a name")
    return text


def reason_of(value: object, what: str, longest: int = LONGEST_REASON) -> str:
    """A text of any kind that every store can keep; it may be empty.

    Raises:
        BadArguments: it is no text, too long, or holds what no store can keep.
    """
    if not isinstance(value, str):
        raise BadArguments(f"{what} is a {type(value).__name__}; expected a text")
    if len(value) > longest:
        raise BadArguments(f"{what} has {len(value):,} characters; at most {longest:,} are accepted")
    if "\0" in value or not _is_unicode(value):
        raise BadArguments(f"{what} holds characters that can't be stored: NUL, or half of a surrogate pair")
    return value


def error_text(error: BaseException) -> str:
    """An exception's kind and text, whatever they hold, short enough to keep."""
    text = said(error)
    return fit(
        f"{type(error).__name__} ({UNREADABLE})" if text is None else f"{type(error).__name__}: {text}"
    )


def said(error: BaseException) -> str | None:
    """An exception's own text; None when it can't even give that."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an exception of foreign code may fail even at this
        return None


def fit(text: str) -> str:
    """Any text as every store can keep it: what can't be stored as escapes, and not too long."""
    plain = text[:LONGEST_ERROR].encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
    return plain if len(text) <= LONGEST_ERROR else f"{plain}…"


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
