# SPDX-License-Identifier: Apache-2.0
"""A dossier in which any byte is flipped, cut off or added is refused by both verifiers, which name the entry."""

from __future__ import annotations

import pytest

from servanda.operations.errors import Refusal
from servanda.operations.verifying import verify_bundle
from servanda.proof.container import write_container
from tests.dossier.forgery import PARTIES, assert_refused, dossier, files_of, pins, verdicts

BOTH_STRIDES = {"manifest.json": 37, "entries.jsonl": 307, ".txt": 151, ".json": 401}
"""Every which byte of a file both verifiers are tried with; the stand-alone one reads the whole dossier each time."""


def places() -> dict[str, tuple[int, int]]:
    """Where the content of each file lies in the dossier: from, to."""
    found, at = {}, 0
    for name, content in files_of(dossier()).items():
        start = at + 30 + len(name)
        found[name] = (start, start + len(content))
        at = start + len(content)
    return found


def flipped(data: bytes, at: int) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1 << at % 8
    return bytes(changed)


def entry_at(name: str, content: bytes, at: int) -> str:
    ended = content.count(b"\n", 0, at)
    return f"entry {name.split('/')[1]}/{ended + 1}"


def sampled(name: str) -> range:
    return range(*places()[name], next(step for ending, step in BOTH_STRIDES.items() if name.endswith(ending)))


def test_the_dossier_verifies_before_anything_is_done_to_it() -> None:
    found = verdicts(dossier())
    assert (found.ours, found.alone) == ("", "")
    assert found.report is not None
    assert found.report.complete == {"ash": 6, "birch": 4, "cedar": 3}
    assert found.report.not_checked == found.shown["not-checked"] == []
    assert len(found.report.receipts) == 6


@pytest.mark.parametrize("name", list(files_of(dossier())))
def test_a_flipped_byte_in_a_file_is_refused_and_named(name: str) -> None:
    start, end = places()[name]
    content = dossier()[start:end]
    for at in sampled(name):
        named = [entry_at(name, content, at - start)] if name.endswith("entries.jsonl") else [name]
        assert_refused(flipped(dossier(), at), *named)


@pytest.mark.parametrize("name", [name for name in files_of(dossier()) if not name.endswith("entries.jsonl")])
def test_any_flipped_byte_of_manifest_and_notes_is_refused_before_anything_else_is_read(name: str) -> None:
    start, end = places()[name]
    for at in range(start, end, 2 if name == "manifest.json" else 7):
        with pytest.raises(Refusal, match=name):
            verify_bundle(flipped(dossier(), at), pins())


def test_a_flipped_newline_between_two_entries_names_the_first_of_them() -> None:
    for party in PARTIES:
        start, end = places()[f"journals/{party}/entries.jsonl"]
        content = dossier()[start:end]
        ends = [at for at, byte in enumerate(content) if byte == 10]
        for number, at in enumerate(ends, start=1):
            assert_refused(flipped(dossier(), start + at), f"{party}/{number}")


def test_any_flipped_byte_of_headers_directory_and_end_record_is_refused() -> None:
    inside = [range(start, end) for start, end in places().values()]
    headers = [at for at in range(len(dossier())) if not any(at in content for content in inside)]
    assert len(headers) > 1500
    for at in headers:
        with pytest.raises(Refusal):
            verify_bundle(flipped(dossier(), at), pins())
    for at in headers[::5]:
        assert_refused(flipped(dossier(), at))


@pytest.mark.parametrize("name", list(files_of(dossier())))
def test_a_flipped_byte_is_refused_too_when_the_checksums_are_made_anew(name: str) -> None:
    files = files_of(dossier())
    start, end = places()[name]
    for at in range(0, end - start, max(1, (end - start) // 15)):
        named = [entry_at(name, files[name], at)] if name.endswith("entries.jsonl") else []
        assert_refused(write_container({**files, name: flipped(files[name], at)}), *named)


def test_a_truncated_dossier_is_refused_wherever_it_is_cut() -> None:
    size = len(dossier())
    ends = {end for span in places().values() for end in span}
    for length in sorted({*range(0, size, 1777), *range(size - 60, size), *ends, *(end - 1 for end in ends)} - {size}):
        assert_refused(dossier()[:length])


def test_bytes_after_before_and_between_are_refused() -> None:
    for data in (
        dossier() + b"\0",
        dossier() + b"\n",
        dossier() + dossier(),
        b"\0" + dossier(),
        b"#!/bin/sh\n" + dossier(),
        dossier()[:-22] + b"\0" * 8 + dossier()[-22:],
    ):
        assert_refused(data)
