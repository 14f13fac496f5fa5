# SPDX-License-Identifier: Apache-2.0
"""The proof of a public summary: signed checkpoints, and for each entry cited that its leaf lies under one of them.

It says that entries with these hashes stand in the journals that the parties have signed, and no word of what is in
them. That the totals follow from these entries, whoever holds the record can derive anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from servanda.journal.record import Record
from servanda.proof.checkpoints import Checkpoint, verify_checkpoint
from servanda.proof.errors import ProofError
from servanda.proof.merkle import inclusion_path, verify_inclusion
from servanda.proof.notes import parse_note
from servanda.reports.sources import place_named


def proof_of(record: Record, notes: Mapping[str, bytes], entries: Iterable[str]) -> dict[str, Any]:
    """Checkpoints and paths for the entries.

    Args:
        record: the whole record, whose trees have at least the sizes of the notes.
        notes: party to its newest signed checkpoint.
        entries: `party/number`, each within the size of its journal's note.
    """
    sizes, checkpoints = {}, []
    for party, note in sorted(notes.items()):
        key = record.centre_key(party, [])
        assert key is not None
        sizes[party] = verify_checkpoint(parse_note(note), key).size
        checkpoints.append({"key": key.hex(), "note": note.decode(), "party": party})
    paths = []
    for name in entries:
        place = place_named(name)
        tree = record.journals[place.party].tree
        path = inclusion_path(place.number - 1, sizes[place.party], tree.node)
        paths.append({"entry": name, "path": [step.hex() for step in path]})
    return {"checkpoints": checkpoints, "paths": paths}


def proof_problems(summary: Mapping[str, Any], keys: Mapping[str, str]) -> list[str]:
    """What is wrong with the proof of a summary; nothing if it holds.

    Args:
        summary: the document.
        keys: party to the key of its centre (hexadecimal) as the reader knows it; without one the file's own is taken.
    """
    try:
        return _problems(summary, keys)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        return [f"the file is no public summary with its proof: {error!r}"]


def _problems(summary: Mapping[str, Any], keys: Mapping[str, str]) -> list[str]:
    found = []
    checkpoints: dict[str, Checkpoint] = {}
    for told in summary["proof"]["checkpoints"]:
        party, key = told["party"], keys.get(told["party"], told["key"])
        try:
            checkpoint = verify_checkpoint(parse_note(told["note"].encode()), bytes.fromhex(key))
        except ProofError as error:
            found.append(f"checkpoint of {party}: {error}")
            continue
        if checkpoint.origin != f"servanda/{summary['agreement']}/{party}":
            found.append(f"checkpoint of {party}: it is that of {checkpoint.origin}")
            continue
        checkpoints[party] = checkpoint
    found += [f"no checkpoint of {party}" for party in sorted(keys.keys() - checkpoints.keys())]
    paths = {told["entry"]: told["path"] for told in summary["proof"]["paths"]}
    leaves = {cited["entry"]: cited["leaf"] for cited in summary["annex"]}
    for name in _cited(summary):
        place = place_named(name)
        checkpoint_of = checkpoints.get(place.party)
        if name not in paths or name not in leaves or checkpoint_of is None:
            found.append(f"entry {name}: no proof that it lies under a checkpoint")
            continue
        path = [bytes.fromhex(step) for step in paths[name]]
        try:
            leaf = bytes.fromhex(leaves[name])
            verify_inclusion(leaf, place.number - 1, checkpoint_of.size, path, checkpoint_of.root)
        except ProofError as error:
            found.append(f"entry {name}: {error}")
    return found


def _cited(summary: Mapping[str, Any]) -> list[str]:
    return sorted({name for section in summary["sections"] for row in section["rows"] for name in row["entries"]})
