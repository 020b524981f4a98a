"""The door: arguments become canonical bytes once, and everything later works on values decoded from them.

Canonical means JSON with sorted keys and no spaces; numbers keep the digits that the caller gave (a binary
float enters as its shortest exact ``repr``). What is not finite JSON is refused, never repaired.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from math import isfinite
from typing import Any

import msgspec

from handrail.words.errors import BadArguments

LARGEST = 1_048_576
"""Bytes of one action's canonical arguments."""
DEEPEST = 64
"""Lists and objects inside one another."""
SMALLEST_INT, LARGEST_INT = -(2**63), 2**63 - 1
TINY, HUGE = 1e-4, 1e16
"""Floats outside are written with an exponent."""

_encoder = msgspec.json.Encoder(order="sorted", decimal_format="number")
_decoder = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


def _float(text: str) -> float | Decimal:
    value, exact = float(text), Decimal(text)
    return value if isfinite(value) and Decimal(repr(value)) == exact else exact


_any = msgspec.json.Decoder(float_hook=Decimal)
_output = msgspec.json.Decoder(float_hook=_float)


def freeze(arguments: Mapping[str, object]) -> bytes:
    """The canonical bytes of ``arguments``.

    Raises:
        BadArguments: something in them is not JSON, not finite, beyond 64 bits, too deep or too large.
    """
    try:
        plain = {name: _plain(value, name, 1) for name, value in arguments.items()}
    except BadArguments:
        raise
    except Exception as error:
        raise BadArguments(f"the arguments can't be read: {type(error).__name__}") from error
    try:
        frozen = _encoder.encode(plain)
    except (UnicodeEncodeError, TypeError, ValueError, OverflowError) as error:
        raise BadArguments(f"the arguments can't be written as JSON: {error}") from error
    if len(frozen) > LARGEST:
        raise BadArguments(f"the arguments take {len(frozen):,} bytes; at most {LARGEST:,} are accepted")
    return frozen


def completed(frozen: bytes, decode: Callable[[bytes], dict[str, Any]]) -> bytes:
    """The canonical bytes of what a tool with models really gets: defaults filled in, what it drops left out.

    So the gate and people see what the tool sees. ``decode`` makes the tool's values.

    Raises:
        BadArguments: the tool's values can't be written down so that the same ones are read again.
    """
    values = decode(frozen)
    whole = freeze(values)
    again = decode(whole)
    # values of types that never compare as equal, not even to themselves, can only be compared as bytes
    differ = again != values and again == decode(whole)
    if differ or freeze(again) != whole:
        raise BadArguments(
            "the arguments change when they are written down and read again; pass plain values"
        )
    return whole


def thaw(frozen: bytes) -> dict[str, Any]:
    """The values of canonical bytes for expressions: int, Decimal, str, bool, None, list and dict."""
    return _decoder.decode(frozen)


def thaw_any(frozen: bytes | str) -> Any:
    """Any JSON value with exact numbers."""
    return _any.decode(frozen)


def recorded_output(text: str) -> Any:
    """What a tool returned, from its record: a number is a float where that loses nothing, else a Decimal."""
    return _output.decode(text)


def digest(key: bytes, tool: str, binding: str, frozen: bytes) -> str:
    """The action's digest: HMAC-SHA-256 over tool name, binding digest and canonical arguments."""
    return hmac.digest(key, b"%s\0%s\0%s" % (tool.encode(), binding.encode(), frozen), "sha256").hex()


def parse(text: str) -> dict[str, object]:
    """Arguments from JSON text as people write it on a command line.

    Raises:
        BadArguments: no JSON object, a key that stands twice, or a number that is not finite.
    """
    try:
        found = json.loads(text, object_pairs_hook=_unique, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BadArguments(f"the arguments are not JSON: {error}") from error
    if not isinstance(found, dict):
        raise BadArguments('the arguments must be a JSON object, such as {"order_id": "o-17"}')
    return found


def _plain(value: object, where: str, depth: int) -> object:
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return value
    if kind is int:
        return _whole(value, where)
    if kind is float or kind is Decimal:
        return _finite(value, where)
    if depth > DEEPEST:
        raise BadArguments(f"{where[:80]}… is more than {DEEPEST} levels deep")
    if isinstance(value, Mapping):
        return {_key(name, where): _plain(item, f"{where}.{name}", depth + 1) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, f"{where}[{index}]", depth + 1) for index, item in enumerate(value)]
    return _plain(_builtin(value, where), where, depth + 1)


def _whole(value: Any, where: str) -> int:
    if not SMALLEST_INT <= value <= LARGEST_INT:
        raise BadArguments(f"{where} is a whole number beyond 64 bits; pass it as text")
    return int(value)


def _finite(value: Any, where: str) -> object:
    if not (value.is_finite() if type(value) is Decimal else isfinite(value)):
        raise BadArguments(f"{where} is {value}, which is not a finite number")
    # one spelling for one number: as a decimal it would be read again and written again the same way
    if type(value) is float:
        return value if not value or TINY <= abs(value) < HUGE else Decimal(repr(value))
    return value if value or str(value) != "-0" else 0


def _key(name: object, where: str) -> str:
    if type(name) is not str:
        raise BadArguments(f"{where} has a key that is no text: {name!r}")
    return name


def _builtin(value: object, where: str) -> object:
    """A dataclass, date, enum or pydantic model as JSON values, one level at a time."""
    try:
        if hasattr(value, "model_dump") and not isinstance(value, type):
            return _dumped(value)
        named = _fields(value)
        if named is not None:
            return named
        found = msgspec.to_builtins(value, builtin_types=(Decimal,), order="deterministic", enc_hook=_dumped)
    except Exception as error:
        raise BadArguments(f"{where} is a {type(value).__name__}, which is not JSON") from error
    if type(found) is type(value):
        raise BadArguments(f"{where} is a {type(value).__name__}, which is not JSON")
    return found


def _fields(value: Any) -> dict[str, object] | None:
    """Every field of a dataclass or struct by its name in JSON; msgspec leaves defaults out of some."""
    if isinstance(value, type):
        return None
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    config = getattr(value, "__struct_config__", None)
    if config is None or config.array_like:
        return None
    names = zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True)
    found = {name: item for name, field in names if (item := getattr(value, field)) is not msgspec.UNSET}
    return found if config.tag is None else {config.tag_field: config.tag, **found}


def _dumped(model: Any) -> object:
    """A pydantic model by the names that its schema has."""
    return model.model_dump(mode="json", by_alias=True)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadArguments(f"the key {twice!r} stands twice; which one is meant?")
    return found


def _no_constant(text: str) -> object:
    raise BadArguments(f"{text} is not a finite number")
