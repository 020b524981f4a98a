"""A backup that is not what was written, or none at all, is refused, and nothing of it is written."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from handrail.app import open_store
from handrail.cli.backup import written
from handrail.store import backup
from handrail.words.errors import Refused
from tests.integration.store.conftest import NewUrl
from tests.integration.store.copies import busy, put_back

KINDS = ["sqlite", "postgres"]


def damaged(file: Path, name: str, change: Any) -> Path:
    """A copy of a backup with one member changed."""
    copy = file.with_name("damaged.zip")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(copy, "w") as new:
        for each in old.namelist():
            text = old.read(each)
            new.writestr(each, change(text) if each == name else text)
    return copy


def with_manifest(**changes: object) -> Any:
    """Change the manifest's fields."""
    return lambda text: json.dumps({**json.loads(text), **changes}).encode()


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("actions.jsonl", lambda text: text.replace(b"support", b"suppert"), "is not what was written"),
        ("entries.jsonl", lambda text: text[: text.rindex(b"\n", 0, -1) + 1], "is not what was written"),
        ("payloads.jsonl", lambda _: b"[1]\n", "can't be read: a row has 1 values; expected 5"),
        ("leaves.jsonl", lambda text: text.replace(b"=", b"!"), "can't be read: a hash is not in base64"),
        ("votes.jsonl", lambda _: b"{", "votes can't be read"),
        ("manifest.json", with_manifest(format=2), "its format is 2, and this Handrail reads 1"),
        ("manifest.json", with_manifest(schema=99), "schema version 99, newer .* upgrade"),
        ("manifest.json", with_manifest(tables={}), "the backup lacks"),
        ("manifest.json", with_manifest(size=1), "its manifest is damaged: .*unknown field `size`"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_backup_is_refused_and_nothing_is_written(
    name: str, change: Any, told: str, kind: str, tmp_path: Path, new_url: NewUrl
) -> None:
    """Whatever was done to it; whole, it is taken."""
    with busy(tmp_path / "a", new_url("sqlite")) as desk:
        written(desk.app.store, tmp_path / "b.zip")
    store = open_store(new_url(kind))
    with pytest.raises(Refused, match=told):
        put_back(store, damaged(tmp_path / "b.zip", name, change))
    assert store.read(lambda tx: tx.tables.empty())
    put_back(store, tmp_path / "b.zip")
    assert not store.read(lambda tx: tx.tables.empty())
    store.close()


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    """A file of anything else, and none at all."""
    (tmp_path / "x.zip").write_bytes(b"PK nonsense")
    with pytest.raises(Refused, match="is no backup"):
        backup.opened(tmp_path / "x.zip")
    with pytest.raises(Refused, match="there is no backup"):
        backup.opened(tmp_path / "y.zip")
