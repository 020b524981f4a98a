"""Keys of programs over each store: a revoked key is refused at once, also where it was known."""

from __future__ import annotations

import pytest

from handrail.engine.core import Engine
from handrail.engine.identity import keys
from handrail.server.auth.keys import KeyRing, digest_of, new_key_secret, parsed, shown
from handrail.words.entry import Kind
from handrail.words.errors import BadArguments, Conflict, NotFound, Refused
from handrail.words.person import Key, KeyKind
from tests.integration.engine.conftest import Open
from tests.support.rail import Desk

HOUR = 3_600_000


@pytest.fixture
def engine(desk: Desk) -> Engine:
    return desk.app.engine


def made(engine: Engine, kind: KeyKind = KeyKind.AGENT, expires_at: int | None = None) -> tuple[Key, str]:
    """A new key, and as its holder has it."""
    secret, digest = new_key_secret()
    key = keys.make_key(engine, kind, "a key", ["support"], digest, "anna", expires_at=expires_at)
    return key, shown(kind, key.id, secret)


def test_a_key_is_found_by_its_whole_text_only(engine: Engine) -> None:
    key, text = made(engine)
    ring = KeyRing(engine)
    found = ring.find(text)
    assert found is not None
    assert found.id == key.id
    wrong = text[:-1] + ("0" if text[-1] != "0" else "1")
    for other in (wrong, text.replace("hr_a_", "hr_s_"), text[:-1], "", "hr_a_", f"hr_a_{key.id}", "x" * 999):
        assert ring.find(other) is None


def test_a_key_that_another_process_revokes_is_refused_at_once(open_desk: Open, shared_url: str) -> None:
    here, elsewhere = open_desk(shared_url), open_desk(shared_url)
    key, text = made(here.app.engine)
    ring = KeyRing(here.app.engine)
    assert ring.find(text) is not None
    keys.revoke_key(elsewhere.app.engine, key.id, "anna", "it leaked")
    assert ring.find(text) is None


def test_a_key_ends_in_time(desk: Desk, engine: Engine) -> None:
    key, text = made(engine, expires_at=engine.clock() + HOUR)
    assert KeyRing(engine).find(text) is not None
    desk.sql(f"update keys set expires_at = 1 where id = '{key.id}'")
    assert KeyRing(engine).find(text) is None


def test_both_keys_work_while_they_overlap(desk: Desk, engine: Engine) -> None:
    old, before = made(engine)
    secret, digest = new_key_secret()
    new = keys.rotate_key(engine, old.id, digest, HOUR, "anna")
    ring = KeyRing(engine)
    assert ring.find(before) is not None
    assert ring.find(shown(new.kind, new.id, secret)) is not None
    assert (new.replaces, new.agents) == (old.id, old.agents)
    desk.sql(f"update keys set expires_at = 1 where id = '{old.id}'")
    assert KeyRing(engine).find(before) is None


def test_a_rotated_key_lives_as_long_as_the_one_before(engine: Engine) -> None:
    old, _ = made(engine, expires_at=engine.clock() + HOUR)
    new = keys.rotate_key(engine, old.id, "digest", 0, "anna")
    assert new.expires_at is not None
    assert old.expires_at is not None
    assert new.expires_at - new.made_at == old.expires_at - old.made_at


def test_without_overlap_the_old_key_ends_at_once(engine: Engine) -> None:
    old, before = made(engine)
    ring = KeyRing(engine)
    assert ring.find(before) is not None
    keys.rotate_key(engine, old.id, "digest", 0, "anna")
    assert ring.find(before) is None


def test_what_has_ended_is_neither_rotated_nor_revoked_again(engine: Engine) -> None:
    key, _ = made(engine)
    keys.revoke_key(engine, key.id, "anna")
    with pytest.raises(Conflict):
        keys.rotate_key(engine, key.id, "digest", HOUR, "anna")
    with pytest.raises(Conflict):
        keys.revoke_key(engine, key.id, "anna")
    with pytest.raises(NotFound):
        keys.revoke_key(engine, "nothing", "anna")


def test_an_agents_key_is_for_one_agent_and_a_services_for_some(engine: Engine) -> None:
    with pytest.raises(BadArguments):
        keys.make_key(engine, KeyKind.AGENT, "x", ["a", "b"], "d", "anna")
    with pytest.raises(BadArguments):
        keys.make_key(engine, KeyKind.SERVICE, "x", [], "d", "anna")
    service = keys.make_key(engine, KeyKind.SERVICE, "x", ["a", "b"], "d", "anna")
    keys.covers(service, "a")
    with pytest.raises(Refused):
        keys.covers(service, "c")


def test_using_a_key_is_noted(engine: Engine) -> None:
    key, text = made(engine)
    KeyRing(engine).find(text)
    kept = engine.store.read(lambda tx: tx.keys.get(key.id))
    assert kept is not None
    assert kept.used_at is not None


def test_what_is_told_of_keys_holds_neither_secret_nor_digest(desk: Desk, engine: Engine) -> None:
    key, text = made(engine)
    keys.revoke_key(engine, key.id, "anna")
    told = b"".join(entry.body for entry in desk.entries())
    parts = parsed(text)
    assert parts is not None
    assert parts[2].encode() not in told
    assert digest_of(parts[2]).encode() not in told
    assert {Kind.KEY_MADE, Kind.KEY_REVOKED} <= set(desk.kinds())
