# SPDX-License-Identifier: Apache-2.0
"""Journals of any length for measurements: entries of about 1 KiB with two signatures each, made without a store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from servanda.journal.acceptance import prepare
from servanda.journal.state import Tree
from servanda.operations.centre import Centre
from servanda.operations.drafting import Draft, compose, seal_envelope
from servanda.proof.merkle import leaf_hash
from servanda.storage.sqlite.store import SqliteStore
from tests.rig.packs import lake
from tests.rig.world import World

TEXT = "What was said, what was agreed, who holds what, what was done, what is overdue. " * 2


def two_parties() -> World:
    """Two centres that have adopted the test pack, over memory stores."""
    return World(lake(("ash", "birch")))


def leaves(centre: Centre, count: int) -> Iterator[bytes]:
    """Leaves that would come next in a centre's journal; nothing is committed."""
    draft = Draft(
        format="note",
        subject="note",
        event_at="2014-01-10",
        author="desk",
        content={"text": TEXT},
        to=("birch",),
        remarks=TEXT,
    )
    frame = compose(centre, draft, "chief")
    signers = [centre.signers.officers["desk"], centre.signers.officers["chief"]]
    for number in range(frame.number, frame.number + count):
        heads = frame.heads if number == frame.number else ()
        receipts = frame.receipts if number == frame.number else ()
        yield seal_envelope(
            centre, msgspec.structs.replace(frame, number=number, heads=heads, receipts=receipts), signers
        )


def absorb(centre: Centre, made: list[bytes]) -> None:
    """Let a centre hold leaves of its own journal in memory and store, as if released one after the other."""
    prepared = [prepare(leaf) for leaf in made]
    nodes, _ = centre.journal.tree.extended([item.hash for item in prepared])
    size = centre.journal.size + len(made)
    with centre.store.transaction() as writer:
        writer.append(centre.party, centre.journal.size + 1, made, nodes, centre.clock())
    centre.absorb(centre.party, prepared)
    with centre.store.transaction() as writer:
        writer.put_checkpoint(centre.party, size, centre.note_at(size))


def moved_to_sqlite(centre: Centre, path: Path) -> Centre:
    """The centre with everything it holds moved into a new SQLite store."""
    store = SqliteStore(path)
    with store.transaction() as writer:
        for party, size in centre.store.journals().items():
            held = centre.store.leaves(party, 1, size)
            nodes, _ = Tree().extended([leaf_hash(leaf) for leaf in held])
            writer.append(party, 1, held, nodes, centre.clock())
            note = centre.note_at(size) if party == centre.party else centre.store.checkpoint(party)
            assert note is not None
            writer.put_checkpoint(party, size, note)
    centre.store = store
    centre.reload()
    return centre
