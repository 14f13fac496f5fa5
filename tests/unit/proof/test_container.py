# SPDX-License-Identifier: Apache-2.0
"""The container: a ZIP archive that others open, and of which one byte form alone is read."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servanda.proof.container import ContainerError, read_container, write_container

LIMIT = 1_000_000
PARTS = st.text("abz019-", min_size=1, max_size=6)
NAMES = st.builds(
    lambda first, rest, end: "/".join([first, *rest]) + end,
    PARTS,
    st.lists(PARTS, max_size=2),
    st.sampled_from(["", ".json", ".txt"]),
)
FILES = st.dictionaries(NAMES | st.just("manifest.json"), st.binary(max_size=40), max_size=5)
THREE = {"packs/ab.json": b"{}", "manifest.json": b'{"purpose":"courier"}', "journals/syr/entries.jsonl": b""}


def zipped(files, *, method=zipfile.ZIP_STORED, **changes):
    """An archive as Python makes it, with the members' fields set as ours are, or otherwise."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in files:
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system, info.compress_type = 0, method
            for field, value in changes.items():
                setattr(info, field, value)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it warns of a name given twice, which is meant
                archive.writestr(info, content)
    return made.getvalue()


@given(FILES)
def test_what_is_written_is_read_and_opens_in_python(files):
    data = write_container(files)
    assert read_container(data, bytes_max=LIMIT) == files
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == files
        assert archive.namelist() == list(read_container(data, bytes_max=LIMIT))


def test_the_form_is_the_one_that_the_specification_gives():
    content, name = b"hello", b"a/b.txt"
    crc = zlib.crc32(content)
    local = b"PK\x03\x04" + struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 0x0021, crc, 5, 5, 7, 0) + name + content
    central = b"PK\x01\x02" + struct.pack("<HHHHHHIIIHHHHHII", 20, 20, 0, 0, 0, 0x21, crc, 5, 5, 7, 0, 0, 0, 0, 0, 0)
    central += name
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)
    assert write_container({"a/b.txt": content}) == local + central + end


def test_the_manifest_comes_first_and_the_others_sorted():
    files = {"b": b"", "a": b"", "manifest.json": b"", "0/z": b"", "0": b"", "a-b": b""}
    names = ["manifest.json", "0", "0/z", "a", "a-b", "b"]
    assert list(read_container(write_container(files), bytes_max=LIMIT)) == names


def test_python_can_write_the_one_form_too():
    ordered = [(name, THREE[name]) for name in read_container(write_container(THREE), bytes_max=LIMIT)]
    assert zipped(ordered, external_attr=1) != write_container(THREE)
    with pytest.raises(ContainerError):
        read_container(zipped(ordered, external_attr=1), bytes_max=LIMIT)


@given(st.binary(max_size=100))
def test_any_bytes_are_refused(data):
    with pytest.raises(ContainerError):
        read_container(data, bytes_max=LIMIT)


@given(st.data())
def test_any_changed_byte_is_refused(data):
    whole = write_container(THREE)
    at = data.draw(st.integers(0, len(whole) - 1))
    flipped = whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]
    shorter, longer = whole[:at], whole[:at] + data.draw(st.binary(min_size=1, max_size=4)) + whole[at:]
    for changed in (flipped, shorter, longer, whole + b"\0", whole[1:], b"\0" + whole, whole[:at] + whole[at + 1 :]):
        if changed != whole:
            with pytest.raises(ContainerError):
                read_container(changed, bytes_max=LIMIT)


def test_every_single_bit_matters():
    whole = write_container({"a": b"x", "b/c.txt": b"yz"})
    for at in range(len(whole)):
        for bit in range(8):
            changed = whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :]
            with pytest.raises(ContainerError):
                read_container(changed, bytes_max=LIMIT)


