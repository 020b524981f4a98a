"""A real server for tests: `handrail serve` in its own process, on a free port, stopped in good order."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qs, urlsplit

import httpx

from handrail.app import open_store, operator
from handrail.engine.core import Engine
from handrail.engine.identity import accounts, keys, sign_ins
from handrail.server.auth.keys import digest_of, new_key_secret, shown
from handrail.server.auth.passwords import hashed
from handrail.words.person import KeyKind, Role
from tests.support.rail import HEAD, LEAD, POLICY

SECONDS = 180.0
"""How long a server may take to start, answer and stop on a machine that does much else at the moment."""
PASSWORD = "correct horse battery staple"
ADMIN, VIEWER = "admin@example.com", "viewer@example.com"
_hashes: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Served:
    """One running server."""

    url: str
    port: int
    first_link: str | None
    folder: Path
    database: str
    process: subprocess.Popen[str] = field(repr=False)
    clients: list[httpx.Client] = field(default_factory=list, repr=False)
    """Every client that was given out: closed with the server."""

    def client(self, **more: Any) -> httpx.Client:
        """Somebody who is not signed in, in a browser that sends where a form comes from."""
        headers = {"origin": self.url, **more.pop("headers", {})}
        return self._kept(httpx.Client(base_url=self.here, headers=headers, timeout=SECONDS, **more))

    def signed_in(self, person: str = ADMIN, role: Role = Role.ADMIN) -> httpx.Client:
        """A client with the cookie of a person, whose account is made when there is none."""
        with self.engine() as engine:
            cookie = sign_in(engine, person, role)
        return self.client(cookies={"handrail": cookie})

    def with_key(self, agent: str = "support", kind: KeyKind = KeyKind.AGENT, **more: Any) -> httpx.Client:
        """A client with a new key."""
        with self.engine() as engine:
            key = make_key(engine, agent, kind, **more)
        headers = {"authorization": f"Bearer {key}"}
        return self._kept(httpx.Client(base_url=self.here, headers=headers, timeout=SECONDS))

    @property
    def here(self) -> str:
        """Where it listens, which is not its public address when something stands in front of it."""
        return f"http://127.0.0.1:{self.port}"

    def _kept(self, client: httpx.Client) -> httpx.Client:
        self.clients.append(client)
        return client

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """An engine of another process over the same store, as for people at the host."""
        store = open_store(self.database)
        try:
            yield operator(store)
        finally:
            store.close()

    def stop(self, sig: int = signal.SIGTERM) -> int:
        """Tell it to stop; the exit code."""
        self.process.send_signal(sig)
        return self.process.wait(SECONDS)


@contextmanager
def served(
    folder: Path,
    policy: str = POLICY,
    *,
    database: str | None = None,
    args: tuple[str, ...] = (),
    env: Mapping[str, str] | None = None,
) -> Iterator[Served]:
    """A server over a policy, in `folder`; on SQLite there unless another database is named."""
    path = folder / "handrail.yaml"
    if not path.exists():
        path.write_text(policy, encoding="utf-8")
    url = database or f"sqlite:///{folder / 'handrail.db'}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HANDRAIL_")}
    command = [sys.executable, "-m", "handrail", "serve", "--port", "0", "--json", *args]
    with (folder / f"server-{time.monotonic_ns()}.log").open("w+", encoding="utf-8") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**kept, "HANDRAIL_DATABASE_URL": url, "PYTHONUNBUFFERED": "1", **(env or {})},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            told = _first_line(process, log)
            found = Served(told["url"], told["port"], told["first_link"], folder, url, process)
            with ExitStack() as stack:
                stack.callback(_close, found.clients)
                yield found
        finally:
            _end(process)


def link_secret(link: str) -> str:
    """The secret of a one-time link."""
    return parse_qs(urlsplit(link).query)["link"][0]


def account(engine: Engine, person: str, role: Role, password: str = PASSWORD) -> None:
    """An account with a password; nothing when it is there already."""
    if engine.store.read(lambda tx: tx.people.get(person)) is not None:
        return
    secret = digest_of(f"{person} {time.monotonic_ns()}")
    accounts.invite(engine, person, person.partition("@")[0], role, digest_of(secret), "a test")
    if password not in _hashes:
        _hashes[password] = hashed(password)
    accounts.use_link(engine, digest_of(secret), _hashes[password])


def sign_in(engine: Engine, person: str, role: Role) -> str:
    """The cookie of a new sign-in of a person, whose account is made when there is none."""
    account(engine, person, role)
    found = engine.store.read(lambda tx: tx.people.get(person))
    assert found is not None
    secret = f"{person} {time.monotonic_ns()}".encode().hex()
    sign_ins.open_sign_in(
        engine, found, digest_of(secret), second_factor=True, address=None, browser="a test", how="a test"
    )
    return secret


def make_key(engine: Engine, agent: str, kind: KeyKind = KeyKind.AGENT, **more: Any) -> str:
    """A new key, as its holder has it."""
    secret, digest = new_key_secret()
    made = keys.make_key(engine, kind, f"{agent}'s key", [agent], digest, "a test", **more)
    return shown(kind, made.id, secret)


def _first_line(process: subprocess.Popen[str], log: IO[str]) -> dict[str, Any]:
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], SECONDS)
    line = process.stdout.readline() if ready else ""
    if not line:
        process.kill()
        process.wait()
        log.seek(0)
        raise AssertionError(f"the server did not start:\n{log.read()}")
    found: dict[str, Any] = json.loads(line)
    return found


def _close(clients: list[httpx.Client]) -> None:
    for each in clients:
        each.close()


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()


__all__ = ["ADMIN", "HEAD", "LEAD", "PASSWORD", "VIEWER", "Served", "served"]
