"""Files that a policy includes: read through a resolver that the caller gives, so that reading stays pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from handrail.policy.model import Place
from handrail.policy.reader import Reader
from handrail.policy.yaml import LARGEST_TEXT

_INCLUDED = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_. -]*(/[A-Za-z0-9_-][A-Za-z0-9_. -]*)*")

Resolve = Callable[[str], str]


@dataclass(slots=True)
class Includes:
    """The files that a policy includes: read through ``resolve``, kept with their texts."""

    resolve: Resolve | None
    files: dict[str, str] = field(default_factory=dict)

    def read(self, reader: Reader, name: str, place: Place) -> str | None:
        """The text of the included file, or None after a problem."""
        if name in self.files:
            return self.files[name]
        if not _INCLUDED.fullmatch(name):
            reader.report(place, f"{name!r} is no file beside the policy", "a relative name without .. in it")
            return None
        if self.resolve is None:
            reader.report(
                place,
                f"{name!r} can't be read: included files are not at hand",
                "the files beside the policy",
            )
            return None
        try:
            text = self.resolve(name)
        except (KeyError, OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or "it is not there"
            reader.report(place, f"{name!r} can't be read: {why}", "a readable file beside the policy")
            return None
        if len(text) > LARGEST_TEXT:
            reader.report(place, f"{name!r} is too large", f"at most {LARGEST_TEXT:,} characters")
            return None
        self.files[name] = text
        return text


def json_schema(reader: Reader, text: str, file: str) -> Mapping[str, object]:
    """The JSON Schema that ``text`` is, or an empty one after a problem in ``file``."""

    def report(message: str, line: int = 1, column: int = 1) -> None:
        reader.report(Place(file, line, column), message, "a JSON Schema (draft 2020-12)")

    try:
        schema = json.loads(text, object_pairs_hook=_each_once, parse_constant=_not_finite)
    except json.JSONDecodeError as error:
        report(f"this is no JSON: {error.msg}", error.lineno, error.colno)
    except (ValueError, RecursionError) as error:
        report(f"this is no JSON that can be used: {error}")
    else:
        if not isinstance(schema, dict):
            report("this is no JSON Schema: it is not an object")
        elif why := _schema_mistake(schema):
            report(why)
        else:
            return schema
    return {}


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} stands in one object twice")
        found[key] = value
    return found


def _not_finite(constant: str) -> object:
    raise ValueError(f"{constant} is not a finite number")


def _schema_mistake(schema: Mapping[str, object]) -> str | None:
    """What is wrong with a JSON Schema: it refers to another place, or is none by its own rules."""
    from handrail.policy.schemas import validator

    waiting: list[object] = [schema]
    while waiting:
        part = waiting.pop()
        for word in ("$ref", "$dynamicRef") if isinstance(part, dict) else ():
            target = part.get(word) if isinstance(part, dict) else None
            if isinstance(target, str) and not target.startswith("#"):
                return f"{word} leads out of the file: {target!r}"
        waiting.extend(part.values() if isinstance(part, dict) else part if isinstance(part, list) else ())
    try:
        validator(schema)
    except ValueError as error:
        return f"this is no JSON Schema: {error}"
    return None
