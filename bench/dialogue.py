# SPDX-License-Identifier: Apache-2.0
"""Pages of a centre that keeps 200 agreements and 100,000 entries: how long a warm process takes for each.

The floor of a page is writing its document as JSON. Run: `.venv/bin/python -m bench.dialogue`.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Iterator
from typing import Any

import msgspec

from bench.floors import ranked
from bench.journals import absorb
from servanda.journal.acceptance import prepare
from servanda.journal.frame import Frame, Head, Reference
from servanda.operations.centre import Centre
from servanda.operations.desk import dispatch
from servanda.operations.drafting import Draft, compose, seal_envelope
from servanda.proof.merkle import leaf_hash
from servanda.registers.agreements.fold import digest_of
from tests.rig.parley import contact, parley, person, statement, task, text_of
from tests.rig.world import World

WORDS = (
    *("open", "water", "fish", "boats", "nets", "shore", "ice", "spring", "harvest"),
    *("treaty", "channel", "pier", "night", "signal", "list", "visit", "count", "seal"),
)
TOPICS = 100
DUTIES = ("FIXED", "AFTER", "BEFORE", "SHARE", "MONTHLY")
Said = tuple[str, dict[str, Any], dict[str, Any]]
"""Format, content, and what else stands in the frame."""
PAGES: dict[str, dict[str, Any]] = {
    "topics": {},
    "topic": {"topic": "topic-7"},
    "account": {"phrase": "topic-3"},
    "account, by words": {"command": "account", "phrase": "harvest w1232"},
    "sources": {},
    "meetings": {},
    "bodies": {},
    "tasks": {"open": True},
    "requests": {},
    "commitments": {},
    "commitments of a year": {"command": "commitments", "year": 2013},
    "texts": {},
    "agreement-status": {},
    "agreement-status of one": {"command": "agreement-status", "document": "pact-7"},
    "agreement-history": {"document": "pact-7"},
    "due": {},
    "review": {"contact": "contact-7-5"},
    "brief": {"body": "commission", "on": "2013-06-01"},
    "obligations": {},
    "alerts": {},
    "accounting": {},
    "status": {},
    "log": {},
}


def day(number: int) -> str:
    return f"{2010 + number % 4}-{1 + number % 12:02d}-{1 + number % 28:02d}"


def words(number: int) -> str:
    return " ".join(WORDS[(number * 7 + step * step) % len(WORDS)] for step in range(12)) + f" w{number % 5000}"


def common(number: int, party: str) -> Said:
    """An entry of the great mass: a position, a statement, a contact, a task, its end, a mark, a report."""
    name, topic = f"{party}-{number}", f"topic-{number % TOPICS}"
    match number % 10:
        case 0 | 1:
            return "position", {"topic": topic, "kind": "position", "words": words(number)}, {}
        case 2 | 3 | 4:
            return "statement", statement(words(number), on=day(number), topics=[topic], quoted=False), {}
        case 5 | 6:
            outcomes = [{"topic": topic, "outcome": "noted"}]
            told = contact(
                f"contact-{number // 10}-{number % 10}", outcomes=outcomes, agenda=[topic], body="commission"
            )
            return "contact", told, {}
        case 7:
            return "task", task(name, topics=[topic], due=day(number), by=person("head")), {}
        case 8:
            ended = {"task": f"{party}-{number - 1}", "state": "done" if number % 1000 > 100 else "open", "text": ""}
            return "progress", ended, {}
    if number % 20 == 19:
        performed = {"done": 1 + number % 4, "extent": "part", "obligation": DUTIES[number % 5], "of": 4}
        return "report", {"performs": [performed], "text": words(number)}, {}
    made = {"commitment": f"promise-{number % 500}", "mark": number % 4, "as-of": day(number), "evidence": []}
    return "mark", {**made, "text": words(number)}, {}


def opening(agreements: int) -> Iterator[Said]:
    """What the first party says before the mass: topics, promises, and the texts of the agreements."""
    for number in range(TOPICS):
        yield "topic", {"topic": f"topic-{number}", "names": [{"language": "en", "text": f"Topic {number}"}]}, {}
    for number in range(500):
        promise = {"commitment": f"promise-{number}", "text": words(number), "owners": ["ash"], "due": day(number)}
        yield "commitment", {**promise, "scale": "implementation"}, {}
    for number in range(agreements):
        yield "text", agreement_text(number), {"named": ("birch",)}


def agreement_text(number: int) -> dict[str, Any]:
    texts = {f"c{clause}": words(number * 40 + clause) for clause in range(40)}
    return {**text_of(f"pact-{number}", **texts), "until": "2030-01-01", "warn-days": [90]}


def build(entries: int, agreements: int) -> Centre:
    """The centre of ash, with as many entries in both journals together."""
    world = World(parley())
    ash, birch = world.centres["ash"], world.centres["birch"]
    half = entries // 2
    first = list(opening(agreements))
    mine = leaves(ash, [*first, *(common(number, "ash") for number in range(half - len(first)))])
    absorb(ash, mine)
    start = ash.journal.size - len(mine)
    answers: list[Said] = []
    for index, (form, content, _) in enumerate(first):
        if form == "text":
            refers = (Reference("ash", start + index + 1, leaf_hash(mine[index]).hex()),)
            accepted = {"condition": None, "extent": "full", "received": []}
            answers.append(("accept", accepted, {"refers_to": refers, "act": "accept"}))
            changed = {**content, "amends": [digest_of(content)], "until": "2031-01-01"}
            answers.append(("text", changed, {"named": ("ash",)}))
    size = ash.journal.size
    head = Head("ash", ash.journal.tree.root(size).hex(), size)
    theirs = leaves(birch, [*answers, *(common(number, "birch") for number in range(half - len(answers)))], head)
    hold(ash, "birch", theirs)
    return ash


def leaves(centre: Centre, said: list[Said], head: Head | None = None) -> list[bytes]:
    """Signed leaves that come next in a centre's journal; the first covers `head`."""
    draft = Draft(format="note", subject="bench", event_at="2014-01-10", author="desk", content={"text": "x"})
    frame: Frame = compose(centre, draft, "chief")
    signers = [centre.signers.officers["desk"], centre.signers.officers["chief"]]
    made = []
    for offset, (form, content, members) in enumerate(said):
        act = "offer" if "named" in members else "notify"
        heads = ((head,) if head else frame.heads) if offset == 0 else ()
        told = {"format": form, "content": content, "act": act, "number": frame.number + offset, "heads": heads}
        told |= {"receipts": frame.receipts if offset == 0 else (), "event_at": day(offset)}
        made.append(seal_envelope(centre, msgspec.structs.replace(frame, **{**told, **members}), signers))
    return made


