# SPDX-License-Identifier: Apache-2.0
"""Is an entry that breaks a rule inadmissible with the code of spec/entry.md, and does it stay without effect?"""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.unit.verifier.build import World, b64, canonical, make_pack, officer, public, sha
from tests.unit.verifier.cases import accounts, declare, discrepancies, hand_over, row, state_of, statuses, verify
from verifier.verify import digest_of

LOTS = {"lots": [row(5)]}
ZERO = "0" * 64


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "admissible"),
        ({"subject": "x" * 501}, "frame"),
        ({"event-at": "2013-2-3"}, "frame"),
        ({"event-at": "2013-02-30"}, "admissible"),
        ({"event-at": "../2014-01"}, "admissible"),
        ({"to": ["ana"]}, "frame"),
        ({"to": ["ben", "ben"]}, "frame"),
        ({"named": []}, "frame"),
        ({"status": "exercise"}, "frame"),
        ({"status": "exercise", "exercise-at": "2026-01-02T03:04:05.125Z"}, "admissible"),
        ({"released-at": "2026-13-02T03:04:05Z"}, "frame"),
        ({"language": "english"}, "frame"),
        ({"as-stated": {"text": "ce mardi", "weekday": "mardi"}}, "frame"),
        ({"number": 6}, "misplaced"),
        ({"agreement": ZERO}, "misplaced"),
        ({"author": "nobody"}, "unknown-key"),
        ({"author": "chief", "releaser": "both"}, "wrong-role"),
        ({"author": "both", "releaser": "desk"}, "wrong-role"),
        ({"author": "both", "releaser": "both", "signers": ["ana/both", "ana/chief"]}, "own-release"),
        ({"author": "both", "releaser": "both"}, "unreadable"),
        ({"releaser": None}, "wrong-role"),
        ({"author": "night", "releaser": None}, "release"),
        ({"author": "centre", "releaser": None}, "release"),
        ({"author": "root", "releaser": None}, "signature"),
        ({"signers": ["ana/desk"]}, "signature"),
        ({"signers": ["ana/desk", "ana/chief", "ana/night"]}, "signature"),
        ({"signers": ["ana/desk", "mallory"]}, "signature"),
        ({"pack": ZERO}, "pack"),
        ({"pack": None}, "pack"),
        ({"format-version": 2}, "format"),
        ({"act": "inquire"}, "act"),
        ({"to": ["zoe"]}, "addressee"),
        ({"refers-to": [{"leaf": ZERO, "number": 1, "party": "ben"}]}, "reference"),
        ({"refers-to": [{"leaf": ZERO, "number": 4, "party": "ana"}]}, "reference"),
        ({"heads": [{"party": "ben", "root": ZERO, "size": 1}]}, "heads"),
        ({"heads": [{"party": "ana", "root": ZERO, "size": 9}]}, "heads"),
        ({"heads": [{"party": "ben", "root": ZERO, "size": 99}]}, "waiting"),
        ({"heads": [{"party": "cas", "root": ZERO, "size": 1}]}, "waiting"),
    ],
)
def test_the_first_step_that_fails_gives_the_code(changes: dict[str, Any], code: str) -> None:
    world = World()
    world.say("ana", "citation", {}, author="centre", releaser=None)  # it has seen all of ben's journal
    d = world.say("ana", "declare", LOTS, **{"heads": [], **changes}) if changes else declare(world, "ana", 5)
    found = verify(world)
    assert state_of(found, d) == code
    assert accounts(found) == ({"held/ana": 5} if code == "admissible" else {})
    assert found.problems == []


