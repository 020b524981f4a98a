"""Entries of the journal: what is told of each event, redacted, with salted digests of every field."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import zip_longest
from json import dumps
from typing import TYPE_CHECKING

import msgspec

from handrail.journal.digests import field_digests
from handrail.journal.redaction import REDACTED, Redactor
from handrail.words.entry import Entry, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from handrail.words.action import Action, Proposal
    from handrail.words.verdict import Verdict

SHORTEST = 4
"""Characters of a hidden value that is looked for in texts: a shorter one stands in too many words."""
encode = msgspec.json.Encoder(order="sorted", decimal_format="number").encode


def plain(kind: Kind, at: int, **body: object) -> Entry:
    """An entry about no action: halts, grants, policy versions."""
    names = {name: body.get(name) for name in ("agent", "tool")}
    return Entry(kind, at, encode(body), None, **names)  # type: ignore[arg-type]


def of(action: Action, kind: Kind, at: int, body: bytes) -> Entry:
    """An entry about an action whose body a ``Recorder`` made."""
    return Entry(kind, at, body, action.id, action.agent, action.tool, action.session, action.task)


def about(action: Action, kind: Kind, at: int, **body: object) -> Entry:
    """An entry about an action."""
    return of(action, kind, at, encode(body))


class Recorder:
    """Makes the entries of one action, with the redaction of one policy version."""

    def __init__(self, redact: tuple[str, ...]) -> None:
        """Compile the paths of ``data.redact``."""
        self._redactor = Redactor(redact)
        self._hides = bool(redact)

    def hidden(self, text: str, args: Mapping[str, object]) -> str:
        """A text of foreign code without the values that the policy hides among ``args``."""
        if not self._hides:
            return text
        return without(text, _unseen(args, self._redactor.redact("args", args)))

    @property
    def hides(self) -> bool:
        """Whether the policy hides anything."""
        return self._hides

    def unseen(self, root: str, values: object) -> frozenset[str]:
        """Every text among ``args`` or ``output`` that the policy hides, and that is worth looking for."""
        if not self._hides:
            return frozenset()
        kept = self._redactor.redact(root, values)
        return frozenset(each for each in _unseen(values, kept) if len(each) >= SHORTEST)

    def prompt(self, value: object) -> object:
        """What is kept of a prompt: all but what the policy's paths under ``prompts`` name."""
        return self._redactor.hide("prompts", value)

    def prompt_is_hidden(self, side: str) -> bool:
        """Whether a path names anything of this side of a prompt."""
        return self.prompt({side: ""}) != {side: ""}

    def without(self, text: str, given: Mapping[str, object]) -> str:
        """A source's error without what it was given, where the policy hides anything at all."""
        return without(text, _texts(given)) if self._hides else text

    def shown(self, root: str, values: object) -> object:
        """What channels and pages may show of ``args``, ``facts`` or ``output``."""
        return self._redactor.redact(root, values)

    def proposed(self, proposal: Proposal, salt: bytes, person: str | None = None, **more: object) -> bytes:
        """What was asked for; ``person`` is who runs it by hand, ``more`` where else it comes from."""
        body: dict[str, object] = {
            "input": self._redactor.redact("args", proposal.args),
            "digests": field_digests("args", proposal.args, salt),
            "digest": proposal.digest,
            "binding": proposal.binding,
            **more,
        }
        for name in ("confidence", "rationale", "key", "refusal"):
            value = getattr(proposal, name)
            if value is not None:
                body[name] = value
        if person is not None:
            body["person"] = person
        return encode(body)

    def decided(self, verdict: Verdict, facts: Mapping[str, object], salt: bytes) -> bytes:
        """What the gate said, step by step, and digests of the facts that it used."""
        body: dict[str, object] = {
            "decision": verdict.decision,
            "enforced": verdict.enforced,
            "rung": verdict.rung.word,
            "policy": verdict.policy,
            "steps": [
                (step.measure, step.outcome, step.rule, step.reason, step.audience) for step in verdict.steps
            ],
        }
        if facts:
            body["facts"] = self._redactor.redact("facts", facts)
            body["digests"] = field_digests("facts", facts, salt)
        if verdict.amount is not None:
            body["amount"] = verdict.amount
        return encode(body)

    def output(self, output: object, salt: bytes) -> dict[str, object]:
        """What a tool returned."""
        return {
            "output": self._redactor.redact("output", output),
            "digests": field_digests("output", output, salt),
        }


def without(text: str, values: Iterable[str]) -> str:
    """A text without these values, however they are spelt in it."""
    spellings = {spelling for value in values for spelling in (value, repr(value)[1:-1], dumps(value)[1:-1])}
    for spelling in sorted(spellings, key=len, reverse=True):
        if len(spelling) >= SHORTEST:
            text = text.replace(spelling, REDACTED)
    return text


def _unseen(value: object, kept: object) -> Iterator[str]:
    """Every text in ``value`` that is not in what an entry keeps of it."""
    if isinstance(value, Mapping) and isinstance(kept, Mapping):
        for name, item in value.items():
            yield from _unseen(item, kept.get(name, REDACTED))
    elif isinstance(value, list) and isinstance(kept, list):
        for item, beside in zip_longest(value, kept[: len(value)], fillvalue=REDACTED):
            yield from _unseen(item, beside)
    elif kept == REDACTED or isinstance(value, Mapping | list):
        yield from _texts(value)


def _texts(value: object) -> Iterator[str]:
    """Every text and number in a value, as text."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        yield str(value)
