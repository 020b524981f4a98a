"""The crash points are enumerated from the code: a commit without a crash test fails here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from handrail.ports import Commit
from tests.chaos.test_crashes import FIRST_POINTS, POINTS

SOURCE = Path(__file__).parent.parent.parent / "src" / "handrail"
COMMITTING = {
    "store/sqlite_connection.py": 1,
    "store/postgres_connection.py": 1,
    "store/sqlite_setup.py": 1,
    "demo/company.py": 1,
}
"""Every file that runs COMMIT, and how often: the stores, SQLite's set-up, and the demo's own database."""
TRANSACTIONS = {"store/postgres.py": 1, "facts/sql.py": 1}
"""Every file with a driver's transaction block: PostgreSQL's set-up, and facts, which only read."""
COMMIT = re.compile(r"(?:^|;)\s*commit\s*(?:;|$)", re.IGNORECASE)


def written(text: str) -> Iterator[str]:
    """What each write or restriction in a source file names as its commit."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        first = node.args[0]
        if name in {"write", "restrict", "Write", "Job"} and isinstance(first, ast.Attribute):
            yield ast.unparse(first)


def uses(text: str) -> set[str]:
    """The members of ``Commit`` that a source file names."""
    return {
        node.attr
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Commit"
    }


def commits(text: str) -> int:
    """How many COMMIT statements are given to a call, or stand among others in a text."""
    tree = ast.parse(text)
    given = {id(given) for call in ast.walk(tree) if isinstance(call, ast.Call) for given in call.args}
    found = 0
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str | bytes):
            continue
        statement = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
        found += bool(COMMIT.search(statement)) and (id(node) in given or ";" in statement)
    return found


def counted(pattern: re.Pattern[str]) -> dict[str, int]:
    """How often a pattern stands in each source file."""
    found = {str(path.relative_to(SOURCE)): len(pattern.findall(path.read_text())) for path in sources()}
    return {name: count for name, count in found.items() if count}


def sources() -> list[Path]:
    """Every source file."""
    return sorted(SOURCE.rglob("*.py"))


def test_every_commit_has_its_crash_tests() -> None:
    assert set(POINTS) | {point for point in FIRST_POINTS if isinstance(point, Commit)} == set(Commit)


def test_every_write_in_the_source_names_a_commit_that_has_them_and_none_is_named_in_vain() -> None:
    named = set().union(*(uses(path.read_text()) for path in sources()))
    assert named == {member.name for member in Commit}
    for path in sources():
        for commit in written(path.read_text()):
            assert re.fullmatch(r"Commit\.[A-Z_]+|effect\.commit", commit), f"{path}: {commit}"


def test_no_other_place_in_the_source_commits_anything() -> None:
    found = {str(path.relative_to(SOURCE)): commits(path.read_text()) for path in sources()}
    assert {name: count for name, count in found.items() if count} == COMMITTING
    assert counted(re.compile(r"\.transaction\(\)")) == TRANSACTIONS
    assert counted(re.compile(r"(?<!writer)(?<!session)\.commit\(\)")) == {}


def test_the_rules_above_would_notice_a_commit_without_a_point() -> None:
    assert list(written("store.write(Commit.NEW, work)\nother.write(data)")) == ["Commit.NEW"]
    assert uses("x = Commit.NEW") == {"NEW"}
    for text in ('db.execute("COMMIT")', "db.execute(b'commit;')", 'SQL = "update x set y = 1; COMMIT"'):
        assert commits(text) == 1
    assert commits('"""Commit everything."""\nslots = ("commit",)') == 0
