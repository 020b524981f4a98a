"""A server over an application's own rail: one engine, one keeper, and all of it closed at the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from handrail.cli.serve import _imported, _opened
from handrail.engine.keeper import Keeper, _keepers
from handrail.server.settings import settings_of
from handrail.words.errors import HandrailError
from tests.integration.cli.shop import Shop
from tests.integration.cli.terminal import forget_applications, piped
from tests.support.rail import POLICY
from tests.support.server import served


def keepers_of(engine: object) -> list[Keeper]:
    """Everybody who does an engine's background work."""
    return [each for each in _keepers if each._engine() is engine]


def test_the_server_takes_over_the_keeper_that_the_application_has(shop: Shop) -> None:
    forget_applications()
    with _imported("desk:rail") as app:
        assert keepers_of(app.engine) == [app.keeper]
        assert not app.keeper.stopped
        app.engine.stir()
        keeper, store, thread = app.keeper, app.store, app.keeper._thread
        assert thread is not None
    assert keeper.stopped
    assert not thread.is_alive()
    with pytest.raises(HandrailError):
        store.read(lambda tx: tx.now())


def test_a_server_where_nothing_is_says_what_is_missing_and_leaves_nothing_behind(tmp_path: Path) -> None:
    told = piped(tmp_path, "serve", "--port", "0", process=True)
    assert told.returncode == 3
    assert "there is no handrail.yaml here, and no store at" in told.stderr
    assert "handrail init" in told.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_server_needs_no_policy_file_where_the_store_has_its_policy(shop: Shop) -> None:
    with shop.desk():
        pass
    (shop.folder / "handrail.yaml").unlink()
    settings = settings_of()
    with _opened(None, None, settings) as app:
        assert app.engine.policy.policy.agents


@pytest.mark.parametrize("env", [{}, {"HANDRAIL_NOTIFY_ONCALL": "json://127.0.0.1:9"}])
def test_a_policy_that_tells_people_where_no_channel_is_set_up_is_warned_of(
    tmp_path: Path, env: dict[str, str]
) -> None:
    policy = POLICY.replace("if_no_answer: heads}", "if_no_answer: heads, via: ['notify:oncall']}", 1)
    with served(tmp_path, policy, env=env) as server:
        assert server.stop() == 0
    log = "".join(path.read_text() for path in tmp_path.glob("server-*.log"))
    assert ("tells people by notify:oncall, and no channel is set up" in " ".join(log.split())) is (not env)