@pytest.mark.parametrize(
    ("form", "content", "changes", "code"),
    [
        ("nothing-known", {}, {}, "format"),
        ("report", {"text": "fine"}, {}, "admissible"),
        ("report", {"text": "NOT FINE"}, {}, "content"),
        ("report", {"text": "x" * 101}, {}, "content"),
        ("report", {}, {}, "content"),
        ("report", {"_sd": ["A" * 43]}, {}, "admissible"),
        ("report", {"_sd": ["B" * 43, "A" * 43]}, {}, "content"),
        ("report", {"text": "x", "more": 1}, {}, "content"),
        ("report", {"text": "x", "performs": []}, {}, "content"),
        ("report", {"text": "x", "performs": [{"extent": "part", "obligation": "O1", "done": 2, "of": 1}]}, {},
         "content"),
        ("declare", {"lots": []}, {}, "content"),
        ("declare", {"lots": [{**row(5), "quantity": {"amount": -5, "basis": "stated", "unit": "g"}}]}, {}, "content"),
        ("declare", {"lots": [{**row(5), "quantity": {"amount": 5, "basis": "not-stated", "unit": "g"}}]}, {},
         "content"),
        ("declare", {"lots": [row(5, serial="")]}, {}, "content"),
        ("figure", {"figures": [{"as-of": "soon"}]}, {}, "content"),
        ("citation", {"x": 1}, {"author": "centre", "releaser": None}, "content"),
        ("citation", {}, {}, "release"),
        ("watch-note", {}, {"author": "night", "releaser": None}, "admissible"),
        ("acknowledge", {"disposition": "accepted", "reason": "r"},
         {"act": "acknowledge", "author": "night", "releaser": None}, "acknowledge"),
        ("plan", {}, {"act": "offer", "named": []}, "offer"),
        ("plan", {}, {"act": "offer", "named": ["ana"]}, "offer"),
        ("plan", {}, {"act": "offer", "named": ["zoe"]}, "addressee"),
        ("offer", {"lots": [{"lot": "a/1/0", "quantity": row(1)["quantity"]}], "receiver": "zoe", "place": "x"},
         {"act": "offer", "named": ["ben"]}, "offer"),
        ("accept", {"extent": "full", "received": [], "condition": None}, {"act": "accept"}, "accept"),
        ("refuse", {"reason": "no"}, {"act": "refuse"}, "refuse"),
        ("condition", {"outcome": "confirmed"}, {}, "condition"),
        ("correct", {"content": {}, "reason": "r"}, {"act": "correct"}, "correct"),
        ("reveal", {"disclosures": ["abc"]}, {"act": "reveal"}, "reveal"),
        ("adopt", {"pack": ZERO}, {"act": "accept", "pack": None}, "waiting"),
        ("adopt", {"pack": 1}, {"act": "accept", "pack": None}, "content"),
    ],
)  # fmt: skip
def test_contents_are_judged_by_their_format(form: str, content: Any, changes: Any, code: str) -> None:
    world = World()
    said = world.say("ana", form, content, **changes)
    found = verify(world)
    assert state_of(found, said) == code
    assert found.problems == []


def test_a_party_that_may_not_send_a_format_is_refused() -> None:
    pack = make_pack(["ana", "ben"])
    next(f for f in pack["formats"] if f["id"] == "report")["may-send"] = ["ben"]
    world = World(pack=pack)
    ana, ben = (world.say(p, "report", {"text": "x"}) for p in ("ana", "ben"))
    found = verify(world)
    assert (state_of(found, ana), state_of(found, ben)) == ("sender", "admissible")


def test_nothing_is_judged_by_a_pack_that_a_party_has_not_adopted() -> None:
    world = World(("ana", "ben", "cas"), adopt=False)
    for p in ("ana", "ben"):
        world.say(p, "adopt", {"pack": world.agreement}, act="accept", pack=None)
    early = world.say("ana", "report", {"text": "x"}, pack=world.agreement)
    again = world.say("ana", "adopt", {"pack": world.agreement}, act="accept", pack=None)
    world.say("cas", "adopt", {"pack": world.agreement}, act="accept", pack=None)
    blind = world.say("ana", "report", {"text": "x"}, pack=world.agreement, sees={})
    seeing = world.say("ana", "report", {"text": "x"}, pack=world.agreement)
    found = verify(world)
    assert [state_of(found, x) for x in (early, again, blind, seeing)] == ["pack", "pack", "pack", "admissible"]


def test_a_pack_takes_over_when_all_of_both_have_adopted_it() -> None:
    world = World()
    new = canonical(make_pack(["ana", "ben"], edition="2", replaces=world.agreement))
    digest = sha(new)
    world.packs[digest] = new
    world.say("ana", "adopt", {"pack": digest}, act="accept", pack=None)
    old = world.say("ana", "report", {"text": "x"})
    world.say("ben", "adopt", {"pack": digest}, act="accept", pack=None)
    late, right = (world.say("ana", "report", {"text": "x"}, pack=p) for p in (world.agreement, digest))
    found = verify(world)
    assert [state_of(found, x) for x in (old, late, right)] == ["admissible", "pack", "admissible"]


