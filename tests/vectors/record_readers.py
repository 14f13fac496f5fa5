# SPDX-License-Identifier: Apache-2.0
"""How a case that holds a record is read: by Servanda, and by the verifier, which shares no code with it."""

from __future__ import annotations

import importlib.util
import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from servanda.operations.bundles import read_bundle, record_of
from servanda.operations.errors import Refusal
from servanda.operations.forkcheck import verify_fork
from servanda.operations.verifying import Report, verify_bundle
from tests.vectors.proof_readers import load

ROOT = Path(__file__).resolve().parents[2]


class Second(NamedTuple):
    """What the verifier says: its exit status, and what it prints as JSON."""

    status: int
    report: Any


def _program() -> ModuleType:
    import sys

    spec = importlib.util.spec_from_file_location("verify", ROOT / "verifier" / "verify.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["verify"] = module
    spec.loader.exec_module(module)
    return module


PROGRAM = _program()


def second_reading(folder: Path) -> Second:
    """Run the verifier on a case, as its command line would."""
    arguments = [str(folder / "bundle.servanda"), "--json"]
    for party, fingerprint in load(folder, "parties.json").items():
        arguments += ["--party", f"{party}={fingerprint}"]
    if (folder / "expect.json").exists():
        for party, size in load(folder, "expect.json").items():
            arguments += ["--expect", f"{party}>={size}"]
    if (folder / "proof.json").exists():
        arguments += ["--fork", str(folder / "proof.json")]
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        status: int = PROGRAM.main(arguments)
    text = out.getvalue()
    return Second(status, json.loads(text) if text.startswith("{") else None)


def first_reading(folder: Path) -> Report:
    """Servanda's report on the bundle of a case."""
    expected = load(folder, "expect.json") if (folder / "expect.json").exists() else {}
    data = (folder / "bundle.servanda").read_bytes()
    return verify_bundle(data, load(folder, "parties.json"), expected)


def verified(folder: Path) -> bool:
    """Whether Servanda verifies the bundle of a case."""
    try:
        return first_reading(folder).verified
    except Refusal:
        return False


def settled(folder: Path) -> dict[str, dict[str, bool]]:
    """What became of each offer in a bundle, by Servanda."""
    record = record_of(read_bundle((folder / "bundle.servanda").read_bytes()))
    threads, whole = record.threads, record.whole
    return {
        str(place): {
            "accepted": threads.accepted(offer, whole),
            "crossed": threads.crossed(offer, whole),
            "effect": record.effective(offer, whole),
            "lapsed": record.lapsed(offer, whole),
            "refused": threads.refused(offer, whole),
            "settled": record.settled(offer, whole),
        }
        for place, offer in threads.offers.items()
    }


def forks(folder: Path) -> Any:
    """What Servanda makes of the proof of a fork, by the identities in the bundle beside it."""
    return verify_fork((folder / "bundle.servanda").read_bytes(), (folder / "proof.json").read_bytes())


def sizes(folder: Path) -> dict[str, int]:
    """How many entries of each journal a bundle holds."""
    bundle = read_bundle((folder / "bundle.servanda").read_bytes())
    return {entry.party: entry.size for entry in bundle.manifest.journals}


def verdicts(folder: Path) -> dict[str, list[str]]:
    """What becomes of each entry, by Servanda: `admissible`, `waiting`, or the code of the step that fails."""
    record = record_of(read_bundle((folder / "bundle.servanda").read_bytes()))
    return {
        party: [entry.code or "admissible" for entry in journal.entries] + ["waiting"] * len(journal.pending)
        for party, journal in sorted(record.journals.items())
        if journal.size
    }


def second_verdicts(folder: Path) -> dict[str, list[str]]:
    """The same by the verifier."""
    report = second_reading(folder).report
    found = {party: ["admissible"] * size for party, size in sizes(folder).items()}
    judged = [(row["entry"], row["code"]) for row in report["inadmissible"]]
    judged += [(row["entry"], "waiting") for row in report["waiting"]] + [(e, "suspended") for e in report["suspended"]]
    for place, verdict in judged:
        party, number = place.split("/")
        found[party][int(number) - 1] = verdict
    return found
