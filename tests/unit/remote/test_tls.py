"""A key goes only to a server whose certificate proves that it is the one."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

import handrail
from handrail.remote import http
from tests.support.certificates import certificate
from tests.unit.remote.conftest import KEY, Stub, running


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A certificate of nobody's authority for this machine."""
    return certificate(tmp_path)


@pytest.fixture
def secure(path: Path) -> Iterator[Stub]:
    """A server that has it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with running(context) as found:
        yield found


def noted(rail: handrail.Rail) -> str:
    """What a call through it gives."""

    @rail.tool
    def note(text: str) -> str:
        return f"noted {text}"

    with rail.session("support"):
        return note("x")


def test_a_certificate_that_nobody_vouches_for_gets_neither_key_nor_action(
    secure: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "PATIENCE", 0.0)
    with handrail.connect(secure.url, key=KEY) as rail, pytest.raises(handrail.StoreError):
        noted(rail)
    assert secure.headers == []


def test_an_authority_of_ones_own_is_named_by_the_environment(
    secure: Stub, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with handrail.connect(secure.url, key=KEY) as rail:
        assert noted(rail) == "noted x"
