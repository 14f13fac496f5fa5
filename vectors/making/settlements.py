# SPDX-License-Identifier: Apache-2.0
"""Cases of what is settled: the same record once with the registers that follow, once with those of a misreading."""

from __future__ import annotations

from typing import Any, NamedTuple

from making.case import Case, Cases
from making.dossiers import contents, digest, documents, fingerprints, judged, manifest, sealed
from making.packs import obligation, pack
from making.records import FULL
from making.world import World

_DUE = [obligation("FIXED", {"date": "2027-03-01", "rule": "fixed"})]
_LATER = {"due": "2027-06-01", "obligation": "FIXED"}
_LATEST = {"due": "2027-09-01", "obligation": "FIXED"}


class Moment(NamedTuple):
    """A record as it stands, with everything that a bundle needs."""

    files: dict[str, bytes]
    value: dict[str, Any]
    world: World
    documents: dict[str, Any]
    offers: dict[str, Any]


def moment(world: World) -> Moment:
    """Take down a record; it may go on afterwards."""
    files, found = contents(world, receipts=False), documents(world)
    value = manifest(world, files, {name: digest(document) for name, document in found.items()})
    return Moment(files, value, world, found, _offers(world))


def _offers(world: World) -> dict[str, Any]:
    record = judged(world)
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
        for place, offer in sorted(threads.offers.items())
    }


def bundled(now: Moment, registers: dict[str, Any]) -> dict[str, bytes]:
    """The files of a case: the record of that moment, with the registers that its exporter states."""
    value = {**now.value, "registers": {name: digest(document) for name, document in registers.items()}}
    return {"bundle.servanda": sealed(now.world, now.files, value), "parties.json": fingerprints(now.world)}


def _add(cases: Cases, name: str, sentence: str, now: Moment, misread: Moment, wrong: str) -> None:
    """Two cases: the record as it is, and stated by an exporter who reads the rule otherwise."""
    if now.documents == misread.documents:
        raise ValueError(f"{name}: the misreading makes no difference")
    cases.good(name, sentence, bundled(now, now.documents), {"offers": now.offers}, "#What follows")
    cases.bad(f"{name}-misread", f"{sentence} {wrong}", bundled(now, misread.documents), "#What follows")


_SETTLED = "The registers stated take the offer to have effect."
_OPEN = "The registers stated take the offer to have no effect."


def _world(parties: int = 3, **settlement: Any) -> World:
    names = ("ash", "birch", "cedar", "dogwood", "elm")[:parties]
    rules = {"liars": 0, "quorum": "all", **settlement}
    return World(pack(names, ("extend",), obligations=_DUE, settlement=rules))


def _offered(world: World, *named: str, content: dict[str, str] = _LATER, **members: Any) -> str:
    return world.say("ash", "extend", content, named=list(named), **members)


def _attested(cases: Cases) -> None:
    world = _world(2)
    offer = _offered(world, "birch")
    before = moment(world)
    world.say("birch", "accept", FULL, refers=[offer])
    _add(cases, "two-parties", "Between two parties an accepted offer is settled.", moment(world), before, _OPEN)
    world = _world()
    world.say("birch", "accept", FULL, refers=[_offered(world, "birch")])
    accepted = moment(world)
    world.say("ash", "citation", {}, cite=["cedar"])
    half = moment(world)
    world.say("birch", "citation", {}, cite=["cedar"])
    attested = moment(world)
    sentence = "Accepted between two of three; nobody has cited the third one's receipts."
    _add(cases, "not-attested", sentence, accepted, attested, _SETTLED)
    _add(cases, "offer-attested", "The offer is attested, its acceptance is not.", half, attested, _SETTLED)
    _add(cases, "attested", "Offer and acceptance are attested by the third party.", attested, accepted, _OPEN)
    world = _world()
    world.say("birch", "accept", FULL, refers=[_offered(world, "birch")])
    world.say("ash", "citation", {}, cite=["birch"])
    world.say("birch", "citation", {}, cite=["ash"])
    sentence = "Both sides cite each other's receipts, which count for nothing here."
    _add(cases, "attested-by-the-sides", sentence, moment(world), attested, _SETTLED)
    world = _world()
    world.online = False
    offer = _offered(world, "birch")
    world.hold("birch", "ash")
    world.say("birch", "accept", FULL, refers=[offer])
    world.say("ash", "citation", {}, cite=["cedar"])
    world.say("birch", "citation", {}, cite=["cedar"])
    sentence = "The receipts cited are by the third party, on what was said before."
    _add(cases, "attested-too-early", sentence, moment(world), attested, _SETTLED)


def _named(cases: Cases) -> None:
    world = _world()
    offer = _offered(world, "birch", "cedar")
    world.say("birch", "accept", FULL, refers=[offer])
    one = moment(world)
    world.say("cedar", "accept", FULL, refers=[offer])
    both = moment(world)
    _add(cases, "one-of-two", "One of the two parties named has accepted.", one, both, _SETTLED)
    world = _world()
    offer = _offered(world, "birch", "cedar")
    world.say("birch", "accept", FULL, refers=[offer])
    world.say("cedar", "refuse", {"reason": "too late"}, refers=[offer])
    _add(cases, "refused", "One party named has accepted, the other has refused.", moment(world), both, _SETTLED)


