"""The composition root: settings and files become a store and an engine. The only file that knows both."""

from __future__ import annotations

import atexit
import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from handrail.engine.core import LEASE, Engine
from handrail.engine.ids import new_secret, owner
from handrail.engine.keeper import Keeper
from handrail.engine.rail import Rail
from handrail.engine.restrict import activate_first
from handrail.facts.python import PythonFact
from handrail.facts.sql import Database, SqlFact, database
from handrail.policy.alive import not_alive
from handrail.policy.compile import CompiledPolicy, compile_policy
from handrail.policy.load import load
from handrail.policy.yaml import decoded
from handrail.ports import Commit
from handrail.words.errors import HandrailError, NotFound, PolicyError, StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handrail.policy.model import FactPolicy, Policy
    from handrail.ports import FactSource, Store, Transaction

logger = logging.getLogger("handrail")
DATABASE = "HANDRAIL_DATABASE_URL"
FACT_DATABASE = "HANDRAIL_DATABASE_"
FIRST = "the first policy of this store"


@dataclass(frozen=True, slots=True)
class App:
    """An engine with everything that was opened for it."""

    engine: Engine
    store: Store
    keeper: Keeper
    databases: Mapping[str, Database]

    def close(self) -> None:
        """Stop the background work, seal what is left, close every connection. A second call does nothing."""
        atexit.unregister(self.close)
        if self.keeper.stopped:
            return
        self.keeper.stop()
        for each in tuple(self.databases.values()):
            each.close()
        self.store.close()


def connect(
    policy: str | Path = "handrail.yaml",
    *,
    database: str | None = None,
    databases: Mapping[str, str] | None = None,
    synchronous: str = "FULL",
) -> Rail:
    """Open the rail: a policy file, and a store beside it or where ``HANDRAIL_DATABASE_URL`` says.

    Args:
        policy: the policy file. A store's first policy becomes active at once; a changed file only by
            ``handrail policy activate``, and until then the active version goes on.
        database: ``sqlite:///PATH``, ``postgresql://…`` or ``memory:``; before the environment's.
        databases: URLs of the databases that the policy's SQL facts name; before ``HANDRAIL_DATABASE_NAME``.
        synchronous: SQLite's setting. ``FULL`` survives a power cut, ``NORMAL`` a crash of the program.

    Raises:
        PolicyError: the file has mistakes, or asks for what is not alive yet.
        StoreError: the store can't be used.
    """
    app = open_app(Path(policy), database=database, databases=databases, synchronous=synchronous)
    atexit.register(app.close)
    return Rail(app.engine, app.close)


def open_app(
    policy: Path | None,
    *,
    database: str | None = None,
    databases: Mapping[str, str] | None = None,
    synchronous: str = "FULL",
    lease: int = LEASE,
) -> App:
    """An engine over the policy file and its store; without a file, over the store's active policy."""
    running = None if policy is None else read_policy(policy)
    folder = Path.cwd() if policy is None else policy.resolve().parent
    store = open_store(store_url(folder, database), synchronous)
    try:
        return _assemble(store, running, folder, databases or {}, lease)
    except BaseException:
        store.close()
        raise


def read_policy(path: Path) -> Policy:
    """Load a policy file.

    Raises:
        PolicyError: it has mistakes.
        NotFound: there is no such file.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise NotFound(f"there is no policy file {path}; 'handrail init' writes one") from error
    except OSError as error:
        raise NotFound(f"{path} can't be read: {error}") from error
    text = decoded(data, path.name)
    folder = path.resolve().parent
    return load(text, path.name, lambda name: (folder / name).read_text(encoding="utf-8"))


def store_url(folder: Path, url: str | None = None) -> str:
    """Where the store is: the argument, else the environment, else ``handrail.db`` in the policy's folder."""
    return url or os.environ.get(DATABASE) or f"sqlite:///{folder / 'handrail.db'}"


def open_store(url: str, synchronous: str = "FULL") -> Store:
    """Open a store by its URL.

    Raises:
        StoreError: it can't be opened, or the URL is of no known kind.
    """
    if url == "memory:":
        from handrail.store.memory import MemoryStore

        return MemoryStore()
    if url.startswith("sqlite:///"):
        from handrail.store.sqlite import SqliteStore

        return SqliteStore(url.removeprefix("sqlite:///"), synchronous)
    if url.startswith(("postgresql://", "postgres://")):
        return _postgres(url)
    kind = url.partition(":")[0]
    raise StoreError(f"{kind!r} is no known store; expected sqlite:///PATH, postgresql://… or memory:")


