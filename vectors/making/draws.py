# SPDX-License-Identifier: Apache-2.0
"""Cases of joint draws and of evaluations: what follows from terms and secrets, and from a method and its inputs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from making.case import Case, Cases, shown
from servanda.proof.canonical import encode
from servanda.verification.evaluations import evaluation_document
from servanda.verification.replay import replay
from servanda.verification.selection import ALGORITHM, commitment, draw_id

BLU_RED = ("blu", "red")


def _secret(party: str) -> bytes:
    return hashlib.sha256(f"vectors/draw/{party}".encode()).digest()


def _selection(table: str, *rows: list[int]) -> dict[str, Any]:
    return {"count": sum(last - first + 1 for first, last in rows), "rows": list(rows), "table": table}


def _stratum(name: str, sample: int, *population: dict[str, Any]) -> dict[str, Any]:
    return {"population": list(population), "sample": sample, "stratum": name}


def _terms(*strata: dict[str, Any], parties: tuple[str, ...] = BLU_RED, **more: Any) -> dict[str, Any]:
    return {"algorithm": ALGORITHM, "parties": list(parties), "strata": list(strata), **more}


def _said(terms: Mapping[str, Any], **secrets: bytes) -> dict[str, Any]:
    """Terms with commitments and secrets of every party; `secrets` replaces some of them."""
    known = {party: secrets.get(party, _secret(party)) for party in terms["parties"]}
    name = draw_id(terms)
    return {
        "commitments": {party: commitment(name, party, secret).hex() for party, secret in known.items()},
        "secrets": {party: secret.hex() for party, secret in known.items()},
        "terms": dict(terms),
    }


def found_in(said: Mapping[str, Any]) -> dict[str, Any]:
    """What follows from a case's input, as its `expected.json` states it."""
    drawn = replay(
        said["terms"],
        {party: bytes.fromhex(text) for party, text in said["commitments"].items()},
        {party: bytes.fromhex(text) for party, text in said["secrets"].items()},
    )
    return {
        "draw": drawn.draw.hex(),
        "seed": drawn.seed.hex(),
        "strata": {
            name: {
                "positions": list(one.positions),
                "rows": [f"{table}/{row}" for table, row in one.rows],
                "seed": one.seed.hex(),
            }
            for name, one in drawn.strata.items()
        },
    }


RIFLES = _terms(_stratum("rifles", 13, _selection("red/12", [0, 99], [200, 249])))


def draws() -> list[Case]:
    """`input.json` is the terms of a draw, with what each party committed to and revealed."""
    cases = Cases("draw", "draw")
    for name, sentence, terms in [
        ("two-parties", "Thirteen of 150 rows, in two ranges of one table.", RIFLES),
        (
            "three-parties",
            "Three parties; the order in which the terms name them is not that of the seed.",
            _terms(_stratum("a", 3, _selection("red/12", [0, 9])), parties=("red", "opc", "blu")),
        ),
        (
            "two-strata",
            "Two strata of the same rows are drawn independently of one another.",
            _terms(*(_stratum(name, 5, _selection("red/12", [0, 19])) for name in ("a", "b"))),
        ),
        (
            "two-tables",
            "A population of rows of two tables, in the order of the selections.",
            _terms(_stratum("a", 6, _selection("red/30", [5, 9]), _selection("red/12", [0, 2], [7, 9]))),
        ),
        (
            "one-of-one",
            "The only row is drawn; no word is taken.",
            _terms(_stratum("a", 1, _selection("red/12", [4, 4]))),
        ),
        ("none", "A sample of none.", _terms(_stratum("a", 0, _selection("red/12", [0, 9])))),
        (
            "all",
            "Every row is drawn: what is left is drawn without a word.",
            _terms(_stratum("a", 9, _selection("b/1", [0, 8]))),
        ),
        (
            "power-of-two",
            "64 rows: six bits are always below.",
            _terms(_stratum("a", 4, _selection("red/12", [0, 63]))),
        ),
        (
            "above-power",
            "65 rows: nearly half of the words are passed over.",
            _terms(_stratum("a", 4, _selection("b/1", [0, 64]))),
        ),
        ("largest", "As many rows as a table may have.", _terms(_stratum("a", 5, _selection("b/1", [0, 2**32 - 2])))),
        ("more-in-terms", "What else the terms say makes another draw.", {**RIFLES, "plan": "blu/40"}),
    ]:
        said = _said(terms)
        cases.good(name, sentence, {"input.json": shown(said)}, found_in(said))
    for name, sentence, said in _bad_draws():
        cases.bad(name, sentence, {"input.json": shown(said)})
    return cases.made