def _quorum(cases: Cases) -> None:
    world = _world(5, quorum=2)
    world.say("birch", "accept", FULL, refers=[_offered(world, "birch")])
    world.say("ash", "citation", {}, cite=["cedar", "elm"])
    world.say("birch", "citation", {}, cite=["cedar"])
    one = moment(world)
    world.say("birch", "citation", {}, cite=["dogwood"])
    two = moment(world)
    sentence = "Five parties, quorum two: one of them attests the acceptance."
    _add(cases, "quorum-missed", sentence, one, two, _SETTLED)
    sentence = "Five parties, quorum two: two attest the offer, and two, not the same, the acceptance."
    _add(cases, "quorum-reached", sentence, two, one, _OPEN)


def _conditions(cases: Cases) -> None:
    outcomes: dict[str, Moment] = {}
    for outcome in ("confirmed", "failed"):
        world = _world(2)
        condition = {"confirmer": "ash", "text": "if the ice holds"}
        accepted = world.say("birch", "accept", {**FULL, "condition": condition}, refers=[_offered(world, "birch")])
        outcomes["open"] = moment(world)
        world.say("ash", "condition", {"outcome": outcome}, refers=[accepted])
        outcomes[outcome] = moment(world)
    good, waiting = outcomes["confirmed"], outcomes["open"]
    _add(cases, "condition-open", "Accepted on a condition that nobody has decided.", waiting, good, _SETTLED)
    _add(cases, "condition-confirmed", "The confirmer says that the condition holds.", good, waiting, _OPEN)
    sentence = "The confirmer says that the condition has failed."
    _add(cases, "condition-failed", sentence, outcomes["failed"], good, _SETTLED)


def _threads(cases: Cases) -> None:
    world = _world(2)
    first = _offered(world, "birch")
    world.online = False
    _offered(world, "birch", content=_LATEST, thread=first)
    world.say("birch", "extend", _LATER, named=["ash"], thread=first)
    world.hold("ash", "birch")
    world.hold("birch", "ash")
    world.online = True
    crossed = moment(world)
    third = world.say("birch", "extend", _LATER, named=["ash"], thread=first)
    world.say("ash", "accept", FULL, refers=[third])
    agreed = moment(world)
    sentence = "Two offers of a thread have crossed: neither covers the other, and both are void."
    _add(cases, "crossed", sentence, crossed, agreed, "The registers stated take one of them to have effect.")
    sentence = "After two offers have crossed, a third one that covers both is accepted."
    _add(cases, "after-crossing", sentence, agreed, crossed, _OPEN)
    world = _world(2)
    first = _offered(world, "birch")
    second = _offered(world, "birch", content=_LATEST, thread=first)
    before = moment(world)
    world.say("birch", "accept", FULL, refers=[second])
    sentence = "The second offer of a thread supersedes the first and is accepted."
    _add(cases, "superseded", sentence, moment(world), before, _OPEN)
    world = _world(2)
    first = _offered(world, "birch")
    before = moment(world)
    world.online = False
    _offered(world, "birch", content=_LATEST, thread=first)
    world.say("birch", "accept", FULL, refers=[first])
    world.hold("ash", "birch")
    sentence = "The first offer was accepted before the second had arrived: what is accepted stays so."
    _add(cases, "accepted-before-superseded", sentence, moment(world), before, _OPEN)


def _lapsing(cases: Cases) -> None:
    def handed() -> tuple[World, str]:
        rules = {"lapse": True, "liars": 0, "quorum": "all"}
        world = World(pack(("ash", "birch", "cedar"), ("declare", "handover"), settlement=rules))
        grams = {"amount": 10, "basis": "stated", "unit": "g"}
        lot = world.say("ash", "declare", {"lots": [{"kind": "cargo", "place": "store", "quantity": grams}]}) + "/0"
        offer = {"lots": [{"lot": lot, "quantity": grams}], "place": "harbour", "receiver": "birch"}
        return world, world.say("ash", "handover", offer, named=["birch"])

    world, offer = handed()
    waiting = moment(world)
    world.say("birch", "accept", FULL, refers=[offer])
    world.say("ash", "citation", {}, cite=["cedar"])
    world.say("birch", "citation", {}, cite=["cedar"])
    cited = moment(world)
    world.say("cedar", "citation", {})
    covered = moment(world)
    sentence = "Where offers may lapse, receipts of the third party are not enough."
    _add(cases, "lapse-receipts", sentence, cited, covered, _SETTLED)
    sentence = "Where offers may lapse, an entry of the third party that covers the acceptance settles it."
    _add(cases, "lapse-covered", sentence, covered, cited, _OPEN)
    world, offer = handed()
    world.say("cedar", "lapse", {"reason": "no answer"}, refers=[offer])
    lapsed = moment(world)
    sentence = "The third party declares the offer lapsed: the lot is where it was."
    _add(cases, "lapsed", sentence, lapsed, waiting, "The registers stated take the lot to be on its way.")
    world, offer = handed()
    world.online = False
    world.say("birch", "accept", FULL, refers=[offer])
    world.say("cedar", "lapse", {"reason": "no answer"}, refers=[offer])
    world.hold("ash", "birch")
    world.hold("ash", "cedar")
    world.say("ash", "citation", {})
    sentence = "The third party declares the offer lapsed before the acceptance has reached it."
    _add(cases, "lapsed-and-accepted", sentence, moment(world), covered, _SETTLED)


def cases() -> list[Case]:
    """Everything of this module."""
    cases = Cases("settlement", "settlement")
    for group in (_attested, _named, _quorum, _conditions, _threads, _lapsing):
        group(cases)
    return cases.made
