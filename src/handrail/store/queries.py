"""Named SQL files: ``-- name: …`` starts a query; a dialect's own file overrides a common name.

In the files parameters are named, because people read them. Drivers bind by place, which is several times
faster, so each query knows the order in which it wants its values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

COMMON = (
    "actions",
    "approvals",
    "budget_chunks",
    "budgets",
    "deliveries",
    "journal",
    "keys",
    "models",
    "overview",
    "people",
    "restrictions",
    "sessions",
    "standings",
    "tables",
    "toolbox",
)
MARKS = {"sqlite": "?", "postgres": "%s"}
NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
COMMENT = re.compile(r"^--.*$", re.MULTILINE)
PARAMETER = re.compile(r"(?<![:\w]):([a-z_]+)")


@dataclass(frozen=True, slots=True)
class Query:
    """One statement in a driver's style; ``pick`` takes its values out of a mapping, in order."""

    text: str
    pick: Callable[[Mapping[str, object]], tuple[Any, ...]]

    def of(self, names: Mapping[str, str]) -> str:
        """The text with names of the schema in the place of ``{table}`` and the like."""
        return self.text.format(**names) if names else self.text


def sql_file(name: str) -> str:
    """The text of a file below ``store/sql``."""
    return (files("handrail.store") / "sql" / name).read_text(encoding="utf-8")


def parse(text: str) -> dict[str, str]:
    """Every named query of one file, on one line each."""
    pieces = NAME.split(text)[1:]
    names, bodies = pieces[::2], pieces[1::2]
    return {name: " ".join(COMMENT.sub("", body).split()) for name, body in zip(names, bodies, strict=True)}


@cache
def queries(dialect: str) -> Mapping[str, Query]:
    """Every query by name for ``sqlite`` or ``postgres``, in that driver's parameter style."""
    found: dict[str, str] = {}
    for name in (*COMMON, dialect):
        found |= parse(sql_file(f"queries/{name}.sql"))
    return {name: _query(text, MARKS[dialect]) for name, text in found.items()}


def _query(text: str, mark: str) -> Query:
    return Query(PARAMETER.sub(mark, text), _picker(PARAMETER.findall(text)))


def _picker(names: list[str]) -> Callable[[Mapping[str, object]], tuple[Any, ...]]:
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: tuple(values[name] for name in names)
