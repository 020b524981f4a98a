"""Halts, grants, policy versions and settings of the store in SQL."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handrail.store.codec import files_text
from handrail.store.parts.base import Runner
from handrail.words.budget import Freeze
from handrail.words.errors import StoreError
from handrail.words.level import Rung
from handrail.words.restriction import Activation, Grant, Halt, Restrictions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from handrail.store.codec import Row


@dataclass(frozen=True, slots=True)
class SqlRestrictions:
    """``ports.RestrictionsPart`` over named queries."""

    sql: Runner

    def generation(self) -> int:
        """One row; without it no copy could ever be known to be stale."""
        row = self.sql.row("generation")
        if row is None:
            raise StoreError(
                "the table restrictions has lost its row: this store is damaged, restore a backup"
            )
        return int(row[0])

    def read(self) -> Restrictions:
        """The generation is read first: a change in between makes the copy stale, never too new."""
        generation = self.generation()
        active = self.sql.row("active_policy")
        halts = tuple(Halt(*row) for row in self.sql.rows("halts_in_force"))
        grants = {(row[0], row[1]): _grant(row) for row in self.sql.rows("grants")}
        frozen = {row[0]: Freeze(*row) for row in self.sql.rows("freezes")}
        return Restrictions(generation, active[0] if active else None, halts, grants, frozen)

    def halt(self, halt: str, agent: str | None, tool: str | None, reason: str, person: str, at: int) -> None:
        """Triggers make every cached copy stale."""
        values = {"id": halt, "agent": agent, "tool": tool, "reason": reason, "person": person, "at": at}
        self.sql.run("add_halt", values)

    def lift(self, halt: str, reason: str, person: str, at: int) -> bool:
        """False when it was not in force."""
        values = {"id": halt, "reason": reason, "person": person, "at": at}
        return self.sql.changed("lift_halt", values)

    def grant(self, agent: str, tool: str, rung: str, reason: str, person: str, at: int) -> None:
        """By hand: an override."""
        values = {"agent": agent, "tool": tool, "rung": rung, "reason": reason, "person": person, "at": at}
        self.sql.run("set_grant", {**values, "override": 1})

    def add_policy(self, digest: str, name: str, files: Mapping[str, str], at: int) -> None:
        """A version that is known is not written again."""
        self.sql.run("add_policy", {"digest": digest, "name": name, "files": files_text(files), "at": at})

    def policy(self, digest: str) -> tuple[str, Mapping[str, str]] | None:
        """The policy file's name and every file's text."""
        row = self.sql.row("policy", {"digest": digest})
        return None if row is None else (row[0], json.loads(row[1]))

    def activate(self, digest: str, person: str, reason: str, at: int) -> None:
        """The newest activation is the running version."""
        self.sql.run("activate", {"policy": digest, "at": at, "person": person, "reason": reason})

    def activations(self, limit: int) -> Sequence[Activation]:
        """Newest first."""
        rows = self.sql.rows("activations", {"limit": limit})
        return [Activation(*row) for row in rows]

    def meta(self, name: str) -> str | None:
        """A setting of the store."""
        row = self.sql.row("meta", {"name": name})
        return None if row is None else row[0]

    def set_meta(self, name: str, value: str) -> None:
        """Only the first write counts."""
        self.sql.run("set_meta", {"name": name, "value": value})


def _grant(row: Row) -> Grant:
    agent, tool, rung, since, person, reason, override = row
    return Grant(agent, tool, Rung.of(rung), since, person, reason, bool(override))