def test_officers_that_are_no_longer_stated_are_retired_and_new_ones_hold_from_the_next_entry() -> None:
    world = World()
    c = world.centres["ana"]
    c.officers = [officer("ana", "desk-2", "author"), officer("ana", "chief", "release")]
    c.keys = {"centre": "ana/centre-2", "receipt": "ana/receipt-2"}
    before, c.roots = c.roots, ["ana/root-2", "ana/root-3"]
    world.identity("ana", signers=[*before, "ana/root-3"])
    old, new = declare(world, "ana", 1), declare(world, "ana", 2, author="desk-2")
    cited = world.say("ana", "citation", {}, author="centre", releaser=None)
    found = verify(world)
    assert found.problems == []
    assert [state_of(found, x) for x in (old, new, cited)] == ["retired-key", "admissible", "admissible"]


@pytest.mark.parametrize(
    ("signers", "changes", "code"),
    [
        (["ana/root-1", "ana/root-2"], {}, "admissible"),
        (["ana/root-1"], {}, "signature"),
        (["ana/root-1", "ana/mallory"], {}, "signature"),
        (["ana/root-1", "ana/root-2"], {"to": ["ben"]}, "identity"),
        (["ana/root-1", "ana/root-2"], {"pack": ZERO}, "identity"),
        (["ana/desk", "ana/chief"], {"author": "desk", "releaser": "chief"}, "identity"),
    ],
)
def test_an_identity_is_stated_by_root_keys_and_rests_on_nothing(signers: Any, changes: Any, code: str) -> None:
    world = World()
    said = world.identity("ana", signers=signers, **changes)
    assert state_of(verify(world), said) == code


def test_new_root_keys_are_signed_for_by_the_old_and_the_new() -> None:
    for signers, code in ((["ana/new-1", "ana/new-2"], "signature"), (["ana/root-1", "ana/root-2"], "signature")):
        world = World()
        world.centres["ana"].roots = ["ana/new-1", "ana/new-2"]
        said = world.identity("ana", signers=signers)
        assert state_of(verify(world), said) == code
    world = World()
    world.centres["ana"].roots = ["ana/new-1", "ana/new-2"]
    said = world.identity("ana", signers=["ana/new-1", "ana/new-2", "ana/root-1", "ana/root-2"])
    assert state_of(verify(world), said) == "admissible"


def test_a_key_that_stands_twice_breaks_the_identity() -> None:
    world = World()
    double = {**officer("ana", "other", "watch"), "public": b64(public("ana/desk"))}
    world.centres["ana"].officers.append(double)
    said = world.identity("ana", signers=world.centres["ana"].roots)
    assert state_of(verify(world), said) == "identity"


# receipts


def test_a_receipt_is_by_the_receipt_key_and_newer_than_the_one_cited() -> None:
    world = World()
    cases: list[tuple[dict[str, Any], str]] = [
        (world.receipt("ana", "ben", 3, signer="ben/centre"), "receipt"),
        (world.receipt("ana", "ben", 2), "receipt"),  # the citation before it has this size
        ({**world.receipt("ana", "ben", 2), "size": 3}, "receipt"),
        (world.receipt("ana", "ben", 3), "admissible"),
        (world.receipt("ana", "ben", 3), "receipt"),  # cited just before
    ]
    said = [world.say("ana", "citation", {}, author="centre", releaser=None, receipts=[r]) for r, _ in cases]
    assert [state_of(verify(world), x) for x in said] == [code for _, code in cases]


def test_a_receipt_on_the_entry_itself_or_dated_anew_does_not_count() -> None:
    world = World()
    r = world.receipt("ana", "ben", 3, stamp=1_700_000_000)
    other = world.receipt("ana", "ben", 3, stamp=1_600_000_000)
    mixed = {**r, "cosignature": b64(from64(r)[:12][:4] + from64(other)[4:12] + from64(r)[12:])}
    back_dated = world.say("ana", "citation", {}, author="centre", releaser=None, receipts=[mixed])
    own = world.say("ana", "citation", {}, author="centre", releaser=None, receipts=[{**r, "size": 5}])
    found = verify(world)
    assert [state_of(found, x) for x in (back_dated, own)] == ["receipt", "receipt"]


