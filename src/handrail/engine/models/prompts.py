"""Prompts: what was asked of models and answered, kept redacted and compressed, read by people, searched."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from handrail.engine.door import thaw_any
from handrail.engine.record import without as taken_out
from handrail.journal.prompts import LARGEST, found_in, read, without, words_of
from handrail.words.errors import NotFound
from handrail.words.model_call import Prompt

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from handrail.engine.core import Engine
    from handrail.engine.record import Recorder
    from handrail.ports import Transaction
    from handrail.words.action import Action
    from handrail.words.model_call import CallFilter, ModelCall

LEVEL = 1
"""Of compression: a prompt is text, and the claim waits for it."""
AT_ONCE = 50
LOOKED_THROUGH = 2_000
"""Calls that one search looks through; the next begins where it stopped."""
_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=repr).encode


@dataclass(frozen=True, slots=True)
class Shown:
    """A prompt as people see it, JSON or text; None where nothing was kept, or it was erased."""

    request: str | None
    response: str | None
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, newest first; ``next`` is where the next one begins, None at the end."""

    calls: tuple[ModelCall, ...]
    next: str | None


def packed(recorder: Recorder, side: str, body: bytes, *, cut: bool = False) -> tuple[bytes, bool]:
    """What is kept of a body, compressed, and whether it was cut; ``side`` is ``request`` or ``response``."""
    if not body:
        return b"", cut
    value, placed = read(body)
    # where the policy hides fields by their place, what has lost its places is hidden whole, as a text is
    kept = recorder.prompt({side: value if placed or not recorder.prompt_is_hidden(side) else ""})
    shown = kept[side] if isinstance(kept, dict) else kept
    text = _encode(without(shown, (), taken_out)).decode()
    return _pack(text[:LARGEST]), cut or len(text) > LARGEST


def unpacked(kept: bytes) -> str | None:
    """The text that was kept; None for nothing."""
    return zlib.decompress(kept).decode() if kept else None


def prompt_of(engine: Engine, tx: Transaction, call: str) -> tuple[ModelCall, Shown]:
    """A call with what was asked and answered, without what the policy hides in the actions of its session.

    Raises:
        NotFound: there is no such call.
    """
    found = tx.model_calls.get(call)
    if found is None:
        raise NotFound(f"there is no model call {call}")
    [shown] = Reading(engine, tx).of([found])
    return found, shown


def search(engine: Engine, tx: Transaction, wanted: CallFilter, text: str) -> Found:
    """Calls in whose request or answer every word of ``text`` stands, newest first.

    It looks through so many calls at most, and then says where to go on; what is hidden is not searched.
    """
    words, reading = words_of(text), Reading(engine, tx)
    found: list[ModelCall] = []
    page = replace(wanted, limit=AT_ONCE)
    for _ in range(LOOKED_THROUGH // AT_ONCE):
        calls = tx.model_calls.listing(page)
        for call, shown in zip(calls, reading.of(calls), strict=True):
            if found_in(f"{shown.request or ''}\n{shown.response or ''}", words):
                found.append(call)
                if len(found) == wanted.limit:
                    return Found(tuple(found), call.id)
        if len(calls) < AT_ONCE:
            return Found(tuple(found), None)
        page = replace(page, before=calls[-1].id)
    return Found(tuple(found), page.before)


class Reading:
    """Reads prompts in one transaction; what a session's actions hide is looked up once."""

    def __init__(self, engine: Engine, tx: Transaction) -> None:
        """Nothing is known yet."""
        self._recorder, self._tx = engine.recorder, tx
        self._hidden: dict[str, frozenset[str]] = {}

    def of(self, calls: Sequence[ModelCall]) -> list[Shown]:
        """The prompts of these calls, in their order."""
        kept = {each.call: each for each in self._tx.prompts.of([call.id for call in calls])}
        return [self._shown(call, kept.get(call.id)) for call in calls]

    def _shown(self, call: ModelCall, prompt: Prompt | None) -> Shown:
        if prompt is None:
            return Shown(None, None)
        if call.session not in self._hidden:
            self._hidden[call.session] = hidden_in(self._recorder, self._tx, call.session)
        hidden = self._hidden[call.session]
        return Shown(_less(prompt.request, hidden), _less(prompt.response, hidden), prompt.cut)


def hidden_in(recorder: Recorder, tx: Transaction, session: str) -> frozenset[str]:
    """Every value that the policy hides in the arguments and outputs of a session's actions."""
    if not recorder.hides or not session:
        return frozenset()
    found: set[str] = set()
    last = ""
    while actions := tx.actions.in_session(session, last, 500):
        found |= _hidden_by(recorder, tx, actions)
        last = actions[-1].id
    return frozenset(found)


def forget_hidden(engine: Engine, tx: Transaction, actions: Iterable[Action]) -> None:
    """Take what these actions hide out of the prompts of their sessions: their payloads are about to go.

    As long as a payload is kept, its hidden values are taken out whenever a prompt is read.
    """
    if not engine.recorder.hides:
        return
    sessions: dict[str, list[Action]] = {}
    for action in actions:
        sessions.setdefault(action.session, []).append(action)
    for session, its in sessions.items():
        if hidden := _hidden_by(engine.recorder, tx, its):
            _write_without(tx, session, hidden)


def _write_without(tx: Transaction, session: str, hidden: frozenset[str]) -> None:
    last = ""
    while calls := tx.model_calls.in_session(session, last, AT_ONCE):
        for prompt in tx.prompts.of([call.id for call in calls]):
            less = replace(
                prompt, request=_again(prompt.request, hidden), response=_again(prompt.response, hidden)
            )
            if less != prompt:
                tx.prompts.write_again(less)
        last = calls[-1].id


def _hidden_by(recorder: Recorder, tx: Transaction, actions: Iterable[Action]) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    for action in actions:
        payload = tx.actions.payload(action.id)
        if payload is None:
            continue
        for root, text in (("args", payload.args), ("output", payload.output)):
            if text is not None:
                found |= recorder.unseen(root, thaw_any(text))
    return found


def _less(kept: bytes, hidden: Collection[str]) -> str | None:
    text = unpacked(kept)
    return text if text is None or not hidden else _without(text, hidden)


def _again(kept: bytes, hidden: Collection[str]) -> bytes:
    text = unpacked(kept)
    less = None if text is None else _without(text, hidden)
    return kept if less is None or less == text else _pack(less)


def _without(text: str, hidden: Collection[str]) -> str:
    """Value by value where the text is whole JSON; else in the text as it stands."""
    try:
        value: object = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return taken_out(text, hidden)
    less = without(value, hidden, taken_out)
    return text if less == value else _encode(less).decode()


def _pack(text: str) -> bytes:
    return zlib.compress(text.encode("utf-8", "backslashreplace"), LEVEL)


def pretty(text: str | None) -> str:
    """A kept text for people: JSON with a line for each value, anything else as it is."""
    if text is None:
        return ""
    try:
        value: object = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
    return value if isinstance(value, str) else msgspec.json.format(text, indent=2)
