"""`data:` what is never written down in the journal, and how long records are kept."""

from __future__ import annotations

from collections.abc import Mapping

from handrail.policy.reader import REDACT_PATH, Reader
from handrail.policy.yaml import Node

KEPT = ("journal", "payloads", "prompts", "undo")


def data(reader: Reader, node: Node) -> tuple[tuple[str, ...], Mapping[str, int]]:
    """The paths to redact, and how long (ms) each kind of record is kept."""
    fields = reader.fields(node, "data", optional=("redact", "keep"))
    reader.remember("data", fields)
    redact = fields.get("redact", lambda node: _redact(reader, node), ())
    return redact, fields.get("keep", lambda node: _keep(reader, node), {})


def _redact(reader: Reader, node: Node) -> tuple[str, ...]:
    expected = "a field such as args.card_number, output.token or facts.customer.email"
    paths = []
    for item in reader.items(node, "a list of fields such as args.card_number"):
        path = reader.text(item, expected)
        if path and not REDACT_PATH.fullmatch(path):
            reader.report(item.place, f"{path!r} names no field that can be redacted", expected)
        paths.append(path)
    return tuple(paths)


def _keep(reader: Reader, node: Node) -> Mapping[str, int]:
    fields = reader.fields(node, "keep", optional=KEPT)
    reader.remember("data.keep", fields)
    return {word: reader.duration(value) for word, value in fields.nodes.items()}
