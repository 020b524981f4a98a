"""The demo's folder: made afresh, and never over somebody's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from handrail.demo.folder import KEPT, NotOurs, prepare, prepared


def test_a_new_folder_gets_the_policy_and_its_schema(tmp_path: Path) -> None:
    folder = prepare(tmp_path / "deep" / "demo")
    assert "agents:" in folder.policy.read_text(encoding="utf-8")
    assert (folder.path / "schemas" / "terms.json").is_file()


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    assert prepare(tmp_path).policy.is_file()


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("years of work")
    with pytest.raises(NotOurs, match="name another folder with --dir"):
        prepare(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.doc"]


def test_a_file_in_the_way_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("a file")
    with pytest.raises(NotOurs, match="is a file"):
        prepare(tmp_path / "demo")
    assert (tmp_path / "demo").read_text() == "a file"


def test_a_second_run_clears_its_own_files_and_no_other(tmp_path: Path) -> None:
    folder = prepare(tmp_path / "demo")
    folder.outbox.mkdir()
    ours = [folder.database, folder.path / "handrail.db", folder.outbox / "0001-ann@mailbox.example.eml"]
    theirs = [folder.path / "notes.txt", folder.outbox / "draft.eml", folder.path / "handrail.db.backup"]
    for path in ours + theirs:
        path.write_text("x")
    prepare(folder.path)
    assert not any(path.exists() for path in ours)
    assert all(path.exists() for path in theirs)


def test_a_policy_that_the_visitor_changed_is_kept(tmp_path: Path) -> None:
    folder = prepare(tmp_path / "demo")
    shipped = folder.policy.read_text(encoding="utf-8")
    folder.policy.write_text("handrail: 1  # mine", encoding="utf-8")
    prepare(folder.path)
    assert folder.policy.read_text(encoding="utf-8") == shipped
    assert (folder.path / KEPT).read_text(encoding="utf-8") == "handrail: 1  # mine"


def test_an_unchanged_policy_is_not_kept_twice(tmp_path: Path) -> None:
    folder = prepare(tmp_path / "demo")
    prepare(folder.path)
    assert not (folder.path / KEPT).exists()


def test_a_folder_in_which_a_demo_runs_is_left_alone_until_it_ends(tmp_path: Path) -> None:
    with prepared(tmp_path / "demo") as folder:
        folder.database.write_text("somebody looks at it")
        with pytest.raises(NotOurs, match="a demo is running in"), prepared(tmp_path / "demo"):
            pass
        assert folder.database.read_text() == "somebody looks at it"
    with prepared(tmp_path / "demo") as folder:
        assert not folder.database.exists()
