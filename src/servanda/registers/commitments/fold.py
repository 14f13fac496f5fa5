# SPDX-License-Identifier: Apache-2.0
"""The commitments fold: what was promised, every mark with its history, replies (spec/dialogue.md, Commitments)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from servanda.agreement.pack import Pack
from servanda.journal.frame import Frame, Place
from servanda.journal.named import Item, Names, item_of
from servanda.journal.record import Record
from servanda.journal.refusal import Refused
from servanda.journal.state import Entry
from servanda.journal.threads import within


@dataclass(slots=True)
class Commitment:
    """Everything said of one commitment, by place; marks and replies in no order."""

    opened: Item
    marks: dict[Place, Item] = field(default_factory=dict)
    replies: dict[Place, Item] = field(default_factory=dict)


class CommitmentsRegister:
    """Commitments and marks. Call `catch_up` after the record has judged more entries."""

    def __init__(self, record: Record) -> None:
        """Start empty; nothing of the record is folded yet."""
        self.record = record
        self.position = 0
        self.items: dict[Place, Item] = {}
        self.names = Names()
        self.opened: dict[Place, Commitment] = {}
        self.said: dict[str, list[Item]] = {}
        """Marks and replies by the name of the commitment that they are about."""
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
        try:
            self._judged(entry)
        except Refused as refused:
            return refused
        return None

    def commitment(self, name: str) -> Commitment:
        """A commitment as it is shown: opened by the first entry of that name, with all that was said under it."""
        found = Commitment(self.items[self.names.first(name)])
        for item in self.said.get(name, ()):
            place = item.place
            current = self.items[place]
            (found.marks if item.effect == "commitments.mark" else found.replies)[place] = current
        return found

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
        fresh = item.place not in self.items
        self.items[item.place] = item
        if not fresh:
            return
        if item.effect == "commitments.enter":
            self.names.open(item.content["commitment"], item.place)
        else:
            self.said.setdefault(self.about(item), []).append(item)

    def about(self, item: Item) -> str:
        """The name of the commitment that an item is about."""
        content = self.items[_place(item.content["mark"])].content if item.effect == _REPLY else item.content
        name: str = content["commitment"]
        return name

    def pack_of(self, frame: Frame) -> Pack:
        """The pack by which an entry is judged."""
        return self.record.packs[frame.pack or self.record.agreement]

    def known(self, name: str, entry: Entry) -> Item | None:
        """The opening of a commitment that an entry's past has, the first by place; None if it has none."""
        places = [place for place in self.names.openings.get(name, ()) if within(entry.past, place)]
        return self.items[places[0]] if places else None


_REPLY = "commitments.reply"
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
