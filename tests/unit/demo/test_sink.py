"""The mail sink: a real SMTP server that keeps what it gets, byte by byte."""

from __future__ import annotations

import smtplib
import threading
from pathlib import Path

import pytest

from handrail.demo.sink import outbox


def test_messages_are_kept_in_the_order_they_came(tmp_path: Path) -> None:
    with outbox(tmp_path / "outbox") as (host, port), smtplib.SMTP(host, port) as server:
        for name in ("ann", "bob"):
            server.sendmail(
                "desk@shop.example", f"{name}@mailbox.example", f"To: {name}@mailbox.example\r\n\r\nHi {name}"
            )
    kept = sorted((tmp_path / "outbox").iterdir())
    assert [path.name for path in kept] == ["0001-ann@mailbox.example.eml", "0002-bob@mailbox.example.eml"]
    assert kept[1].read_bytes() == b"To: bob@mailbox.example\r\n\r\nHi bob\r\n"


def test_an_address_cannot_choose_where_its_mail_is_kept(tmp_path: Path) -> None:
    """Slashes and dots of a hostile address become part of a plain file name."""
    with outbox(tmp_path / "outbox") as (host, port), smtplib.SMTP(host, port) as server:
        server.sendmail("a@shop.example", "b@shop.example", "To: ../../etc/passwd\r\n\r\nHi")
    [kept] = (tmp_path / "outbox").iterdir()
    assert kept.parent == tmp_path / "outbox"
    assert kept.name == "0001-..-..-etc-passwd.eml"


def test_the_server_and_its_thread_are_gone_after_the_block(tmp_path: Path) -> None:
    """Even when a client has left its connection open."""
    with outbox(tmp_path / "outbox") as (host, port):
        forgotten = smtplib.SMTP(host, port)
    with pytest.raises(OSError, match="refused"):
        smtplib.SMTP(host, port)
    assert not [thread for thread in threading.enumerate() if thread.name == "outbox"]
    forgotten.close()


def test_two_sinks_run_side_by_side(tmp_path: Path) -> None:
    with outbox(tmp_path / "one") as (_, first), outbox(tmp_path / "two") as (_, second):
        assert first != second
