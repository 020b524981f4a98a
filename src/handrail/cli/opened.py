"""Opening a store for a command: one that is there already, closed at the end, its new entries sealed."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from handrail.words.errors import NotFound, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from handrail.engine.core import Engine
    from handrail.ports import Store

SQLITE = "sqlite:///"
DEFAULT = Path("handrail.yaml")


def folder_of(policy: Path | None) -> Path:
    """Where the store lies when nothing else says so: beside the policy file, or here.

    Raises:
        NotFound: a policy file was named and is not there.
    """
    if policy is None:
        return Path.cwd()
    if not policy.is_file():
        raise NotFound(f"there is no policy file {policy}")
    return policy.resolve().parent


@contextmanager
def opened_store(policy: Path | None, database: str | None, *, create: bool = False) -> Iterator[Store]:
    """The store. Without ``create`` it must be there: looking must not make an empty one.

    Raises:
        NotFound: there is none.
        StoreError: it can't be used.
    """
    from handrail.app import open_store, store_url

    url = store_url(folder_of(policy), database)
    path = Path(url.removeprefix(SQLITE))
    if url.startswith(SQLITE) and not create and not path.exists():
        raise NotFound(
            f"there is no store at {path}: it comes into being when your application connects. "
            "Go to the policy's folder, or name the store with --policy or --database"
        )
    store = open_store(url)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def opened_engine(policy: Path | None, database: str | None, *, create: bool = False) -> Iterator[Engine]:
    """An engine for people over the store; at the end it seals what it wrote.

    Raises:
        NotFound: there is no store.
        StoreError: it can't be used.
    """
    from handrail.app import operator

    with opened_store(policy, database, create=create) as store:
        engine = operator(store)
        written: list[bool] = []
        engine.stir = lambda: written.append(True)
        try:
            yield engine
        finally:
            if written:
                _seal(engine)


def _seal(engine: Engine) -> None:
    """Seal now. If that fails, whatever process works with the store next does it."""
    from handrail.engine.jobs import seal

    try:
        seal(engine)
    except StoreError as error:
        from handrail.cli.screen import complain

        complain(f"what was written is not sealed yet: {error}", "warning")
