"""The composition root: settings and files become a store and an engine. The only file that knows both."""

from __future__ import annotations

import atexit
import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handrail.engine.context import current_session
from handrail.engine.core import LEASE, Engine
from handrail.engine.ids import new_secret, owner
from handrail.engine.keeper import Keeper
from handrail.engine.models.calls import ModelGate
from handrail.engine.rail import Rail
from handrail.engine.restrict import activate_first
from handrail.facts.python import PythonFact
from handrail.facts.sql import Database, SqlFact, database
from handrail.policy.alive import not_alive
from handrail.policy.compile import CompiledPolicy, compile_policy
from handrail.policy.load import load, load_stored
from handrail.policy.yaml import decoded
from handrail.ports import Commit
from handrail.store.migrate import Older
from handrail.words.errors import BadArguments, HandrailError, NoSession, NotFound, PolicyError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from handrail.engine.deliveries.sending import Deliverer
    from handrail.meters.metering import Asker
    from handrail.policy.model import FactPolicy, Policy
    from handrail.ports import FactSource, Store, Transaction

logger = logging.getLogger("handrail")
DATABASE = "HANDRAIL_DATABASE_URL"
FACT_DATABASE = "HANDRAIL_DATABASE_"
CHANNELS = ("HANDRAIL_SLACK_BOT_TOKEN", "HANDRAIL_NOTIFY_")
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
    key: str | None = None,
) -> Rail:
    """Open the rail: a policy file, and a store beside it or where ``HANDRAIL_DATABASE_URL`` says.

    Or the address of a server, which decides and records; then nothing is asked of it before the first call.

    Args:
        policy: the policy file, or a server's https address. A store's first policy becomes active at once;
            a changed file only by ``handrail policy activate``, and until then the active version goes on.
        database: ``sqlite:///PATH``, ``postgresql://…`` or ``memory:``; before the environment's.
        databases: URLs of the databases that the policy's SQL facts name; before ``HANDRAIL_DATABASE_NAME``.
        synchronous: SQLite's setting. ``FULL`` survives a power cut, ``NORMAL`` a crash of the program.
        key: the agent's key for a server; before ``HANDRAIL_KEY`` and the file ``HANDRAIL_KEY_FILE``.

    Raises:
        PolicyError: the file has mistakes, or asks for what is not alive yet.
        BadArguments: the address or the key can't be used.
        StoreError: the store can't be used.
    """
    if is_address(policy):
        if database is not None or databases is not None:
            raise BadArguments("a server has its own store and databases; pass only its address and a key")
        return _remote(str(policy), key)
    if key is not None:
        raise BadArguments("a key is for a server: pass its address, such as https://handrail.example.com")
    app = open_app(Path(policy), database=database, databases=databases, synchronous=synchronous)
    atexit.register(app.close)
    return Rail(app.engine, app.close, meter_of(app.engine))


def meter_of(engine: Engine) -> Callable[[Any, str | None], Any]:
    """What puts a meter of this engine in the way of a provider's client, for ``Rail.meter``."""
    gate = ModelGate(engine)

    def asker() -> Asker:
        from handrail.meters.metering import Asker

        session = current_session()
        if session is None:
            raise NoSession(
                "a metered client was used outside a session, so nothing was sent; "
                'use it inside "with rail.session(agent=..., task=...):"'
            )
        return Asker(session.agent, session.id, session.task, session.lineage)

    def meter(client: Any, upstream: str | None) -> Any:
        from handrail.meters.clients import meter as metered

        return metered(client, upstream, gate, lambda: engine.policy.models, asker)

    return meter


def is_address(place: object) -> bool:
    """Whether what ``connect`` was given is a server's address and no file."""
    return isinstance(place, str) and place.lower().startswith(("https://", "http://"))


def _remote(address: str, key: str | None) -> Rail:
    from handrail.remote.address import checked, key_of

    try:
        from handrail.remote.backend import RemoteBackend
        from handrail.remote.http import Asker
    except ImportError as error:
        raise StoreError("a rail that talks to a server needs 'pip install handrail[remote]'") from error
    backend = RemoteBackend(Asker(checked(address), key_of(key)))
    atexit.register(backend.close)
    return Rail(backend, backend.close)


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
    from handrail.channels.settings import setting

    return url or setting(DATABASE) or f"sqlite:///{folder / 'handrail.db'}"


def open_store(url: str, synchronous: str = "FULL", *, older: Older = Older.REFUSE) -> Store:
    """Open a store by its URL; ``older`` says what to do with one of an older version.

    Raises:
        StoreError: it can't be opened, or the URL is of no known kind.
    """
    if url == "memory:":
        from handrail.store.memory import MemoryStore

        return MemoryStore()
    if url.startswith("sqlite:///"):
        from handrail.store.sqlite import SqliteStore

        return SqliteStore(url.removeprefix("sqlite:///"), synchronous, older=older)
    if url.startswith(("postgresql://", "postgres://")):
        return _postgres(url, older)
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
        load=lambda name, files: runnable(load_stored(name, files)),
        owner=owner(),
    )


def _postgres(url: str, older: Older) -> Store:
    try:
        from handrail.store.postgres import PostgresStore
    except ImportError as error:
        raise StoreError("PostgreSQL needs 'pip install handrail[postgres]'") from error
    return PostgresStore(url, older=older)


def _assemble(store: Store, wanted: Policy | None, folder: Path, urls: Mapping[str, str], lease: int) -> App:
    active = store.read(lambda tx: tx.restrictions.read()).policy
    first = active is None
    if first and wanted is None:
        raise NotFound(
            "this store has no active policy yet, and no policy file was found here: "
            "go to its folder, name it with --policy, or write one with 'handrail init'"
        )
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
        load=lambda name, files: runnable(load_stored(name, files)),
        owner=owner(),
        equip=lambda policy: _equipped(policy, folder, urls, opened),
        lease=lease,
    )
    keeper = Keeper(engine)
    engine.keeper, engine.stir = keeper, keeper.stir
    engine.deliverer = _deliverer(engine)
    if first:
        activate_first(engine, policy, "handrail", FIRST)
    engine.refresh()
    if wanted is not None and wanted.digest != engine.policy.digest:
        _warn(wanted)
    return App(engine, store, keeper, opened)


def _deliverer(engine: Engine) -> Deliverer | None:
    """Who tells people through channels; nobody where none is set up."""
    if not any(name.startswith(CHANNELS) for name in os.environ):
        return None
    from handrail.channels import Channels, from_environment
    from handrail.engine.deliveries.sending import Deliverer

    settings = from_environment()
    return Deliverer(engine, Channels(settings), settings.url) if settings.any else None


def _active(store: Store, digest: str) -> Policy:
    stored = store.read(lambda tx: tx.restrictions.policy(digest))
    if stored is None:
        raise StoreError(f"the active policy {digest[:12]} is not in the store; activate a version anew")
    return load_stored(*stored)


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
