"""Forms from a tool's JSON Schema: a field for each argument, and what was typed read back exactly.

A field that nobody touched keeps its value to the last sign, also where the page can only show it otherwise:
with what can't be seen written as an escape, or with other line ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

import msgspec

from handrail.engine.door import parse as parse_object
from handrail.policy.expressions import EvaluationError
from handrail.policy.schemas import validator
from handrail.server.pages.drawing import visible
from handrail.server.pages.listing import laid_out
from handrail.words.errors import BadArguments

PREFIX = "arg."
"""Before the name of an argument in a form, so that no argument takes the place of another field."""
LONG = 60
"""Signs above which a text gets several lines."""
ON = "on"
LEFT_OUT = ""
_encode = msgspec.json.Encoder(decimal_format="number").encode
_missing = object()


class Kind(StrEnum):
    """How an argument is typed."""

    TEXT = "text"
    LONG = "long"
    WHOLE = "whole"
    NUMBER = "number"
    TICK = "tick"
    CHOICE = "choice"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Field:
    """One argument of a form. ``value`` is what stands in it; a choice's is the place of the chosen one."""

    name: str
    kind: Kind
    value: str
    required: bool
    hint: str | None = None
    choices: tuple[str, ...] = ()
    wrong: str | None = None

    @property
    def input(self) -> str:
        """The field's name in the form."""
        return PREFIX + self.name


