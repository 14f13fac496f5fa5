# SPDX-License-Identifier: Apache-2.0
"""The commitments fold: what was promised, every mark with its history, replies (spec/dialogue.md, Commitments)."""

from __future__ import annotations

from collections.abc import Callable

from servanda.agreement.pack import Pack
from servanda.journal.frame import Frame, Place
from servanda.journal.named import Index, Item, Names, item_of
from servanda.journal.record import Record
from servanda.journal.refusal import Refused, refusal_of
from servanda.journal.state import Entry
from servanda.journal.threads import within


class CommitmentsRegister:
    """Commitments and marks. Call `catch_up` after the record has judged more entries."""

    def __init__(self, record: Record) -> None:
        """Start empty; nothing of the record is folded yet."""
        self.record = record
        self.position = 0
        self.items: dict[Place, Item] = {}
        self.names = Names()
        self.index = Index()
        """Marks by commitment and party, by `as-of`; replies by the mark that they are about."""
        self.markers: dict[str, set[str]] = {}
        """Who has marked a commitment."""
        self.discrepancies: list[tuple[Place, str]] = []

    def catch_up(self) -> None:
        """Fold every entry of the record's log that has not been folded yet."""
        while self.position < len(self.record.log):
            entry = self.record.log[self.position]
            self.position += 1
            if not entry.admissible or entry.frame is None:
                continue
            try:
                item = self._judged(entry)
            except Refused as refused:
                self.discrepancies.append((entry.place, f"commitments/{refused.reason}"))
                continue
            if item is not None:
                self._post(item)

    def check(self, entry: Entry) -> Refused | None:
        """Why an admissible entry would have no effect here, or None. Nothing is changed."""
        return refusal_of(self._judged, entry)

    def marks(self, name: str, party: str) -> list[Item]:
        """The marks that a party gave a commitment, by `as-of`. Not to be changed."""
        return self.index.row("mark", f"{name} {party}")

    def _judged(self, entry: Entry) -> Item | None:
        """What the entry adds; None if it is not of this register.

        Raises:
            Refused: a rule is broken.
        """
        frame = entry.frame
        assert frame is not None
        if frame.format == "correct":
            known = self.items.get(frame.refers_to[0].place)
            if known is None:
                return None
            item = item_of(known.entry, known.effect, frame.content["content"])
            item.corrected = entry.place
            for member in _KEPT[known.effect]:
                if item.content.get(member) != known.content.get(member):
                    raise Refused("renamed", f"`{member}` of {known.place} stays as it is when it is corrected")
        else:
            effect = self.record.effect_of(entry)
            if effect not in _RULES:
                return None
            item = item_of(entry, effect, frame.content)
        _RULES[item.effect](self, entry, item)
        return item

    def _post(self, item: Item) -> None:
        known = self.items.get(item.place)
        self.items[item.place] = item
        if known is not None:
            self.index.remove(known, _keys(known))
        elif item.effect == "commitments.enter":
            self.names.open(item.content["commitment"], item.place)
        self.index.add(item, _keys(item))
        if item.effect == "commitments.mark":
            self.markers.setdefault(item.content["commitment"], set()).add(item.party)

    def pack_of(self, frame: Frame) -> Pack:
        """The pack by which an entry is judged."""
        return self.record.packs[frame.pack or self.record.agreement]

    def known(self, name: str, entry: Entry) -> Item | None:
        """The opening of a commitment that an entry's past has, the first by place; None if it has none."""
        places = [place for place in self.names.openings.get(name, ()) if within(entry.past, place)]
        return self.items[places[0]] if places else None


def _keys(item: Item) -> list[tuple[str, str]]:
    if item.effect == "commitments.mark":
        return [("mark", f"{item.content['commitment']} {item.party}")]
    return [("reply", item.content["mark"])] if item.effect == "commitments.reply" else []


_KEPT = {
    "commitments.enter": ("commitment", "owners", "scale"),
    "commitments.mark": ("commitment",),
    "commitments.reply": ("mark",),
}
"""What no correction changes: other entries have been judged by it."""


def _place(text: str) -> Place:
    party, _, number = text.rpartition("/")
    return Place(party, int(number))


def _enter(register: CommitmentsRegister, entry: Entry, item: Item) -> None:
    content, pack = item.content, register.pack_of(item.frame)
    if item.corrected is None and register.known(content["commitment"], entry) is not None:
        raise Refused("known-already", f"the commitment {content['commitment']} is there already; choose another id")
    if content["scale"] not in pack.scales:
        raise Refused("unknown-scale", f"no scale {content['scale']}; there are {', '.join(sorted(pack.scales))}")
    for party in content["owners"]:
        if party not in pack.parties:
            raise Refused("unknown-party", f"{party} is not a party of the pack")


def _mark(register: CommitmentsRegister, entry: Entry, item: Item) -> None:
    content, pack = item.content, register.pack_of(item.frame)
    opened = register.known(content["commitment"], entry)
    if opened is None:
        raise Refused("unknown-commitment", f"no commitment {content['commitment']} in the past of this entry")
    scale = pack.scales.get(opened.content["scale"])
    if scale is None:
        raise Refused("unknown-scale", f"the pack in force has no scale {opened.content['scale']}")
    values = [mark["value"] for mark in scale["marks"]]
    if content["mark"] not in values:
        raise Refused("off-scale", f"{content['mark']} is none of {', '.join(map(str, values))}")
    if "recalibrates" in content:
        earlier = register.items.get(_place(content["recalibrates"]))
        same = earlier is not None and earlier.effect == "commitments.mark" and earlier.party == item.party
        if earlier is None or not same or earlier.content["commitment"] != content["commitment"]:
            raise Refused("unknown-mark", f"{content['recalibrates']} is no mark by {item.party} on this commitment")
        if not within(entry.past, earlier.place) or earlier.place == item.place:
            raise Refused("unknown-mark", f"{content['recalibrates']} is not before this entry")


def _reply(register: CommitmentsRegister, entry: Entry, item: Item) -> None:
    mark = register.items.get(_place(item.content["mark"]))
    if mark is None or mark.effect != "commitments.mark" or not within(entry.past, mark.place):
        raise Refused("unknown-mark", f"{item.content['mark']} is no mark in the past of this entry")
    opened = register.known(mark.content["commitment"], entry)
    if opened is None or item.party not in opened.content["owners"] or mark.party == item.party:
        raise Refused("not-owner", "the owners of a commitment reply to the marks of others")


_RULES: dict[str, Callable[[CommitmentsRegister, Entry, Item], None]] = {
    "commitments.enter": _enter,
    "commitments.mark": _mark,
    "commitments.reply": _reply,
}
