"""A backup: one zip file with every table of one moment, the same for all stores, and what it must add up to.

``manifest.json`` says what is inside; ``<table>.jsonl`` holds a table, one JSON list a row. Everything is
streamed, so that a backup of any size needs little memory.
"""

from __future__ import annotations

import base64
import binascii
import os
import tempfile
import zipfile
import zlib
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from handrail.ports import Commit
from handrail.store.migrate import VERSION
from handrail.store.parts.tables import TABLES
from handrail.words.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import IO

    from handrail.ports import AuditStreams, Store, Transaction
    from handrail.words.seal import Head

T = TypeVar("T")
FORMAT = 1
MANIFEST = "manifest.json"
BLOBS = {"leaves": {"hash"}, "heads": {"root", "frontier"}, "prompts": {"request", "response"}}
"""Columns that hold bytes, which stand in base64."""
NEEDED = {"meta", "policies", "actions", "payloads", "entries", "leaves", "heads"}
"""Tables that a store of any version has."""
LARGEST_MANIFEST = 1_000_000
LARGEST_ROW = 64 * 1024 * 1024
"""Bytes of one row at most: far above what the engine writes, so that no file can fill the memory."""


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the manifest says of one table."""

    columns: list[str]
    rows: int
    sha256: str


class Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the manifest says of the journal: entries, how many are sealed, and the root over these."""

    entries: int
    sealed: int
    root: str | None


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is in a backup."""

    format: int
    handrail: str
    schema: int
    store: str
    made_at: str
    journal: Sealed
    tables: dict[str, Kept]


def write(streams: AuditStreams, path: Path, store: str) -> Manifest:
    """Write a backup of one snapshot, read it again, and only then give it its name.

    Its mode is 600: it holds what the store holds, arguments, outputs and hashed passwords and keys.

    Raises:
        Refused: the file is there already, or can't be written; or the store has tables that we don't know.
    """
    if streams.schema() > VERSION:
        raise Refused(
            f"this store has schema version {streams.schema()}, newer than the {VERSION} that this Handrail "
            "knows: it would leave something out; make the backup with the newer Handrail"
        )
    if path.exists():
        raise Refused(f"{path} is there already; a backup replaces nothing, give another name")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise Refused(f"no file can be written at {path}: {error}") from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            manifest = _write(streams, file, store)
            file.flush()
            os.fsync(file.fileno())
        opened(temporary).check()
        temporary.rename(path)
    except OSError as error:
        raise Refused(f"no backup was made, {path} can't be written: {error}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return manifest


def _write(streams: AuditStreams, file: IO[bytes], store: str) -> Manifest:
    heads = deque(streams.heads(), maxlen=1)
    tables = {}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        for table in TABLES:
            columns = list(streams.columns(table))
            if columns:
                with archive.open(f"{table}.jsonl", "w", force_zip64=True) as out:
                    tables[table] = _table(table, columns, streams, out)
        manifest = Manifest(
            format=FORMAT,
            handrail=version("handrail"),
            schema=streams.schema(),
            store=store,
            made_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            journal=_sealed(tables["entries"].rows, heads[0] if heads else None),
            tables=tables,
        )
        archive.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
    return manifest


def _sealed(entries: int, head: Head | None) -> Sealed:
    return Sealed(entries, 0, None) if head is None else Sealed(entries, head.size, head.root.hex())


def _table(table: str, columns: list[str], streams: AuditStreams, out: IO[bytes]) -> Kept:
    digest, count = sha256(), 0
    encode = msgspec.json.Encoder().encode
    for row in streams.rows(table, columns):
        try:
            line = encode(row) + b"\n"
        except UnicodeEncodeError as error:
            raise Refused(
                f"a row of {table} holds bytes that are no text, so it can't be backed up: "
                "somebody wrote them past Handrail"
            ) from error
        digest.update(line)
        out.write(line)
        count += 1
    return Kept(columns, count, digest.hexdigest())


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was opened."""

    path: Path
    manifest: Manifest

    def check(self) -> None:
        """Read everything once, and compare it with the manifest.

        Raises:
            Refused: it is damaged.
        """
        tables = self.manifest.tables.keys()
        if strange := tables - set(TABLES):
            raise Refused(f"{self.path}: no store has a table {', '.join(sorted(strange))}")
        if missing := NEEDED - tables:
            raise Refused(f"{self.path}: the backup lacks {', '.join(sorted(missing))}")
        for table in tables:
            for _ in self.rows(table):
                pass

    def rows(self, table: str) -> Iterator[Sequence[object]]:
        """Every row of a table; that they are the right ones is known at their end.

        Raises:
            Refused: they are not those that were written.
        """
        kept = self.manifest.tables[table]
        digest, count = sha256(), 0
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(f"{table}.jsonl") as file:
                for row, line in _rows(table, kept.columns, file):
                    digest.update(line)
                    count += 1
                    yield row
        except (KeyError, OSError, ValueError, zipfile.BadZipFile, zlib.error, msgspec.MsgspecError) as error:
            raise Refused(f"{self.path}: {table} can't be read: {error}; nothing was restored") from error
        if count != kept.rows or digest.hexdigest() != kept.sha256:
            raise Refused(
                f"{self.path}: {table} is not what was written: expected {kept.rows} rows with the digest "
                f"{kept.sha256[:12]}…, found {count} with {digest.hexdigest()[:12]}…; nothing was restored"
            )


