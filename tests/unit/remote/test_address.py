"""Where a rail may talk to, and with which key."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import handrail
from handrail.remote.address import checked, key_of

KEY = "hr_a_0193a5e2c4d8_0123456789abcdef"


@pytest.mark.parametrize(
    ("address", "plain"),
    [
        ("https://handrail.example.com", "https://handrail.example.com"),
        ("https://handrail.example.com:8443/rail/", "https://handrail.example.com:8443/rail"),
        ("http://127.0.0.1:8765", "http://127.0.0.1:8765"),
        ("http://localhost:8765", "http://localhost:8765"),
        ("http://[::1]:8765", "http://[::1]:8765"),
    ],
)
def test_https_goes_anywhere_and_plain_http_to_this_machine(address: str, plain: str) -> None:
    assert checked(address) == plain


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("http://handrail.example.com", "https"),
        ("http://10.0.0.7:8765", "https"),
        ("http://localhost.example.com", "https"),
        ("https://me:secret@handrail.example.com", "user or password"),
        ("https://", "must be like"),
        ("https://handrail.example.com?key=x", "must be like"),
        ("https://handrail.example.com:none", "can't be read"),
    ],
)
def test_an_address_that_would_give_something_away_is_refused(address: str, why: str) -> None:
    with pytest.raises(handrail.BadArguments, match=why) as refused:
        handrail.connect(address, key=KEY)
    assert "secret" not in str(refused.value)


def test_a_key_is_the_argument_else_the_environment_else_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n", "utf-8")
    monkeypatch.setenv("HANDRAIL_KEY_FILE", str(tmp_path / "key"))
    assert key_of(None) == KEY
    monkeypatch.setenv("HANDRAIL_KEY", f"{KEY}0")
    with pytest.raises(handrail.BadArguments, match="HANDRAIL_KEY and HANDRAIL_KEY_FILE are both set"):
        key_of(None)
    assert key_of(f"{KEY}1") == f"{KEY}1"
    monkeypatch.delenv("HANDRAIL_KEY_FILE")
    assert key_of(None) == f"{KEY}0"


@pytest.mark.parametrize(
    "key", ["", "letmein", "hr_x_0193a5e2c4d8_0123456789abcdef", f"{KEY}\r\nx-role: admin"]
)
def test_what_is_no_key_is_refused_and_not_repeated(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HANDRAIL_KEY", raising=False)
    monkeypatch.delenv("HANDRAIL_KEY_FILE", raising=False)
    with pytest.raises(handrail.BadArguments) as refused:
        key_of(key)
    assert not key or key not in str(refused.value)


def test_a_file_of_a_key_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HANDRAIL_KEY", raising=False)
    monkeypatch.setenv("HANDRAIL_KEY_FILE", "nowhere/key")
    with pytest.raises(handrail.BadArguments, match="nowhere/key"):
        key_of(None)


def test_a_server_has_its_own_store_and_a_file_needs_no_key(tmp_path: Path) -> None:
    with pytest.raises(handrail.BadArguments, match="its own store"):
        handrail.connect("https://handrail.example.com", key=KEY, database="memory:")
    with pytest.raises(handrail.BadArguments, match="for a server"):
        handrail.connect(tmp_path / "handrail.yaml", key=KEY)


def test_the_key_is_in_no_text_about_the_rail() -> None:
    from handrail.remote.http import Asker

    asker = Asker("https://handrail.example.com", KEY)
    assert KEY not in repr(asker)
    assert "handrail.example.com" in repr(asker)
    asker.close()


def test_without_httpx_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("httpx", "handrail.remote.http", "handrail.remote.backend"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(handrail.StoreError, match=r"pip install handrail\[remote\]"):
        handrail.connect("https://handrail.example.com", key=KEY)