def test_the_message_names_the_file_and_the_offset():
    whole = write_container({"a": b"content of a", "b": b"content of b"})
    at = whole.index(b"of b")
    with pytest.raises(ContainerError, match=r"^b: offset \d+ differs"):
        read_container(whole.replace(b"of b", b"of c"), bytes_max=LIMIT)
    with pytest.raises(ContainerError, match="end record"):
        read_container(whole[:at], bytes_max=LIMIT)


@pytest.mark.parametrize(
    "data",
    [
        zipped([("a", b"x" * 100)], method=zipfile.ZIP_DEFLATED),
        zipped([("a", b"x"), ("a", b"x")]),
        zipped([("b", b"x"), ("a", b"x")]),
        zipped([("a", b"x"), ("manifest.json", b"x")]),
        zipped([("a/", b"")]),
        zipped([("A", b"x")]),
        zipped([("a", b"x")], comment=b"c"),
        zipped([("a", b"x")], extra=b"\x01\x00\x00\x00"),
        zipped([("a", b"x")], create_system=3),
        zipped([("a", b"x")], external_attr=1),
        zipped([("a", b"x")], internal_attr=1),
        zipped([("a", b"x")], date_time=(1980, 1, 2, 0, 0, 0)),
        zipped([("a", b"x")], create_version=30),
        zipped([("a", b"x")], extract_version=30),
    ],
)
def test_another_archive_of_the_same_files_is_refused(data):
    with pytest.raises(ContainerError):
        read_container(data, bytes_max=LIMIT)


def test_bytes_before_or_between_the_files_are_refused():
    whole = write_container({"a": b"x"})
    central, end = whole.index(b"PK\1\2"), whole.index(b"PK\5\6")
    moved = whole[end : end + 16] + struct.pack("<IH", central + 3, 0)
    with pytest.raises(ContainerError):
        read_container(whole[:central] + b"gap" + whole[central:end] + moved, bytes_max=LIMIT)


def test_an_archive_within_an_archive_is_refused():
    # The whole one form, and after it an end record that counts the first end record to the directory.
    whole = write_container({"a": b"x"})
    central, end = whole.index(b"PK\1\2"), whole.index(b"PK\5\6")
    second = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(whole) - central, central, 0)
    assert second[:12] == whole[end : end + 12]
    with pytest.raises(ContainerError, match="belong to no file"):
        read_container(whole + second, bytes_max=LIMIT)


def test_files_that_share_bytes_are_refused():
    # Many names for the same large content would make a small archive hold a huge one.
    content = b"x" * 1_000
    whole = write_container({"a": content})
    local, central = whole[: whole.index(b"PK\1\2")], whole[whole.index(b"PK\1\2") : whole.index(b"PK\5\6")]
    directory = b"".join(central[:-1] + name for name in (b"a", b"b", b"c"))
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 3, 3, len(directory), len(local), 0)
    with pytest.raises(ContainerError, match="does not lie at offset"):
        read_container(local + directory + end, bytes_max=LIMIT)


@pytest.mark.parametrize(
    "name",
    ["", "/a", "a/", "a//b", "../a", "a/..", "a/../b", "A", "a b", "a\\b", "\u00e9", ".a", "a.b.c", "a\n", "a" * 201],
)
def test_a_name_of_another_form_is_refused(name):
    with pytest.raises(ContainerError):
        write_container({name: b""})


def test_the_longest_name_is_taken():
    assert read_container(write_container({"a" * 200: b""}), bytes_max=LIMIT) == {"a" * 200: b""}


def test_a_larger_archive_than_allowed_is_refused():
    whole = write_container(THREE)
    assert read_container(whole, bytes_max=len(whole)) == THREE
    with pytest.raises(ContainerError):
        read_container(whole, bytes_max=len(whole) - 1)


def test_an_archive_holds_fewer_than_65535_files():
    many = {f"a{number}": b"" for number in range(65_534)}
    assert read_container(write_container(many), bytes_max=10 * LIMIT) == many
    many["b"] = b""
    with pytest.raises(ContainerError):
        write_container(many)
