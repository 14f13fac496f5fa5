# SPDX-License-Identifier: Apache-2.0
"""Evaluations: named methods, documents that anybody computes anew, one digest whatever the machine is set to."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from typing import Any

import pytest

from servanda.proof.canonical import CanonicalError
from servanda.verification.errors import VerificationError
from servanda.verification.evaluations import METHODS, evaluation_bytes, evaluation_document, holds

MEASURED = {"random": "0.002", "systematic": "0.001"}


def term(part: str, name: str, amount: Any, shared: str = "") -> dict[str, Any]:
    return {"part": part, "name": name, "amount": amount, "shared": shared, **MEASURED}


def period(at: int) -> list[dict[str, Any]]:
    return [
        term("beginning", f"stock-{at}", 100 + at),
        term("receipt", f"in-{at}", 250),
        term("shipment", f"out-{at}", 240),
        term("ending", f"stock-{at + 1}", 101 + at if at < 3 else "207/2"),
    ]


INPUTS: dict[str, dict[str, Any]] = {
    "cusum-1": {"values": ["102.0", "94.8"], "target": 99, "slack": 1, "limit": 10},
    "detection-achieved-1": {"population": 100, "defects": 10, "drawn": 25, "missed": 2, "denied": 1, "test": "4/5"},
    "material-balance-1": {"terms": period(0), "sigmas": 3},
    "material-balance-sequence-1": {
        "periods": [period(at) for at in range(4)], "sigmas": 3, "slack": "0.5", "limit": 3, "goal": 8,
    },
    "operator-inspector-1": {
        "operator": MEASURED, "inspector": MEASURED, "population": 40, "sigmas": 3,
        "items": [{"name": "a", "operator": 10, "inspector": 9}, {"name": "b", "operator": 10, "inspector": "10.5"}],
    },
    "page-1": {"values": ["0.8"] * 10, "slack": "0.5", "limit": 3},
    "sample-size-1": {"population": 1000, "goal": 50, "mean": "1.5", "miss": "0.05", "test": "9/10"},
    "shipper-receiver-1": {
        "shipped": {"name": "s", "amount": 1000, **MEASURED}, "received": {"name": "r", "amount": 990, **MEASURED},
        "sigmas": 3,
    },
    "strata-1": {
        "goal": 8000, "miss": "1/20",
        "strata": [{"stratum": "a", "population": 100, "mean": 1000}, {"stratum": "b", "population": 900, "mean": 10}],
    },
}  # fmt: skip
PROGRAM = """
import hashlib
from tests.unit.verification.test_evaluations import INPUTS
from servanda.verification.evaluations import evaluation_bytes
print(hashlib.sha256(b"".join(evaluation_bytes(m, i) for m, i in sorted(INPUTS.items()))).hexdigest())
"""
PLACES = [
    {},
    {"LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8", "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "1"},
    {"LC_ALL": "C", "TZ": "America/St_Johns", "PYTHONHASHSEED": "4242", "PYTHONOPTIMIZE": "1"},
    {"LC_ALL": "ar_EG.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0", "PYTHONOPTIMIZE": "2", "PYTHONUTF8": "0"},
]


def test_every_method_has_an_example_here() -> None:
    assert INPUTS.keys() == METHODS.keys()


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.get("TZ", "here"))
def test_the_digest_is_the_same_whatever_locale_zone_hash_seed_and_optimisation(place: dict[str, str]) -> None:
    here = hashlib.sha256(b"".join(evaluation_bytes(m, i) for m, i in sorted(INPUTS.items()))).hexdigest()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env={**os.environ, **place}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == here


@pytest.mark.parametrize("method", sorted(METHODS))
def test_a_document_is_computed_anew_and_a_changed_one_is_not_what_its_method_makes(method: str) -> None:
    document = evaluation_document(method, INPUTS[method])
    assert holds(document)
    assert not holds({**document, "result": {**document["result"], "alarm": "none"}})
    assert not holds({**document, "method": "guess-1"})
    assert not holds({**document, "note": "looked fine"})


def test_a_missing_input_a_strange_method_and_a_float_are_refused_by_name() -> None:
    with pytest.raises(VerificationError, match="'miss' is missing"):
        evaluation_document("sample-size-1", {"population": 10, "defects": 1})
    with pytest.raises(VerificationError, match="no method 'sigma-9'"):
        evaluation_document("sigma-9", {})
    with pytest.raises(VerificationError, match="is not a number"):
        evaluation_document("sample-size-1", {"population": 10, "defects": 1, "miss": 0.05})
    with pytest.raises(VerificationError, match="whole number"):
        evaluation_document("sample-size-1", {"population": 10.0, "defects": 1, "miss": "0.05"})
    with pytest.raises(CanonicalError):
        evaluation_bytes("sample-size-1", {"population": 10, "defects": 1, "miss": "0.05", "note": 0.5})


def test_a_quantity_goal_gives_each_stratum_its_own_number_of_items() -> None:
    found = evaluation_document("strata-1", INPUTS["strata-1"])["result"]
    assert [(row["defects"], row["sample"]) for row in found["strata"]] == [(8, 31), (800, 2)]


def test_the_hand_example_as_a_document() -> None:
    figures = {"beginning": 100, "receipt": 250, "shipment": 240, "ending": "108.5"}
    terms = [term(part, part, amount) for part, amount in figures.items()]
    found = evaluation_document("material-balance-1", {"terms": terms, "sigmas": 3})["result"]
    assert (found["book"], found["muf"], found["sigma"][:7]) == ("110", "3/2", "0.84223")
    assert found["test"]["alarm"] is False