def from64(receipt: dict[str, Any]) -> bytes:
    return base64.b64decode(receipt["cosignature"])


@pytest.mark.parametrize(("stamp", "code"), [(1_700_000_000, "admissible"), (1_900_000_000, "receipt")])
def test_a_retired_receipt_key_counts_for_what_it_signed_before_it_was_retired(stamp: int, code: str) -> None:
    world = World()
    world.centres["ben"].keys["receipt"] = "ben/receipt-2"
    world.identity("ben", signers=world.centres["ben"].roots)  # released 2026-01-02
    old = world.receipt("ana", "ben", 3, stamp=stamp, signer="ben/receipt")
    said = world.say("ana", "citation", {}, author="centre", releaser=None, receipts=[old])
    assert state_of(verify(world), said) == code


def test_a_new_receipt_key_does_not_count_before_its_identity_is_covered() -> None:
    world = World()
    world.centres["ben"].keys["receipt"] = "ben/receipt-2"
    world.identity("ben", signers=world.centres["ben"].roots)
    early, late = (world.receipt("ana", "ben", n, signer="ben/receipt-2") for n in (3, 3))
    first = world.say("ana", "citation", {}, author="centre", releaser=None, receipts=[early], sees={})
    second = world.say("ana", "citation", {}, author="centre", releaser=None, receipts=[late])
    assert [state_of(verify(world), x) for x in (first, second)] == ["receipt", "admissible"]


# heads and pasts


def test_a_past_that_is_not_closed_is_refused_and_leaves_the_heads_unchanged() -> None:
    world = World(("ana", "ben", "cas"))
    declare(world, "cas", 1)
    declare(world, "ben", 1)  # covers what cas has just said
    size = len(world.centres["ben"].leaves)
    open_past = world.say("ana", "report", {"text": "x"}, sees={"ben": size})
    world.centres["ana"].heads["ben"] = 3
    closed = world.say("ana", "report", {"text": "x"})
    found = verify(world)
    assert [state_of(found, x) for x in (open_past, closed)] == ["heads", "admissible"]


def test_who_rests_on_what_waits_waits_too_and_all_that_follows() -> None:
    world = World()
    declare(world, "ana", 1, heads=[{"party": "ben", "root": ZERO, "size": 99}])
    declare(world, "ana", 1, heads=[])
    declare(world, "ben", 1)
    found = verify(world)
    assert statuses(found, "ana")[3:] == ["waiting", "waiting"]
    assert statuses(found, "ben")[3:] == ["waiting"]
    assert found.problems == []


# offers


def test_offers_of_one_thread_that_crossed_are_both_void() -> None:
    world = World()
    one = world.offer("ana", "plan", {}, ["ben"])
    two, three = (world.offer(p, "plan", {}, [q], thread=one) for p, q in (("ana", "ben"), ("ben", "ana")))
    counter = world.offer("ana", "plan", {}, ["ben"], thread=one, sees={})
    late = [world.accept("ben", counter), world.accept("ana", three), world.accept("ben", two)]
    found = verify(world)
    assert [state_of(found, x) for x in late] == ["accept", "accept", "accept"]


def test_the_last_offer_of_a_thread_is_the_one_to_accept_and_once() -> None:
    world = World()
    one = world.offer("ana", "plan", {}, ["ben"])
    two = world.offer("ben", "plan", {}, ["ana"], thread=one)
    said = [world.accept("ben", one), world.accept("ana", two), world.accept("ana", two), world.refuse("ana", two)]
    found = verify(world)
    assert [state_of(found, x) for x in said] == ["accept", "admissible", "accept", "refuse"]
    assert found.counts["offers with effect"] == 1


def test_a_thread_keeps_its_members_and_its_format() -> None:
    world = World(("ana", "ben", "cas"))
    one = world.offer("ana", "plan", {}, ["ben"])
    bad = [
        world.offer("cas", "plan", {}, ["ana", "ben"], thread=one),
        world.offer("ben", "plan-b", {}, ["ana"], thread=one),
        world.offer("ben", "plan", {}, ["cas"], thread=one),
    ]
    found = verify(world)
    assert [state_of(found, x) for x in bad] == ["offer"] * 3


