"""A Python function as a tool: its JSON Schema from its type hints, and values for it from frozen bytes."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, get_type_hints

import msgspec

from handrail.policy.expressions import EvaluationError
from handrail.policy.schemas import validator

if TYPE_CHECKING:
    from collections.abc import Callable

OPENING = {"additionalProperties", "patternProperties", "unevaluatedProperties", "propertyNames"} | {
    *("$ref", "allOf", "anyOf", "oneOf", "if", "dependentSchemas")
}
"""Words of a schema with which it may speak of arguments beyond its ``properties``."""
NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True, slots=True)
class Signature:
    """How a function is called: ``collect`` takes a call's values, ``decode`` makes them.

    ``has_models`` says that a value may be more than was given: a model fills defaults in, drops or renames.
    """

    schema: Mapping[str, object]
    collect: Callable[[tuple[Any, ...], dict[str, Any]], dict[str, object]]
    decode: Callable[[bytes], dict[str, Any]]
    has_models: bool = False


def of_function(function: Callable[..., Any]) -> Signature:
    """The signature of a function with type hints.

    Raises:
        TypeError: a parameter has no JSON Schema, or no name that a caller can give it.
    """
    parameters = inspect.signature(function).parameters
    for parameter in parameters.values():
        if parameter.kind not in NAMED:
            raise TypeError(
                f"{function.__qualname__} takes {parameter}; a tool needs named parameters, "
                "so that rules can speak of them: name each one"
            )
    hints = _hints(function)
    fields = [_field(parameter, hints) for parameter in parameters.values()]
    struct = msgspec.defstruct("Arguments", fields, kw_only=True, forbid_unknown_fields=True)
    decoder = msgspec.json.Decoder(struct, dec_hook=_decoded)
    names = tuple(parameters)

    def decode(frozen: bytes) -> dict[str, Any]:
        values = decoder.decode(frozen)
        return {name: getattr(values, name) for name in names}

    schema = _schema(function, struct)
    text = msgspec.json.encode(schema.get("properties"))
    has_models = b'"$ref"' in text or b'"properties"' in text
    return Signature(schema, _collector(parameters), decode, has_models)


def of_schema(schema: Mapping[str, object]) -> Signature:
    """A tool that comes with its own JSON Schema and takes keyword arguments as JSON values.

    Arguments that it names no word of are refused, unless the schema says that it is open for others.
    """
    properties = schema.get("properties")
    named: Mapping[str, Any] = properties if isinstance(properties, Mapping) else {}
    closed = bool(named) and not OPENING & schema.keys()
    defaults = {name: each["default"] for name, each in named.items() if _has_default(each)}

    def collect(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, object]:
        if args:
            raise TypeError("this tool takes keyword arguments only")
        if closed and (strangers := kwargs.keys() - named.keys()):
            raise TypeError(f"there is no argument {', '.join(sorted(strangers))}")
        return {**defaults, **kwargs}

    return Signature(schema, collect, msgspec.json.Decoder(dict[str, Any]).decode)


def _has_default(schema: object) -> bool:
    """Whether a default stands there that the schema itself would take."""
    if not isinstance(schema, Mapping) or "default" not in schema:
        return False
    try:
        return validator(schema)(schema["default"]) is None
    except (ValueError, EvaluationError):
        return False


def _collector(
    parameters: Mapping[str, inspect.Parameter],
) -> Callable[[tuple[Any, ...], dict[str, Any]], dict[str, object]]:
    signature = inspect.Signature(tuple(parameters.values()))
    empty = inspect.Parameter.empty
    defaults = {name: value.default for name, value in parameters.items() if value.default is not empty}
    names = parameters.keys()
    in_order = tuple(
        name for name, value in parameters.items() if value.kind is not inspect.Parameter.KEYWORD_ONLY
    )

    def collect(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, object]:
        if len(args) > len(in_order) or not kwargs.keys() <= names:
            kwargs = signature.bind(*args, **kwargs).arguments
        elif args:
            kwargs = _named(in_order, args, kwargs)
        if missing := names - kwargs.keys() - defaults.keys():
            raise TypeError(f"missing {', '.join(sorted(missing))}")
        return {**defaults, **kwargs}

    return collect


def _named(in_order: tuple[str, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """``inspect.Signature.bind`` for the plain case, at a tenth of its time."""
    placed = dict(zip(in_order, args, strict=False))
    if twice := placed.keys() & kwargs.keys():
        raise TypeError(f"got two values for {', '.join(sorted(twice))}")
    return placed | kwargs


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except NameError as error:
        raise TypeError(
            f"{function.__qualname__}: the type hint {error.name!r} can't be resolved; "
            "import it at module level, not under TYPE_CHECKING"
        ) from error


def _field(parameter: inspect.Parameter, hints: Mapping[str, Any]) -> Any:
    hint = hints.get(parameter.name, Any)
    if parameter.default is inspect.Parameter.empty:
        return (parameter.name, hint)
    if parameter.default is None:
        hint = hint | None if hint is not Any else hint
    return (parameter.name, hint, msgspec.field(default_factory=lambda: parameter.default))


def _schema(function: Callable[..., Any], struct: type) -> dict[str, object]:
    foreign: dict[str, Any] = {}
    try:
        whole = msgspec.json.schema(struct, schema_hook=partial(_foreign, foreign))
    except TypeError as error:
        raise TypeError(f"{function.__qualname__}: {error}; use types that JSON can hold") from error
    if '"contentEncoding"' in json.dumps(whole, default=str):
        raise TypeError(
            f"{function.__qualname__} takes bytes, in which no rule or check could look; "
            "take text, or the name of a file"
        )
    definitions = {**whole["$defs"], **foreign}
    root = dict(definitions.pop(whole["$ref"].rpartition("/")[2]))
    root.pop("title", None)
    for name in root.get("properties", {}):
        root["properties"][name].pop("default", None)
    if definitions:
        root["$defs"] = definitions
    plain: dict[str, object] = _numbers(root)
    return plain


def _numbers(schema: Any) -> Any:
    """Decimals are JSON numbers here: the frozen bytes keep every digit."""
    if isinstance(schema, list):
        return [_numbers(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "decimal":
        return {**{key: value for key, value in schema.items() if key != "format"}, "type": "number"}
    return {key: _numbers(value) for key, value in schema.items()}


def _foreign(definitions: dict[str, Any], kind: type) -> dict[str, Any]:
    """The schema of a pydantic model, without importing pydantic; what it refers to, into ``definitions``."""
    model = getattr(kind, "model_json_schema", None)
    if model is None:
        raise NotImplementedError
    prefix = re.sub(r"\W", "_", f"{kind.__module__}.{kind.__qualname__}")
    found: dict[str, Any] = model(ref_template=f"#/$defs/{prefix}.{{model}}")
    definitions |= {f"{prefix}.{name}": each for name, each in found.pop("$defs", {}).items()}
    return found


def _decoded(kind: type, value: object) -> object:
    validate = getattr(kind, "model_validate", None)
    if validate is None:
        raise NotImplementedError
    return validate(value)
