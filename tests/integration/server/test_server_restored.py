"""A server over a restored store: halted until an admin lifts it, nobody signed in, keys as they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from handrail.app import open_store
from handrail.cli.backup import written
from handrail.engine.restored import begin_anew
from handrail.store import backup
from handrail.words.person import Role
from tests.support.agent import V1, agent, found
from tests.support.rail import LEAD
from tests.support.server import ADMIN, PASSWORD, make_key, served, sign_in


@pytest.mark.parametrize("target", ["sqlite", "postgres"])
def test_a_restored_store_is_served_halted_and_only_an_admin_lifts(
    target: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The agent's old key works and is told why nothing runs; old cookies are worth nothing."""
    with served(tmp_path) as old, old.engine() as engine:
        key = make_key(engine, "support")
        cookie = sign_in(engine, ADMIN, Role.ADMIN)
        sign_in(engine, LEAD, Role.REVIEWER)
        written(engine.store, tmp_path / "b.zip")
    url = f"sqlite:///{tmp_path / 'new.db'}"
    if target == "postgres":
        url = request.getfixturevalue("postgres_database")
    store = open_store(url)
    made = backup.restore(
        store, backup.opened(tmp_path / "b.zip"), lambda tx, n: begin_anew(tx, n, "a backup", "ops")
    )
    store.close()
    with served(tmp_path, database=url) as new:
        assert new.first_link is None
        assert new.client(cookies={"handrail": cookie}).get(f"{V1}/me").status_code == 401
        asking = agent(new.client(headers={"authorization": f"Bearer {key}"}))
        denied = asking.proposed()
        assert denied["state"] == "denied"
        assert "restored from a backup" in denied["told"]
        lift = f"{V1}/halts/{made.halt}/lift"
        assert new.signed_in(LEAD, Role.REVIEWER).post(lift, json={"reason": "x"}).status_code == 403
        admin = new.client()
        found(admin.post(f"{V1}/sign-in", json={"person": ADMIN, "password": PASSWORD}))
        found(admin.post(lift, json={"reason": "looked"}))
        assert asking.proposed(order="o-2")["state"] == "running"