def test_a_conditional_acceptance_takes_effect_when_its_confirmer_says_so() -> None:
    for outcome, number in (("confirmed", 1), ("failed", 0)):
        world = World(("ana", "ben", "cas"))
        a = world.accept("ben", world.offer("ana", "plan", {}, ["ben"]), condition={"confirmer": "cas", "text": "if"})
        other = world.say("ben", "condition", {"outcome": "confirmed"}, **{"refers-to": [a]})
        world.cite("ana")
        world.cite("ben")
        assert verify(world).counts["offers with effect"] == 0
        world.say("cas", "condition", {"outcome": outcome}, **{"refers-to": [a]})
        again = world.say("cas", "condition", {"outcome": "confirmed"}, **{"refers-to": [a]})
        found = verify(world)
        assert found.counts["offers with effect"] == number
        assert [state_of(found, x) for x in (other, again)] == ["condition", "condition"]


def test_part_of_an_offer_is_in_its_order_and_not_more_than_was_offered() -> None:
    world = World()
    d = declare(world, "ana", 10, 20)
    o = hand_over(world, "ana", "ben", (f"{d}/0", 10), (f"{d}/1", 20))
    rows = [{"lot": f"{d}/{i}", "quantity": row(n)["quantity"]} for i, n in ((0, 10), (1, 20))]
    bad = [
        world.accept("ben", o, x)
        for x in (rows[:1], rows[::-1], [rows[0], {**rows[1], "quantity": row(21)["quantity"]}])
    ]
    good = world.accept("ben", o, rows)
    found = verify(world)
    assert [state_of(found, x) for x in [*bad, good]] == ["accept"] * 3 + ["admissible"]
    assert accounts(found) == {"held/ben": 30}
    assert discrepancies(found) == []


@pytest.mark.parametrize(("quorum", "settled"), [("all", 0), (2, 1)])
def test_a_quorum_of_the_others_settles(quorum: Any, settled: int) -> None:
    world = World(("ana", "ben", "cas", "dan", "eva"), quorum=quorum)
    world.accept("ben", world.offer("ana", "plan", {}, ["ben"]))
    world.cite("ana", ["cas", "dan"])
    world.cite("ben", ["dan", "eva"])
    assert verify(world).counts["offers with effect"] == settled


def test_a_reveal_answers_to_a_digest_of_the_entry_it_opens() -> None:
    world = World()
    opening, other = (disclosure([SALT, "text", word]) for word in ("open", "shut"))
    said = world.say("ana", "report", {"_sd": [digest_of(opening)]})
    good, bad = (
        world.say("ana", "reveal", {"disclosures": [x]}, act="reveal", **{"refers-to": [said]})
        for x in (opening, other)
    )
    found = verify(world)
    assert [state_of(found, x) for x in (good, bad)] == ["admissible", "reveal"]
    files = world.files()
    line = {"disclosure": opening, "entry": said.json}
    assert verify(world, world.bundle({**files, "openings/ana.jsonl": canonical(line) + b"\n"})).problems == []
    wrong = {**files, "openings/ana.jsonl": canonical({**line, "disclosure": other}) + b"\n"}
    assert verify(world, world.bundle(wrong)).problems[0].where == "openings/ana.jsonl"


SALT = "A" * 22


def disclosure(value: Any) -> str:
    return base64.urlsafe_b64encode(canonical(value)).decode().rstrip("=")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ([SALT, "a", {"b": 1}], "admissible"),
        (["A" * 20, "a", 1], "reveal"),
        ([SALT, "_sd", 1], "reveal"),
        ([SALT, "...", 1], "reveal"),
        ([SALT, 3, 1], "reveal"),
        ([SALT, "a"], "reveal"),
        (["!" * 30, "a", 1], "reveal"),
        ([5, "a", 1], "reveal"),
        ([SALT, "a", 1.5], "reveal"),
        ("x", "reveal"),
    ],
)
def test_a_reveal_carries_disclosures_and_nothing_else(value: Any, code: str) -> None:
    world = World()
    said = world.say("ana", "report", {"_sd": [digest_of(disclosure(value))]})
    opened = world.say("ana", "reveal", {"disclosures": [disclosure(value)]}, act="reveal", **{"refers-to": [said]})
    assert state_of(verify(world), opened) == code