def _bad_draws() -> list[tuple[str, str, dict[str, Any]]]:
    said = _said(RIFLES)
    swapped = {"blu": said["secrets"]["red"], "red": said["secrets"]["blu"]}
    copied = {**said["commitments"], "blu": said["commitments"]["red"]}
    one = {"red": said["secrets"]["red"]}
    short = {**said["secrets"], "blu": said["secrets"]["blu"][:-2]}
    other = {**said["secrets"], "blu": _secret("other").hex()}
    large = _terms(_stratum("a", 11, _selection("red/12", [0, 9])))
    twice = _terms(*[_stratum("a", 1, _selection("red/12", [0, 9]))] * 2)
    return [
        ("other-secret", "A secret that was not committed to.", {**said, "secrets": other}),
        ("secrets-exchanged", "Each party reveals the other's secret.", {**said, "secrets": swapped}),
        ("commitment-copied", "One party's commitment is a copy of the other's.", {**said, "commitments": copied}),
        ("one-reveals", "One party has not revealed: there is no seed of the others alone.", {**said, "secrets": one}),
        (
            "stranger-reveals",
            "A party that is not in the terms has committed and revealed.",
            {**_said({**RIFLES, "parties": ["blu", "opc", "red"]}), "terms": RIFLES},
        ),
        ("secret-short", "A secret of 31 bytes.", {**said, "secrets": short}),
        (
            "other-sample",
            "Commitments to the draw of another sample size.",
            {**said, "terms": _terms(_stratum("rifles", 12, *RIFLES["strata"][0]["population"]))},
        ),
        (
            "other-rows",
            "Commitments to the draw of other rows.",
            {**said, "terms": _terms(_stratum("rifles", 13, _selection("red/12", [0, 149])))},
        ),
        ("other-algorithm", "An algorithm of another name.", _said({**RIFLES, "algorithm": "servanda-draw-2"})),
        ("sample-too-large", "Eleven of ten.", _said(large)),
        ("stratum-twice", "Two strata have one name, and so one seed.", _said(twice)),
    ]


MEASURED = {"random": "0.002", "systematic": "0.001"}


def _hand(*shared: str) -> dict[str, Any]:
    figures = {"beginning": 100, "receipt": 250, "shipment": 240, "ending": "108.5"}
    terms = [
        {"amount": amount, "name": part, "part": part, "shared": "scale" if part in shared else "", **MEASURED}
        for part, amount in figures.items()
    ]
    return {"sigmas": 3, "terms": terms}


VALUES = "102.0 94.8 98.3 98.4 102.0 98.5 99.0 97.7 100.0 98.1 101.3 98.7 101.1 98.4 97.0 96.7 100.3 101.4 97.2 101.0"


def evaluations() -> list[Case]:
    """`input.json` is an evaluation in canonical JSON; it is accepted if its result is what its method makes."""
    cases = Cases("evaluation", "accountancy")
    every = ("beginning", "receipt", "shipment", "ending")
    asked: list[tuple[str, str, str, dict[str, Any]]] = [
        ("sample-size", "The exact sample size, and two approximations.", "sample-size-1",
         {"defects": 50, "miss": "0.05", "population": 10000}),
        ("sample-size-test", "With a test that notices four defects of five.", "sample-size-1",
         {"goal": 50, "mean": "1.5", "miss": "1/20", "population": 1000, "test": "0.8"}),
        ("detection", "What a draw was worth of which two items were missed and one denied.", "detection-achieved-1",
         {"defects": 10, "denied": 1, "drawn": 25, "missed": 2, "population": 100}),
        ("balance", "A balance in which no two errors are shared.", "material-balance-1", _hand()),
        ("balance-inventories", "Both inventories were measured by one scale.", "material-balance-1",
         _hand("beginning", "ending")),
        ("balance-shared", "All was measured by one scale.", "material-balance-1", _hand(*every)),
        ("cusum", "Example 16-6 of Montgomery and Runger.", "cusum-1",
         {"limit": 10, "slack": 1, "target": 99, "values": VALUES.split()}),
        ("page", "Page's statistic adds to itself.", "page-1", {"limit": 3, "slack": "0.5", "values": ["0.8"] * 10}),
    ]  # fmt: skip
    for name, sentence, method, inputs in asked:
        document = evaluation_document(method, inputs)
        cases.good(name, sentence, {"input.json": encode(document)}, document, "#Evaluation")
        result = document["result"]
        changed = next(key for key in sorted(result) if isinstance(result[key], int | str | list))
        bad = {**document, "result": {**result, changed: None}}
        cases.bad(
            f"{name}-changed",
            f"The case `{name}` with another `{changed}`.",
            {"input.json": encode(bad)},
            "#Evaluation",
        )
    return cases.made


def cases() -> list[Case]:
    """Every case of draws and evaluations."""
    return [*draws(), *evaluations()]