def fields(
    schema: Mapping[str, Any],
    args: Mapping[str, Any] | None = None,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> tuple[Field, ...]:
    """A field for each argument, with the present value; with what was ``typed``, if it could not be used."""
    given, wrong = args or {}, errors or {}
    return tuple(
        _field(name, _resolved(part, schema), schema, given.get(name, _missing), typed, wrong.get(name))
        for name, part in _parts(schema, given).items()
    )


def parse(
    schema: Mapping[str, Any], form: Mapping[str, str], args: Mapping[str, Any] | None = None
) -> tuple[dict[str, object], dict[str, str]]:
    """The arguments of a form that was sent, and what is wrong by field. ``args`` is what it showed."""
    given = args or {}
    found: dict[str, object] = {}
    wrong: dict[str, str] = {}
    for name, part in _parts(schema, given).items():
        before = given.get(name, _missing)
        try:
            value = _read(name, _resolved(part, schema), schema, before, form.get(PREFIX + name))
        except BadArguments as error:
            wrong[name] = str(error)
            continue
        if value is not _missing:
            found[name] = value
    return found, wrong


def mistake(schema: Mapping[str, Any], args: Mapping[str, object]) -> tuple[str | None, str] | None:
    """The first thing that the schema does not accept, and the argument where it is, if it is in one."""
    try:
        why = validator(schema)(dict(args))
    except (ValueError, EvaluationError) as error:
        return None, str(error)
    if why is None:
        return None
    where, _, told = why.partition(": ")
    name = next((each for each in args if where == each or where.startswith(f"{each}.")), None)
    return (None, why) if name is None else (name, told)


def typed_of(form: Mapping[str, Any]) -> dict[str, str]:
    """What was typed into a form's fields, without the form's other parts."""
    return {name: text for name, text in form.items() if name.startswith(PREFIX) and isinstance(text, str)}


def _parts(schema: Mapping[str, Any], args: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What the schema says of each argument; one that it does not name is typed as JSON."""
    named = schema.get("properties")
    known = dict(named) if isinstance(named, Mapping) else {}
    return {**known, **{name: {} for name in args if name not in known}}


def _resolved(part: Any, schema: Mapping[str, Any]) -> dict[str, Any]:
    """A part with its reference followed, and what it may be besides null; anything else stays as it is."""
    found = dict(part) if isinstance(part, Mapping) else {}
    reference = found.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/$defs/"):
        there = schema.get("$defs", {}).get(reference.removeprefix("#/$defs/"), {})
        found = {**there, **{word: value for word, value in found.items() if word != "$ref"}}
    several = found.get("anyOf")
    if isinstance(several, list):
        left = [each for each in several if each != {"type": "null"}]
        if len(left) == 1 and len(left) < len(several) and isinstance(left[0], Mapping):
            found = {**_resolved(left[0], schema), "nullable": True, **_without(found, "anyOf")}
    kinds = found.get("type")
    if isinstance(kinds, list) and "null" in kinds and len(kinds) == 2:  # noqa: PLR2004 - one and null
        found = {**found, "type": next(each for each in kinds if each != "null"), "nullable": True}
    return found


def _without(part: Mapping[str, Any], word: str) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name != word}


def _choices(part: Mapping[str, Any]) -> tuple[Any, ...]:
    if "const" in part:
        return (part["const"],)
    listed = part.get("enum")
    return tuple(each for each in listed if each is not None) if isinstance(listed, list) else ()


def _kind(part: Mapping[str, Any], before: object) -> Kind:
    """How this argument is typed; JSON where its present value would not fit into a simpler field."""
    choices = _choices(part)
    if choices:
        fits = before is _missing or before is None or any(_same(before, each) for each in choices)
        return Kind.CHOICE if fits else Kind.JSON
    kind, types = {
        "string": (Kind.TEXT, (str,)),
        "integer": (Kind.WHOLE, (int,)),
        "number": (Kind.NUMBER, (int, float, Decimal)),
        "boolean": (Kind.TICK, (bool,)),
    }.get(str(part.get("type")), (Kind.JSON, ()))
    empty = before is _missing or before is None
    if kind is Kind.JSON or (not empty and (not isinstance(before, types) or _odd_bool(before, kind))):
        return Kind.JSON
    if kind is Kind.TICK and (before is None or part.get("nullable")):
        return Kind.JSON
    return Kind.LONG if kind is Kind.TEXT and _is_long(part, before) else kind


def _odd_bool(before: object, kind: Kind) -> bool:
    return isinstance(before, bool) and kind is not Kind.TICK


def _is_long(part: Mapping[str, Any], before: object) -> bool:
    text = before if isinstance(before, str) else ""
    room = part.get("maxLength")
    roomy = not isinstance(before, str) and isinstance(room, int) and room > LONG
    return len(text) > LONG or "\n" in text or "\r" in text or roomy


def _same(one: object, other: object) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _field(
    name: str,
    part: Mapping[str, Any],
    schema: Mapping[str, Any],
    before: object,
    typed: Mapping[str, str] | None,
    wrong: str | None,
) -> Field:
    kind = _kind(part, before)
    start = part.get("default", _missing) if before is _missing else before
    shown = _shown(kind, part, start)
    value = shown if typed is None else typed.get(PREFIX + name, LEFT_OUT)
    labels = tuple(str(visible(_label(each))) for each in _choices(part)) if kind is Kind.CHOICE else ()
    needed = name in schema.get("required", ()) and not _may_be_empty(part, kind, before)
    return Field(name, kind, value, needed, _hint(part, kind), labels, wrong)


def _may_be_empty(part: Mapping[str, Any], kind: Kind, before: object) -> bool:
    """A text that is there may be emptied; one that nobody has written yet is asked for."""
    emptied = _is_text(kind) and before is not _missing and not part.get("minLength")
    return bool(part.get("nullable")) or kind is Kind.TICK or emptied


def _is_text(kind: Kind) -> bool:
    return kind in {Kind.TEXT, Kind.LONG}


def _hint(part: Mapping[str, Any], kind: Kind) -> str | None:
    words = [part["description"]] if isinstance(part.get("description"), str) else []
    words += ["As JSON."] if kind is Kind.JSON else []
    low, high = part.get("minimum"), part.get("maximum")
    words += [f"At least {low}."] if low is not None else []
    words += [f"At most {high}."] if high is not None else []
    return " ".join(words) or None


def _label(value: object) -> str:
    return value if isinstance(value, str) else _encode(value).decode()


def _shown(kind: Kind, part: Mapping[str, Any], value: object) -> str:
    """A value as it stands in its field."""
    if value is _missing or (value is None and kind is not Kind.JSON):
        return LEFT_OUT
    if kind is Kind.TICK:
        return ON if value is True else LEFT_OUT
    if kind is Kind.CHOICE:
        return next((str(at) for at, each in enumerate(_choices(part)) if _same(value, each)), LEFT_OUT)
    if kind is Kind.JSON:
        return str(visible(laid_out(_encode(value).decode())))
    return str(visible(value)) if isinstance(value, str) else _encode(value).decode()


def _read(
    name: str, part: Mapping[str, Any], schema: Mapping[str, Any], before: object, text: str | None
) -> object:
    """The value that was typed; ``_missing`` where the argument is left out."""
    kind = _kind(part, before)
    required = name in schema.get("required", ())
    if kind is Kind.TICK:
        return _ticked(part, before, text, required=required)
    given = (text or LEFT_OUT).replace("\r\n", "\n")
    if before is not _missing and given == _shown(kind, part, before).replace("\r\n", "\n"):
        return before
    if given.strip() == LEFT_OUT:
        return _empty(kind, part, before, given, required=required)
    return _value(kind, part, given)


def _ticked(part: Mapping[str, Any], before: object, text: str | None, *, required: bool) -> object:
    if text is not None or required or before is not _missing or part.get("default") is True:
        return text is not None
    return _missing


def _empty(kind: Kind, part: Mapping[str, Any], before: object, given: str, *, required: bool) -> object:
    """An empty field: an empty text where one is needed or stood, null where that is right, or left out."""
    if _is_text(kind) and (required or isinstance(before, str) or given) and not part.get("nullable"):
        return given
    if part.get("nullable") and (required or before is not _missing):
        return None
    if required:
        raise BadArguments("this is needed")
    return _missing


def _value(kind: Kind, part: Mapping[str, Any], text: str) -> object:
    if kind is Kind.WHOLE:
        return _whole(text)
    if kind is Kind.NUMBER:
        return _number(text)
    if kind is Kind.CHOICE:
        return _chosen(part, text)
    if kind is Kind.JSON:
        return _json(text)
    return text


def _whole(text: str) -> int:
    number = _decimal(text)
    if number is None or number != number.to_integral_value():
        raise BadArguments(f"{text.strip()[:40]!r} is no whole number; expected one such as 12")
    return int(number)


def _number(text: str) -> int | Decimal:
    number = _decimal(text)
    if number is None:
        raise BadArguments(f"{text.strip()[:40]!r} is no number; expected one such as 12.50")
    return int(number) if text.strip().lstrip("-").isdigit() else number


def _decimal(text: str) -> Decimal | None:
    """An exact, finite number that is written plainly: nothing is guessed about commas or words."""
    plain = text.strip()
    if not plain.isascii() or "_" in plain or len(plain) > LONG:
        return None
    try:
        found = Decimal(plain)
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found.adjusted()) <= LONG else None


def _chosen(part: Mapping[str, Any], text: str) -> object:
    choices = _choices(part)
    if not text.isdecimal() or int(text) >= len(choices):
        raise BadArguments("this is none of the choices")
    return choices[int(text)]


def _json(text: str) -> object:
    try:
        found = parse_object(f'{{"value": {text}}}')
    except BadArguments as error:
        told = str(error).removeprefix("the arguments are not JSON: ")
        raise BadArguments(f"this is not JSON: {told}") from error
    if list(found) != ["value"]:
        raise BadArguments("this is more than one value; expected one, such as a list in [ ]")
    return found["value"]
