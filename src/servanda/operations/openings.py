# SPDX-License-Identifier: Apache-2.0
"""Openings as they travel: read from a line, compared with the entry that they open, and kept (spec/sealing.md)."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from servanda.journal.frame import Place, Reference
from servanda.operations.centre import Centre
from servanda.operations.errors import Refusal
from servanda.proof.canonical import JsonValue, decode, encode
from servanda.proof.errors import ProofError
from servanda.proof.sealing import digests_of, disclosure_digest, parse_disclosure


class OpeningLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One opening, and the entry that it opens a member of."""

    disclosure: str
    entry: Reference

    def encode(self) -> bytes:
        """The line, canonical JSON without its newline."""
        return encode(msgspec.to_builtins(self))


def parse_opening(line: bytes, what: str, code: str) -> OpeningLine:
    """Read one line.

    Raises:
        Refusal: it is no opening; the message begins with `what`, and the code is `code`.
    """
    try:
        opening = msgspec.convert(decode(line), OpeningLine)
        parse_disclosure(opening.disclosure)
    except (ProofError, msgspec.ValidationError) as error:
        raise Refusal(f"{what}: {error}", code) from error
    return opening


def keep_openings(centre: Centre, openings: Iterable[OpeningLine]) -> frozenset[str]:
    """Keep those openings that answer to a digest in an entry held here, or within another opening of it.

    Returns:
        The digests of those that are held now, whether they were before or not. The others are passed over.
    """
    groups: dict[Reference, dict[str, str]] = {}
    for opening in openings:
        groups.setdefault(opening.entry, {})[disclosure_digest(opening.disclosure)] = opening.disclosure
    known = {party: _known(centre, party) for party in {r.party for r in groups} & centre.record.journals.keys()}
    held: set[str] = set()
    fresh: list[tuple[Place, str]] = []
    for reference, waiting in groups.items():
        content = _content(centre, reference)
        if content is None:
            continue
        before = known[reference.party].get(reference.number, set())
        within = digests_of(content).union(*(digests_of(parse_disclosure(text).value) for text in before))
        while fitting := within & waiting.keys():
            for digest in fitting:
                text = waiting.pop(digest)
                within |= digests_of(parse_disclosure(text).value)
                fresh += [] if text in before else [(reference.place, text)]
            held |= fitting
    if fresh:
        with centre.store.transaction() as writer:
            for place, text in fresh:
                writer.put_opening(*place, text)
    return frozenset(held)


def _known(centre: Centre, party: str) -> dict[int, set[str]]:
    known: dict[int, set[str]] = {}
    for number, text in centre.store.openings(party):
        known.setdefault(number, set()).add(text)
    return known


def _content(centre: Centre, reference: Reference) -> JsonValue:
    """The content of the entry that a reference names, judged or not; None if it is not held as named."""
    state = centre.record.journals.get(reference.party)
    if state is None or reference.number > state.size:
        return None
    index, judged = reference.number - 1, len(state.entries)
    lies = state.entries[index] if index < judged else state.pending[index - judged]
    if lies.hash.hex() != reference.leaf or lies.frame is None:
        return None
    return lies.frame.content