def hold(centre: Centre, party: str, made: list[bytes]) -> None:
    """Let a centre hold leaves of another journal in memory."""
    centre.absorb(party, [prepare(leaf) for leaf in made])


def measure(entries: int, agreements: int = 200, times: int = 7) -> dict[str, Any]:
    """Each page `times` over: milliseconds p50 and the greatest, size, and the ratio to writing it as JSON.

    Times are those of the process, so that what else the machine does is left out.
    """
    begun = time.perf_counter()
    centre = build(entries, agreements)
    built = time.perf_counter() - begun
    gc.freeze()  # as a station does when it has opened its record
    judged = sum(len(journal.entries) for journal in centre.record.journals.values())
    wrong = sum(1 for entry in centre.record.log if not entry.admissible)
    without = len(centre.dialogue.discrepancies) + len(centre.agreements.discrepancies)
    found: dict[str, Any] = {
        "entries judged / inadmissible / without effect": f"{judged} / {wrong} / {without}",
        "agreements": len(centre.agreements.documents),
        "made, judged and folded, s": round(built, 1),
    }
    for name, arguments in PAGES.items():
        request = {"command": name, **arguments}
        dispatch(centre, request)
        taken = []
        for _ in range(times):
            begun = time.process_time()
            result = dispatch(centre, request)
            taken.append(time.process_time() - begun)
        begun = time.process_time()
        text = json.dumps(result)
        floor = time.process_time() - begun
        middle, _ = ranked(taken)
        told = f"{middle * 1e3:.1f} / {max(taken) * 1e3:.1f} / {len(text) / 1024:.0f} / {middle / floor:.1f}"
        found[f"{name}: ms p50 / ms greatest / KiB / times its JSON"] = told
    centre.agreements.rows.clear()
    begun = time.process_time()
    dispatch(centre, {"command": "agreement-status"})
    found["agreement-status, the first of a day, ms"] = round((time.process_time() - begun) * 1e3, 1)
    return found


if __name__ == "__main__":
    import sys

    for key, value in measure(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000).items():
        print(key, value)