def runnable(policy: Policy) -> CompiledPolicy:
    """A policy ready to run.

    Raises:
        PolicyError: it asks for something that is not alive yet, or its expressions don't fit.
    """
    missing = not_alive(policy)
    if missing:
        raise PolicyError(missing)
    return compile_policy(policy)


def operator(store: Store) -> Engine:
    """An engine without tools and facts, for people who answer, restrict and free.

    It begins with an empty policy and takes up the active one by ``refresh``: the kill switch needs neither
    the policy nor the databases of its facts.
    """
    return Engine(
        store=store,
        policy=runnable(load("handrail: 1\n")),
        key=b"",
        clock=lambda: time.time_ns() // 1_000_000,
        sources={},
        load=lambda name, files: runnable(load(files[name], name, lambda each: files[each])),
        owner=owner(),
    )


def _postgres(url: str) -> Store:
    try:
        from handrail.store.postgres import PostgresStore
    except ImportError as error:
        raise StoreError("PostgreSQL needs 'pip install handrail[postgres]'") from error
    return PostgresStore(url)


def _assemble(store: Store, wanted: Policy | None, folder: Path, urls: Mapping[str, str], lease: int) -> App:
    active = store.read(lambda tx: tx.restrictions.read()).policy
    first = active is None
    if first and wanted is None:
        raise NotFound("this store has no active policy yet; connect with a policy file first")
    policy = wanted if first else _active(store, active or "")
    if policy is None:
        raise AssertionError("a store has an active policy, or a file was given")
    compiled = runnable(policy)
    opened: dict[str, Database] = {}
    engine = Engine(
        store=store,
        policy=compiled,
        key=bytes.fromhex(_key(store)),
        clock=lambda: time.time_ns() // 1_000_000,
        sources={name: _source(fact, folder, urls, opened) for name, fact in policy.facts.items()},
        load=lambda name, files: runnable(load(files[name], name, lambda each: files[each])),
        owner=owner(),
        equip=lambda policy: _equipped(policy, folder, urls, opened),
        lease=lease,
    )
    keeper = Keeper(engine)
    engine.stir = keeper.stir
    if first:
        activate_first(engine, policy, "handrail", FIRST)
    engine.refresh()
    if wanted is not None and wanted.digest != engine.policy.digest:
        _warn(wanted)
    return App(engine, store, keeper, opened)


def _active(store: Store, digest: str) -> Policy:
    stored = store.read(lambda tx: tx.restrictions.policy(digest))
    if stored is None:
        raise StoreError(f"the active policy {digest[:12]} is not in the store; activate a version anew")
    name, files = stored
    return load(files[name], name, lambda each: files[each])


def _warn(wanted: Policy) -> None:
    name = next(iter(wanted.files), "the policy file")
    logger.warning(
        "%s differs from the active policy, which goes on unchanged; 'handrail policy activate' takes it up",
        name,
    )


def _key(store: Store) -> str:
    """The key of the digests: made once for each store."""

    def work(tx: Transaction) -> str:
        tx.restrictions.set_meta("key", new_secret() + new_secret())
        return tx.restrictions.meta("key") or ""

    return store.read(lambda tx: tx.restrictions.meta("key")) or store.write(Commit.START, work)


def _equipped(
    policy: Policy, folder: Path, urls: Mapping[str, str], opened: dict[str, Database]
) -> dict[str, FactSource]:
    """The sources of a policy that is taken up while running: a fact without one fails, the others work."""
    sources: dict[str, FactSource] = {}
    for name, fact in policy.facts.items():
        try:
            sources[name] = _source(fact, folder, urls, opened)
        except (HandrailError, ValueError) as error:
            logger.error("the fact %s of the active policy has no source and fails: %s", name, error)  # noqa: TRY400
    return sources


def _source(
    fact: FactPolicy, folder: Path, urls: Mapping[str, str], opened: dict[str, Database]
) -> FactSource:
    if fact.sql is None:
        return PythonFact(fact.python or "")
    base = fact.database or ""
    if base not in opened:
        opened[base] = database(_fact_url(base, folder, urls))
    return SqlFact(opened[base], fact.sql.value)


def _fact_url(name: str, folder: Path, urls: Mapping[str, str]) -> str:
    url = urls.get(name) or os.environ.get(FACT_DATABASE + name.upper())
    if url is None:
        raise HandrailError(
            f"the policy's facts use the database {name!r}: set {FACT_DATABASE}{name.upper()} to its URL, "
            f"or pass databases={{{name!r}: 'sqlite:///…'}} to handrail.connect"
        )
    if url.startswith("sqlite:///"):
        return f"sqlite:///{folder / url.removeprefix('sqlite:///')}"
    return url
