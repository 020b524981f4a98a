"""Bindings: a tool's name tied to the JSON Schema of its arguments, with a digest over both."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Binding:
    """One tool as code or an upstream offers it. ``schema`` is the JSON Schema of its arguments object."""

    tool: str
    schema: Mapping[str, object]
    digest: str


def binding(tool: str, schema: Mapping[str, object]) -> Binding:
    """The binding of ``tool`` to ``schema``; equal for equal schemas, however their keys are ordered.

    Raises:
        ValueError: the schema is not JSON (NaN and infinities included).
    """
    try:
        text = json.dumps({"schema": schema, "tool": tool}, sort_keys=True, allow_nan=False)
    except TypeError as error:
        raise ValueError(f"the schema of {tool} is not JSON: {error}") from error
    return Binding(tool, schema, hashlib.sha256(text.encode()).hexdigest())
