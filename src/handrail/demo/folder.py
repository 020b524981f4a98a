"""The demo's folder: made afresh for every run, without ever touching a file that the demo did not make."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from handrail.demo.company import data

MARK = ".handrail-demo"
MARK_TEXT = "Made by `handrail demo`, which makes this folder afresh each time.\n"
OURS = (
    "company.db",
    "company.db-shm",
    "company.db-wal",
    "handrail.db",
    "handrail.db-shm",
    "handrail.db-wal",
    "desk.py",
    "schemas/terms.json",
)
KEPT = "handrail.yaml.yours"


class NotOurs(Exception):
    """The folder has files and was not made by the demo."""


@dataclass(frozen=True, slots=True)
class Folder:
    """Where everything of one run lies."""

    path: Path

    @property
    def policy(self) -> Path:
        """The policy file."""
        return self.path / "handrail.yaml"

    @property
    def database(self) -> Path:
        """The company's database."""
        return self.path / "company.db"

    @property
    def outbox(self) -> Path:
        """Where the sent mail lies."""
        return self.path / "outbox"


def prepare(path: Path) -> Folder:
    """A fresh folder with the policy in it. A policy that the visitor changed is kept under another name.

    Raises:
        NotOurs: ``path`` is a file, or has files that the demo did not make.
        OSError: it can't be written.
    """
    if path.exists() and not path.is_dir():
        raise NotOurs(f"{path} is a file; name a folder for the demo with --dir")
    if path.is_dir() and any(path.iterdir()) and not (path / MARK).is_file():
        raise NotOurs(f"{path} has files that the demo did not make: name another folder with --dir")
    path.mkdir(parents=True, exist_ok=True)
    (path / MARK).write_text(MARK_TEXT, encoding="utf-8")
    folder = Folder(path)
    _clear(folder)
    _fill(folder)
    return folder


def _clear(folder: Folder) -> None:
    for name in OURS:
        (folder.path / name).unlink(missing_ok=True)
    for mail in folder.outbox.glob("[0-9][0-9][0-9][0-9]-*.eml"):
        mail.unlink()
    if folder.policy.exists() and folder.policy.read_text(encoding="utf-8") != _shipped("policy.yaml"):
        folder.policy.replace(folder.path / KEPT)


def _fill(folder: Folder) -> None:
    folder.policy.write_text(_shipped("policy.yaml"), encoding="utf-8")
    (folder.path / "schemas").mkdir(exist_ok=True)
    (folder.path / "schemas" / "terms.json").write_text(_shipped("schemas", "terms.json"), encoding="utf-8")
    (folder.path / "desk.py").write_text(_shipped("desk.py.txt"), encoding="utf-8")


def _shipped(*names: str) -> str:
    return data(*names).read_text(encoding="utf-8")
