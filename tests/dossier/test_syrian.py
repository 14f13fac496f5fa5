# SPDX-License-Identifier: Apache-2.0
"""The same attacks, sampled, on the dossier of the Syrian record: 9 parties, a few hundred entries."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from servanda.operations.bundles import export_bundle
from servanda.proof.canonical import decode
from servanda.proof.container import write_container
from servanda.proof.envelope import parse_envelope
from tests.dossier.forgery import (
    Files,
    assert_refused,
    back_dated,
    files_of,
    leaves_of,
    manifest_of,
    pins_of,
    reframed,
    remade,
    verdicts,
    with_leaves,
)
from tests.worked_example.replayed import replayed

AS_OF = "2026-01-04T00:00:00Z"


@cache
def dossier() -> bytes:
    return export_bundle(replayed()[0].centres["opcw"], "dossier", AS_OF)


@cache
def known() -> dict[str, str]:
    return pins_of(replayed()[0])


def frame_of(leaf: bytes) -> dict[str, Any]:
    frame: dict[str, Any] = decode(parse_envelope(leaf).payload)  # type: ignore[assignment]
    return frame


def place_of(party: str, holds: Callable[[dict[str, Any]], bool]) -> int:
    """The number of the first entry of a party whose frame is such."""
    leaves = leaves_of(files_of(dossier()), party)
    return next(number for number, leaf in enumerate(leaves, start=1) if holds(frame_of(leaf)))


def changed(party: str, number: int, change: Callable[[dict[str, Any]], object]) -> Files:
    files = files_of(dossier())
    leaves = leaves_of(files, party)
    leaves[number - 1] = reframed(leaves[number - 1], change)
    return with_leaves(files, party, leaves)


def test_the_syrian_dossier_verifies() -> None:
    found = verdicts(dossier(), known())
    assert (found.ours, found.alone) == ("", "")
    assert found.report is not None
    assert (found.report.waiting, found.shown["waiting"]) == ({}, [])
    assert {row["code"] for row in found.shown["inadmissible"]} == {i["code"] for i in found.report.inadmissible}


def test_flipped_bytes_name_the_entry_in_which_they_lie() -> None:
    dice = random.Random(20130927)
    files = files_of(dossier())
    for party in ("opcw", "syr", "usa"):
        name = f"journals/{party}/entries.jsonl"
        start = dossier().index(files[name])
        at = dice.randrange(len(files[name]))
        data = bytearray(dossier())
        data[start + at] ^= 0x10
        ended = files[name].count(b"\n", 0, at)
        assert_refused(bytes(data), f"entry {party}/{ended + 1}", fingerprints=known())


def lower(frame: dict[str, Any]) -> None:
    frame["content"]["lots"][0]["quantity"]["amount"] -= 1


def test_one_gram_less_in_a_declaration_is_refused_and_named() -> None:
    number = place_of("syr", lambda f: "amount" in (f["content"].get("lots") or [{}])[0].get("quantity", {}))
    for data in (write_container(changed("syr", number, lower)), remade(changed("syr", number, lower), signer="opcw")):
        assert_refused(data, f"entry syr/{number}", fingerprints=known())


def test_a_back_dated_receipt_in_a_frame_is_refused_and_named() -> None:
    def change(frame: dict[str, Any]) -> None:
        frame["receipts"][0]["cosignature"] = back_dated(frame["receipts"][0]["cosignature"], 86_400)

    number = place_of("syr", lambda f: bool(f["receipts"]))
    assert_refused(remade(changed("syr", number, change), signer="opcw"), f"entry syr/{number}", fingerprints=known())


@pytest.mark.parametrize("edit", ["dropped", "repeated", "of another party"])
def test_an_entry_dropped_repeated_or_replayed_is_refused_and_named(edit: str) -> None:
    files = files_of(dossier())
    leaves, middle = leaves_of(files, "syr"), 20
    others = leaves_of(files, "opcw")[middle - 1]
    edited = {
        "dropped": leaves[: middle - 1] + leaves[middle:],
        "repeated": leaves[: middle - 1] + leaves[middle - 2 :],
        "of another party": [*leaves[: middle - 1], others, *leaves[middle:]],
    }[edit]
    data = remade(with_leaves(files, "syr", edited), signer="opcw")
    assert_refused(data, f"entry syr/{middle}", fingerprints=known())


def test_manifests_by_others_and_other_registers_are_refused() -> None:
    files = files_of(dossier())
    assert_refused(remade(files, signer="syr"), "opcw", fingerprints=known())
    registers = {**manifest_of(files)["registers"], "custody": hashlib.sha256(b"all destroyed").hexdigest()}
    assert_refused(remade(files, signer="opcw", registers=registers), "custody", fingerprints=known())
