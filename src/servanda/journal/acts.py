# SPDX-License-Identifier: Apache-2.0
"""Step 9 of spec/entry.md: what each act asks of the past (spec/settlement.md). Nothing is changed here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from servanda.agreement.formats import BUILT_IN, Format
from servanda.agreement.pack import Pack
from servanda.agreement.tables import received_problem
from servanda.journal.acceptance import Inadmissible, Waiting, check_content
from servanda.journal.frame import Frame
from servanda.journal.state import Entry, JournalState, RecordState
from servanda.journal.threads import Cut, Offer, within
from servanda.proof.sealing import SealingError, digests_of, disclosure_digest, parse_disclosure

Rule = Callable[[RecordState, JournalState, Frame, Format, Pack, Cut], None]
_CORRECTABLE = frozenset({"notify", "inquire", "answer"})


def check_act(record: RecordState, journal: JournalState, frame: Frame, form: Format, pack: Pack, cut: Cut) -> None:
    """Apply the rule of the entry's act or built-in format.

    Args:
        record: what is held.
        journal: the author's journal.
        frame: the entry.
        form: its format.
        pack: the pack by which it is judged.
        cut: its past.

    Raises:
        Inadmissible: with the code of the rule.
        Waiting: a pack that is adopted is not held.
    """
    rule = _RULES.get(frame.format if form.built_in else frame.act)
    if rule is not None:
        rule(record, journal, frame, form, pack, cut)


def _first(record: RecordState, frame: Frame, code: str) -> Entry:
    """The entry referred to first; step 5 has seen that it is in the past."""
    entry = record.entry(frame.refers_to[0].place) if frame.refers_to else None
    if entry is None or not entry.admissible:
        raise Inadmissible(code, "refers first to no admissible entry")
    return entry


def _check_offer(record: RecordState, journal: JournalState, frame: Frame, form: Format, pack: Pack, cut: Cut) -> None:
    named = frame.named or ()
    if not named or journal.party in named:
        raise Inadmissible("offer", "an offer names at least one other party, and not its author")
    missing = set(form.witnesses) - {journal.party, *named}
    if missing:
        raise Inadmissible("offer", f"the format's witnesses are not named: {', '.join(sorted(missing))}")
    if form.effect == "custody.offer" and named != (frame.content["receiver"],):
        raise Inadmissible("offer", "an offer of custody names exactly its receiver")
    if frame.thread is None:
        return
    if form.quorum is not None:
        raise Inadmissible("offer", "what a quorum of witnesses carries is offered once, by who destroys: no thread")
    first = record.threads.offers.get(frame.thread.place)
    if first is None or first.thread != first.place:
        raise Inadmissible("offer", f"{frame.thread.place} is not the first offer of a thread")
    if journal.party not in first.signatories or {journal.party, *named} != first.signatories:
        raise Inadmissible("offer", "only the members of a thread offer in it, and name all the others")
    if form.key != first.format:
        raise Inadmissible("offer", "all offers of a thread have one format")


def _offer_to_answer(record: RecordState, journal: JournalState, frame: Frame, code: str) -> Offer:
    entry = _first(record, frame, code)
    offer = record.threads.offers.get(entry.place)
    if offer is None or journal.party not in offer.named:
        raise Inadmissible(code, f"{entry.place} is not an offer that names {journal.party}")
    if offer.place in journal.answered:
        raise Inadmissible(code, f"{journal.party} has already answered {offer.place}")
    return offer


def _check_accept(record: RecordState, journal: JournalState, frame: Frame, form: Format, pack: Pack, cut: Cut) -> None:
    offer = _offer_to_answer(record, journal, frame, "accept")
    if record.threads.superseded(offer, cut):
        raise Inadmissible("accept", f"{offer.place} is superseded by a later offer of its thread")
    if record.lapsed(offer, cut):
        raise Inadmissible("accept", f"{offer.place} has lapsed")
    if record.threads.crossed(offer, cut):
        raise Inadmissible("accept", f"{offer.place} has crossed another offer of its thread")
    entry = record.entry(offer.place)
    assert entry is not None
    assert entry.frame is not None
    offered = record.judged_pack(offer).formats[offer.format]
    effect = offered.effect or ""
    _check_extent(frame.content, entry.frame.content, effect)
    _check_reason(frame.content, pack)
    condition = frame.content["condition"]
    if condition is not None:
        if effect.startswith("custody."):
            raise Inadmissible("accept", "custody is not accepted on a condition")
        if condition["confirmer"] not in pack.parties:
            raise Inadmissible("accept", f"{condition['confirmer']} is not a party of the pack")


def _check_extent(content: dict[str, Any], offered: dict[str, Any], effect: str) -> None:
    received = content["received"]
    if reason := received_problem(content, offered if effect == "custody.offer" else {}):
        raise Inadmissible("accept", reason)
    if content["extent"] == "full":
        if received:
            raise Inadmissible("accept", "what is accepted in full lists nothing as received")
        return
    if effect != "custody.offer":
        raise Inadmissible("accept", "only an offer of custody is accepted in part")
    if [item["lot"] for item in received] != [item["lot"] for item in offered["lots"]]:
        raise Inadmissible("accept", "what is accepted in part lists each offered lot once, in the offer's order")
    for item, given in zip(received, offered["lots"], strict=True):
        quantity, limit = item["quantity"], given["quantity"]
        amount = quantity.get("amount")
        if set(quantity) != {"amount", "basis", "unit"} or quantity["basis"] != "stated":
            raise Inadmissible("accept", f"the quantity received of {item['lot']} is not a stated quantity")
        if not isinstance(amount, int) or isinstance(amount, bool) or amount < 0 or quantity["unit"] != limit["unit"]:
            raise Inadmissible("accept", f"the quantity received of {item['lot']} is not in {limit['unit']}")
        if amount > limit.get("amount", amount):
            raise Inadmissible("accept", f"more is received of {item['lot']} than was offered")


def _check_reason(content: dict[str, Any], pack: Pack) -> None:
    """What is accepted in part says why, by a code of the pack, if it has any; nothing else says so."""
    reason, known = content.get("reason"), pack.reasons if content["extent"] == "part" else frozenset()
    if known and reason not in known:
        raise Inadmissible("accept", f"what is accepted in part has a `reason`, one of {', '.join(sorted(known))}")
    if reason is not None and not known:
        raise Inadmissible("accept", "a `reason` stands with what is accepted in part, where the pack has reasons")


def _check_refuse(record: RecordState, journal: JournalState, frame: Frame, form: Format, pack: Pack, cut: Cut) -> None:
    _offer_to_answer(record, journal, frame, "refuse")


def _check_condition(
    record: RecordState, journal: JournalState, frame: Frame, form: Format, pack: Pack, cut: Cut
) -> None:
    entry = _first(record, frame, "condition")
    offer = record.threads.acceptances.get(entry.place)
    acceptance = offer.acceptances[entry.place.party] if offer else None
    if acceptance is None or acceptance.confirmer != journal.party:
        raise Inadmissible("condition", f"{entry.place} is not an acceptance whose condition {journal.party} confirms")
    if acceptance.decided is not None:
        raise Inadmissible("condition", f"{journal.party} has already decided the condition of {entry.place}")


def _check_lapse(record: RecordState, journal: JournalState, frame: Frame, form: Format, pack: Pack, cut: Cut) -> None:
    entry = _first(record, frame, "lapse")
    offer = record.threads.offers.get(entry.place)
    if not pack.lapses or offer is None or pack.formats[offer.format].effect != "custody.offer":
        raise Inadmissible("lapse", f"{entry.place} is not an offer of custody that the pack lets lapse")
    if journal.party in offer.signatories or journal.party in offer.lapses:
        raise Inadmissible("lapse", f"{journal.party} is a side of {entry.place}, or has declared it lapsed before")
    if any(within(cut, acceptance.place) for acceptance in offer.acceptances.values()):
        raise Inadmissible("lapse", f"{journal.party} has seen {entry.place} accepted")


def _check_correct(
    record: RecordState, journal: JournalState, frame: Frame, form: Format, pack: Pack, cut: Cut
) -> None:
    entry = _first(record, frame, "correct")
    corrected = entry.frame
    assert corrected is not None
    if entry.place.party != journal.party:
        raise Inadmissible("correct", "only the author corrects an entry")
    key = (corrected.format, corrected.format_version)
    if corrected.act not in _CORRECTABLE or key in BUILT_IN:
        raise Inadmissible("correct", f"an entry of act {corrected.act} and format {corrected.format} is not corrected")
    judged_by = record.packs[corrected.pack or record.agreement]
    try:
        check_content(
            _with_content(corrected, frame.content["content"]),
            judged_by.formats[key],
        )
    except Inadmissible as error:
        raise Inadmissible("correct", f"the corrected content: {error}") from error


def _with_content(frame: Frame, content: dict[str, Any]) -> Frame:
    return msgspec.structs.replace(frame, content=content)


def _check_acknowledge(
    record: RecordState, journal: JournalState, frame: Frame, form: Format, pack: Pack, cut: Cut
) -> None:
    own = [f"{reference.party}/{reference.number}" for reference in frame.refers_to if reference.party == journal.party]
    if own:
        raise Inadmissible("acknowledge", f"{', '.join(own)} is by {journal.party} itself: others acknowledge it")
    if not frame.refers_to:
        raise Inadmissible("acknowledge", "an acknowledgement refers to at least one entry of another party")


def _check_reveal(record: RecordState, journal: JournalState, frame: Frame, form: Format, pack: Pack, cut: Cut) -> None:
    # Step 8, last sentence: each disclosure answers to a digest in the entry that it opens.
    entry = _first(record, frame, "reveal")
    assert entry.frame is not None
    if entry.place.party != journal.party:
        raise Inadmissible("reveal", "only the author reveals what it has sealed")
    sealed = digests_of(entry.frame.content)
    for text in frame.content["disclosures"]:
        try:
            disclosed = parse_disclosure(text)
        except SealingError as error:
            raise Inadmissible("reveal", str(error)) from error
        digest = disclosure_digest(text)
        if digest not in sealed:
            raise Inadmissible("reveal", f"nothing sealed in {entry.place} answers to the opening of {disclosed.name}")
        sealed |= digests_of(disclosed.value)


def _check_adopt(record: RecordState, journal: JournalState, frame: Frame, form: Format, pack: Pack, cut: Cut) -> None:
    # spec/pack.md, In force: the first pack once, then at most one pack for each that it replaces.
    digest = frame.content["pack"]
    adopted = record.packs.get(digest)
    if adopted is None:
        raise Waiting(f"pack {digest[:12]}… is not held")
    if adopted.replaces is None and digest != record.agreement:
        raise Inadmissible("pack", "a first pack of another agreement")
    for _, earlier in journal.adoptions:
        if record.packs[earlier].replaces == adopted.replaces:
            raise Inadmissible("pack", f"{journal.party} has already adopted {earlier[:12]}… in this place")


def _check_branch(record: RecordState, journal: JournalState, frame: Frame, form: Format, pack: Pack, cut: Cut) -> None:
    size, root = frame.content["size"], frame.content["root"]
    if size >= frame.number or journal.tree.root(size).hex() != root:
        raise Inadmissible("branch", f"the root named for size {size} is not that of this journal")


def _check_held(record: RecordState, journal: JournalState, frame: Frame, form: Format, pack: Pack, cut: Cut) -> None:
    for reference in frame.refers_to:
        entry = record.entry(reference.place)
        said: dict[str, Any] = {}
        if entry is not None and entry.admissible and entry.frame is not None:
            said = entry.frame.content["content"] if entry.frame.act == "correct" else entry.frame.content
        if not isinstance(said.get("table"), dict):
            raise Inadmissible("held", f"{reference.place} has no table that could be held")
    if not frame.refers_to:
        raise Inadmissible("held", "refers to no entry whose table is held")


_RULES: dict[str, Rule] = {
    "held": _check_held,
    "offer": _check_offer,
    "accept": _check_accept,
    "refuse": _check_refuse,
    "condition": _check_condition,
    "lapse": _check_lapse,
    "correct": _check_correct,
    "acknowledge": _check_acknowledge,
    "reveal": _check_reveal,
    "adopt": _check_adopt,
    "branch": _check_branch,
}
