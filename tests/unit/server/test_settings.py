"""Settings come from the command, the environment or files, and bad ones are told without their values."""

from __future__ import annotations

from pathlib import Path

import pytest

from handrail.server.auth.oidc import SignOn, mapped
from handrail.server.settings import settings_of
from handrail.server.slack.settings import slack_settings
from handrail.words.errors import BadArguments
from handrail.words.person import Role


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HANDRAIL_DATABASE_URL", "HANDRAIL_URL", "HANDRAIL_HOST", "HANDRAIL_PORT"):
        monkeypatch.delenv(name, raising=False)


def test_without_any_the_server_listens_here_only() -> None:
    found = settings_of()
    assert (found.host, found.port, found.secure) == ("127.0.0.1", 8765, False)
    assert found.address() == "http://127.0.0.1:8765"


def test_the_command_comes_before_the_environment_and_that_before_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "port").write_text("3\n")
    monkeypatch.setenv("HANDRAIL_PORT_FILE", str(tmp_path / "port"))
    assert settings_of().port == 3
    monkeypatch.setenv("HANDRAIL_HOST", "192.0.2.1")
    assert settings_of(port=1, host=None).port == 1
    assert settings_of(port=1, host=None).host == "192.0.2.1"
    monkeypatch.delenv("HANDRAIL_PORT_FILE")
    monkeypatch.setenv("HANDRAIL_PORT", "2")
    assert settings_of().port == 2


def test_an_empty_value_is_none_and_does_not_open_the_server_to_every_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HANDRAIL_HOST", "")
    monkeypatch.setenv("HANDRAIL_URL", "")
    assert (settings_of().host, settings_of().url) == ("127.0.0.1", None)
    with pytest.raises(BadArguments, match="HANDRAIL_HOST: String should have at least 1 character"):
        settings_of(host="")


def test_a_value_and_a_file_with_the_value_are_one_too_many(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "port").write_text("3\n")
    monkeypatch.setenv("HANDRAIL_PORT_FILE", str(tmp_path / "port"))
    monkeypatch.setenv("HANDRAIL_PORT", "2")
    with pytest.raises(BadArguments, match="HANDRAIL_PORT and HANDRAIL_PORT_FILE are both set"):
        settings_of()
    monkeypatch.delenv("HANDRAIL_PORT")
    assert settings_of().port == 3


@pytest.mark.parametrize("how", ["HANDRAIL_SLACK_SIGNING_SECRET", "HANDRAIL_SLACK_APP_TOKEN"])
def test_slack_without_a_way_for_clicks_is_told_before_the_start(
    monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    for name in ("HANDRAIL_SLACK_SIGNING_SECRET", "HANDRAIL_SLACK_APP_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HANDRAIL_SLACK_BOT_TOKEN", "xoxb-1")
    with pytest.raises(BadArguments, match=f"no click on a message would reach this server.*{how}"):
        slack_settings()
    monkeypatch.setenv(how, "given")
    found = slack_settings()
    assert found is not None
    assert "given" in {found.secret, found.app_token}


def test_a_secret_comes_from_a_file_and_is_not_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2\n")
    monkeypatch.setenv("HANDRAIL_OIDC_CLIENT_SECRET_FILE", str(tmp_path / "secret"))
    found = settings_of()
    assert found.oidc_client_secret is not None
    assert found.oidc_client_secret.get_secret_value() == "hunter2"
    assert "hunter2" not in repr(found)


def test_a_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDRAIL_URL_FILE", "/nowhere/url")
    with pytest.raises(BadArguments, match="HANDRAIL_URL_FILE names /nowhere/url"):
        settings_of()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "no-port-hunter2"),
        ("port", "70000"),
        ("url", "desk.example"),
        ("url", "https://x/path"),
        ("url", "https://user:hunter2@x"),
        ("url", "https://x?to=y"),
        ("grace", "inf"),
        ("trusted_proxies", "proxy"),
        ("trusted_proxies", "10.0.0.5/8"),
        ("queue", "x"),
    ],
)
def test_a_bad_value_is_named_and_not_told(name: str, value: str) -> None:
    with pytest.raises(BadArguments) as caught:
        settings_of(**{name: value})
    assert f"HANDRAIL_{name.upper()}" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_proxies_are_addresses_and_networks() -> None:
    assert settings_of(trusted_proxies="10.0.0.0/8, ::1").trusted_proxies == "10.0.0.0/8,::1"
    assert settings_of(trusted_proxies="*").trusted_proxies == "*"


def test_a_sign_on_without_an_issuer_is_no_sign_on() -> None:
    with pytest.raises(BadArguments, match="HANDRAIL_OIDC_CLIENT_ID needs HANDRAIL_OIDC_ISSUER"):
        settings_of(oidc_client_id="handrail")
    assert settings_of(oidc_client_id="handrail", oidc_issuer="https://idp.example").oidc_client_id


def test_the_public_address_decides_about_https() -> None:
    found = settings_of(url="https://desk.example/")
    assert (found.secure, found.address()) == (True, "https://desk.example")
    assert settings_of(host="::1").address() == "http://[::1]:8765"
    assert settings_of(host="0.0.0.0").address() == "http://127.0.0.1:8765"


def test_roles_by_claim_are_read_and_misspelt_ones_refused() -> None:
    rows = mapped("groups:board=viewer, groups:https://x/leads=reviewer")
    assert [(row.claim, row.value, row.role) for row in rows] == [
        ("groups", "board", Role.VIEWER),
        ("groups", "https://x/leads", Role.REVIEWER),
    ]
    assert mapped(None) == ()
    for wrong in ("groups=admin", "groups:x", "groups:x=boss", ":x=admin"):
        with pytest.raises(BadArguments, match="claim:value=role"):
            mapped(wrong)


def test_a_sign_on_needs_an_id_and_https() -> None:
    assert SignOn(settings_of(oidc_issuer="http://127.0.0.1:1", oidc_client_id="x")).issuer
    with pytest.raises(BadArguments, match="CLIENT_ID"):
        SignOn(settings_of(oidc_issuer="https://issuer.example"))
    with pytest.raises(BadArguments, match="https"):
        SignOn(settings_of(oidc_issuer="http://issuer.example", oidc_client_id="x"))


def test_a_banner_is_a_few_sentences_on_one_line_and_nothing_is_none() -> None:
    assert settings_of(banner=" This is the\n test system. ").banner == "This is the test system."
    assert settings_of(banner="  ").banner is None
    with pytest.raises(BadArguments, match="HANDRAIL_BANNER"):
        settings_of(banner="x" * 1_001)
