# SPDX-License-Identifier: Apache-2.0
"""Which files does a bundle hold? A ZIP archive (PKWARE APPNOTE 6.3) of one byte form (spec/bundle.md, container)."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from servanda.proof.errors import ProofError

NAME_CHARACTERS_MAX = 200
"""The longest name."""

FILES_MAX = 65_534
"""How many files an archive without ZIP64 records holds."""

CONTAINER_BYTES_MAX = 2**32 - 1
"""The largest archive, in bytes."""

_FIRST = "manifest.json"
_NAME = re.compile(r"[a-z0-9-]+(?:/[a-z0-9.-]+)*(?:\.[a-z]+)?\Z")

# signature, version needed, flags, method, time, date, CRC-32, size, size, name length, extra length
_LOCAL = struct.Struct("<4s5H3L2H")
# signature, version made by, the nine above from version needed, comment length, disk, attributes (2), offset
_CENTRAL = struct.Struct("<4s6H3L5H2L")
# signature, disk, disk of the directory, files on it, files, directory size, directory offset, comment length
_END = struct.Struct("<4s4H2LH")
_LOCAL_MARK, _CENTRAL_MARK, _END_MARK = b"PK\3\4", b"PK\1\2", b"PK\5\6"
_VERSION, _DATE = 20, 0x0021


class ContainerError(ProofError):
    """Files cannot be put into a bundle, or bytes are not the one form of a bundle. It names the file or the offset."""


class _Place(NamedTuple):
    """Where the directory says that a file lies."""

    name: str
    size: int
    offset: int


def write_container(files: Mapping[str, bytes]) -> bytes:
    """Return the archive of the files: the same files always give the same bytes.

    Raises:
        ContainerError: a name is not allowed, or there is too much for an archive without ZIP64 records.
    """
    for name in files:
        _check_name(name)
    _check_extent(files)
    return b"".join([piece for _, piece in _pieces(files)])


def read_container(data: bytes, *, bytes_max: int) -> dict[str, bytes]:
    """Return the files of an archive by name, in the order in which they lie there. Nothing is ever inflated.

    Args:
        data: the archive.
        bytes_max: refuse a larger one.

    Raises:
        ContainerError: the archive differs by any byte from the one written anew from its files.
    """
    if len(data) > min(bytes_max, CONTAINER_BYTES_MAX):
        raise ContainerError(f"larger than {min(bytes_max, CONTAINER_BYTES_MAX)} bytes")
    files: dict[str, bytes] = {}
    end = 0
    for place in _directory(data):
        _check_name(place.name)
        if place.name in files:
            raise ContainerError(f"{place.name}: stands there twice")
        # One after the other: else many names could share the same bytes, and a small archive hold a large one.
        if place.offset != end:
            raise ContainerError(f"{place.name}: does not lie at offset {end}")
        start = place.offset + _LOCAL.size + len(place.name)
        end = start + place.size
        if end > len(data):
            raise ContainerError(f"{place.name}: does not lie within the archive")
        files[place.name] = data[start:end]
    _compare(data, files)
    return files


def _directory(data: bytes) -> Iterator[_Place]:
    # Only what is needed to write the archive anew is taken from here; everything else is compared afterwards.
    end = len(data) - _END.size
    if end < 0 or not data.startswith(_END_MARK, end):
        raise ContainerError(f"offset {max(end, 0)}: no end record of an archive without comment")
    _, _, _, _, count, size, offset, _ = _END.unpack_from(data, end)
    if offset + size != end or count > FILES_MAX:
        raise ContainerError(f"offset {end}: the directory does not lie before the end record")
    for _ in range(count):
        if offset + _CENTRAL.size > end or not data.startswith(_CENTRAL_MARK, offset):
            raise ContainerError(f"offset {offset}: no directory entry")
        fields = _CENTRAL.unpack_from(data, offset)
        size, length, place = fields[9], fields[10], fields[16]
        name = data[offset + _CENTRAL.size : offset + _CENTRAL.size + length]
        yield _Place(name.decode("ascii", "replace"), size, place)
        offset += _CENTRAL.size + length


def _compare(data: bytes, files: Mapping[str, bytes]) -> None:
    offset = 0
    for name, piece in _pieces(files):
        if not data.startswith(piece, offset):
            there = data[offset : offset + len(piece)]
            differs = next((at for at, (a, b) in enumerate(zip(there, piece, strict=False)) if a != b), len(there))
            raise ContainerError(f"{name}: offset {offset + differs} differs from the one form of these files")
        offset += len(piece)
    if offset != len(data):
        raise ContainerError(f"offset {offset}: bytes that belong to no file")


def _pieces(files: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """The archive in pieces, each with the name of what it belongs to."""
    offset, directory = 0, []
    for name in sorted(files, key=lambda name: (name != _FIRST, name)):
        content = files[name]
        shared = (_VERSION, 0, 0, 0, _DATE, zlib.crc32(content), len(content), len(content), len(name), 0)
        encoded = name.encode("ascii")
        yield name, _LOCAL.pack(_LOCAL_MARK, *shared) + encoded
        yield name, content
        entry = _CENTRAL.pack(_CENTRAL_MARK, _VERSION, *shared, 0, 0, 0, 0, offset) + encoded
        directory.append((name, entry))
        offset += _LOCAL.size + len(name) + len(content)
    yield from directory
    size = sum(len(entry) for _, entry in directory)
    yield "end record", _END.pack(_END_MARK, 0, 0, len(directory), len(directory), size, offset, 0)


def _check_extent(files: Mapping[str, bytes]) -> None:
    headers = _LOCAL.size + _CENTRAL.size
    size = _END.size + sum(headers + 2 * len(name) + len(content) for name, content in files.items())
    if len(files) > FILES_MAX or size > CONTAINER_BYTES_MAX:
        raise ContainerError(f"more than {FILES_MAX} files or {CONTAINER_BYTES_MAX} bytes")


def _check_name(name: str) -> None:
    if len(name) > NAME_CHARACTERS_MAX or ".." in name or not _NAME.match(name):
        raise ContainerError(f"{name[:NAME_CHARACTERS_MAX]!r}: not a name of a file in a bundle")
