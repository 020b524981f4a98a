"""`facts:` trusted values, where they come from, and what their sources are given."""

from __future__ import annotations

import re
from collections.abc import Mapping

from handrail.policy.model import FactPolicy, Place, Text
from handrail.policy.reader import VARIABLE, Fields, Reader
from handrail.policy.yaml import Node

_NAMES = (
    "args",
    "amount",
    "cost",
    "confidence",
    "rationale",
    "tool",
    "does",
    "undo",
    "category",
    "agent",
    "task",
)
_WORDS = (
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "null",
)
_MORE_WORDS = (
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
    "true",
    "false",
    "session",
    "now",
    "type",
)
_FUNCTIONS = (
    "has",
    "size",
    "matches",
    "all",
    "exists",
    "exists_one",
    "duration",
    "timestamp",
    "int",
    "string",
)
TAKEN = frozenset({*_NAMES, *_WORDS, *_MORE_WORDS, *_FUNCTIONS})
"""Names that an expression has already: no fact may hide one."""
_PYTHON = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
_PARAMETER = re.compile(r"(?<![:\w]):([A-Za-z_]\w*)")


def facts(reader: Reader, node: Node) -> dict[str, FactPolicy]:
    """Every fact by name."""
    found: dict[str, FactPolicy] = {}
    for name, place, value in reader.entries(node, "facts by name"):
        _check_name(reader, name, place)
        fields = reader.fields(value, "a fact", optional=("sql", "database", "python", "with"))
        reader.remember(f"facts.{name}", fields)
        fields.one_of(("sql", "python"), "a fact")
        found[name] = _fact(reader, name, place, fields)
    return found


def _check_name(reader: Reader, name: str, place: Place) -> None:
    if name in TAKEN:
        reader.report(place, f"{name!r} means something else in expressions", "another name for this fact")
    else:
        reader.check_name(name, place, VARIABLE, "a name that an expression can use")


def _fact(reader: Reader, name: str, place: Place, fields: Fields) -> FactPolicy:
    given = fields.get("with", lambda node: _given(reader, node), {})
    sql = fields.get("sql", lambda node: reader.located(node, "a query"), None)
    if sql is not None:
        _check_sql(reader, sql, given, fields)
    elif "database" in fields.nodes:
        reader.report(fields.places["database"], "'database' without 'sql'", "sql: a query")
    return FactPolicy(
        name=name,
        given=given,
        place=place,
        sql=sql,
        database=fields.get("database", reader.identifier, None),
        python=fields.get("python", lambda node: _python(reader, node), None),
    )


def _given(reader: Reader, node: Node) -> dict[str, Text]:
    found: dict[str, Text] = {}
    for name, place, value in reader.entries(node, "what the source is given, by name"):
        reader.check_name(name, place, VARIABLE, "a parameter's name")
        found[name] = reader.expression(value)
    return found


def _check_sql(reader: Reader, sql: Text, given: Mapping[str, Text], fields: Fields) -> None:
    if "database" not in fields.nodes:
        reader.report(fields.place, "a fact with 'sql' has no 'database'", "`database: NAME`")
    wanted = set(_PARAMETER.findall(_QUOTED.sub(" ", sql.value)))
    for name in sorted(wanted - set(given)):
        place = sql.at(sql.value.find(f":{name}"))
        reader.report(place, f"the query wants :{name}, which is not given", f"with: {{{name}: …}}")
    for name in given:
        if name not in wanted:
            reader.report(
                given[name].place, f"the query has no :{name}", f":{name} in the query, or no {name!r} here"
            )


def _python(reader: Reader, node: Node) -> str:
    text = reader.text(node, "a function as module:name")
    if text and not _PYTHON.fullmatch(text):
        reader.report(
            node.place, f"{text!r} names no Python function", "module:name, such as shop.facts:customer"
        )
    return text