def opened(path: Path) -> Backup:
    """A backup by its manifest.

    Raises:
        Refused: it is none, or one that this version can't read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(MANIFEST).file_size > LARGEST_MANIFEST:
                raise Refused(f"{path}: its manifest is too long")
            document: dict[str, Any] = msgspec.json.decode(archive.read(MANIFEST), type=dict[str, Any])
    except FileNotFoundError as error:
        raise Refused(f"there is no backup {path}") from error
    except (KeyError, OSError, zipfile.BadZipFile, zlib.error, msgspec.MsgspecError) as error:
        raise Refused(f"{path} is no backup that 'handrail backup' made, or is damaged: {error}") from error
    if document.get("format") != FORMAT:
        raise Refused(f"{path}: its format is {document.get('format')!r}, and this Handrail reads {FORMAT}")
    try:
        manifest = msgspec.convert(document, Manifest)
    except msgspec.ValidationError as error:
        raise Refused(f"{path}: its manifest is damaged: {error}") from error
    if manifest.schema > VERSION:
        raise Refused(
            f"{path} is of a store with schema version {manifest.schema}, newer than the {VERSION} that this "
            "Handrail knows; upgrade Handrail on this machine; nothing was restored"
        )
    return Backup(path, manifest)


def restore(store: Store, backup: Backup, then: Callable[[Transaction, int], T]) -> T:
    """Write a backup into an empty store, and do ``then`` with how many entries were sealed: all, or nothing.

    Raises:
        Refused: the store is not empty, or the backup is damaged.
    """
    backup.check()

    def work(tx: Transaction) -> T:
        if not tx.tables.empty():
            raise Refused(
                "this store is not empty, and a restore replaces nothing: name a new file or database; "
                "nothing was changed"
            )
        for table in TABLES:
            if table in backup.manifest.tables:
                tx.tables.load(table, backup.manifest.tables[table].columns, backup.rows(table))
        return then(tx, tx.tables.begin_stretch())

    return store.restrict(Commit.RESTORE, work)


def _rows(table: str, columns: Sequence[str], file: IO[bytes]) -> Iterator[tuple[Sequence[object], bytes]]:
    decode = msgspec.json.Decoder(list[int | str | None]).decode
    bytes_at = [place for place, name in enumerate(columns) if name in BLOBS.get(table, ())]
    while line := file.readline(LARGEST_ROW):
        row: list[object] = list(decode(line))
        if len(row) != len(columns):
            raise ValueError(f"a row has {len(row)} values; expected {len(columns)}")
        for place in bytes_at:
            row[place] = _bytes(row[place])
        yield row, line


def _bytes(value: object) -> bytes:
    if not isinstance(value, str):
        raise ValueError("a hash is no text")  # noqa: TRY004 - damage of a file, told as such
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError(f"a hash is not in base64: {error}") from error
