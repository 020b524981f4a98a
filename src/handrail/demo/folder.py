"""The demo's folder: made afresh for every run, without ever touching a file that the demo did not make."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
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
    "handrail.db-turn",
    "handrail.db-wal",
    "board.log",
    "desk.py",
    "schemas/terms.json",
)
KEPT = "handrail.yaml.yours"
VISITOR = "you@copperandthyme.example"
"""The owner of the shop, as the policy names them: whoever looks at the demo."""


class NotOurs(Exception):
    """The folder has files and was not made by the demo, or another demo is running in it."""


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
    def store_url(self) -> str:
        """The store of actions and journal."""
        return f"sqlite:///{self.path.resolve() / 'handrail.db'}"

    @property
    def shop_url(self) -> str:
        """The company's database, as facts ask it."""
        return f"sqlite:///{self.database.resolve()}"

    @property
    def log(self) -> Path:
        """What the server had to complain of."""
        return self.path / "board.log"

    @property
    def outbox(self) -> Path:
        """Where the sent mail lies."""
        return self.path / "outbox"


@contextmanager
def prepared(path: Path) -> Iterator[Folder]:
    """A fresh folder that is this process's alone while the block runs.

    Raises:
        NotOurs: as ``prepare``; or another demo is running in it.
        OSError: it can't be written.
    """
    _refuse_what_is_not_ours(path)
    path.mkdir(parents=True, exist_ok=True)
    with (path / MARK).open("a", encoding="utf-8") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise NotOurs(
                f"a demo is running in {path}: end it first, or name another folder with --dir"
            ) from error
        yield prepare(path)


def prepare(path: Path) -> Folder:
    """A fresh folder with the policy in it. A policy that the visitor changed is kept under another name.

    Raises:
        NotOurs: ``path`` is a file, or has files that the demo did not make.
        OSError: it can't be written.
    """
    _refuse_what_is_not_ours(path)
    path.mkdir(parents=True, exist_ok=True)
    (path / MARK).write_text(MARK_TEXT, encoding="utf-8")
    folder = Folder(path)
    _clear(folder)
    _fill(folder)
    return folder


def _refuse_what_is_not_ours(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise NotOurs(f"{path} is a file; name a folder for the demo with --dir")
    if path.is_dir() and any(path.iterdir()) and not (path / MARK).is_file():
        raise NotOurs(f"{path} has files that the demo did not make: name another folder with --dir")


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
