# SPDX-License-Identifier: Apache-2.0
"""Short ways to say things in a small world, and to have them verified."""

from __future__ import annotations

from typing import Any

from tests.unit.verifier.build import Ref, World, canonical, sha
from verifier.verify import Dossier, Problem


def grams(amount: int | None = None, unit: str = "g") -> dict[str, Any]:
    return (
        {"basis": "not-stated", "unit": unit} if amount is None else {"amount": amount, "basis": "stated", "unit": unit}
    )


def row(amount: int | None = None, kind: str = "mustard", place: str = "depot", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "place": place, "quantity": grams(amount), **more}


def declare(world: World, party: str, *amounts: int | None, **changes: Any) -> Ref:
    return world.say(party, "declare", {"lots": [row(a) for a in amounts]}, **changes)


def hand_over(world: World, giver: str, receiver: str, *lots: tuple[str, int | None], **changes: Any) -> Ref:
    rows = [{"lot": name, "quantity": grams(amount)} for name, amount in lots]
    content = {"lots": rows, "receiver": receiver, "place": "port"}
    return world.offer(giver, "offer", content, [receiver], **changes)


def received(*lots: tuple[str, int]) -> list[dict[str, Any]]:
    return [{"lot": name, "quantity": grams(amount)} for name, amount in lots]


def verify(world: World, raw: bytes | None = None, expect: dict[str, int] | None = None) -> Dossier:
    return Dossier(world.bundle(world.files()) if raw is None else raw, world.pins, expect or {}, False)


def true_registers(world: World) -> dict[str, str]:
    """The digests of the registers as the verifier computes them: what they should be is tested apart from this."""
    found = verify(world)
    assert found.problems == []
    return {name: sha(canonical(value)) for name, value in found.registers.items()}


def statuses(found: Dossier, party: str) -> list[str]:
    return [e.code or e.status for e in found.journals[party].entries]


def state_of(found: Dossier, ref: Ref) -> str:
    e = found.journals[ref.party].entries[ref.number - 1]
    return e.code or e.status


def accounts(found: Dossier) -> dict[str, int]:
    return {x["account"]: x["stated"] + x["derived"] for x in found.registers["custody"]["accounts"]}


def discrepancies(found: Dossier) -> list[tuple[str, str, str | None]]:
    return [(x["code"], x["entry"], x["lot"]) for x in found.registers["custody"]["discrepancies"]]


def lot(found: Dossier, name: str) -> dict[str, Any] | None:
    return next((x for x in found.registers["custody"]["lots"] if x["lot"] == name), None)


def first(found: Dossier) -> Problem:
    assert found.problems, "nothing was found wrong"
    return found.problems[0]


def busy_world() -> World:
    """Two parties; a declaration, a split, a handover in part, a refusal, a destruction."""
    world = World()
    d = declare(world, "ana", 1000, 500, None)
    s = world.say("ana", "split", {"lot": f"{d}/0", "parts": [row(400)]})
    o = hand_over(world, "ana", "ben", (f"{s}/0", 400), (f"{d}/1", 500))
    world.accept("ben", o, received((f"{s}/0", 400), (f"{d}/1", 450)))
    world.cite("ana")
    world.refuse("ben", hand_over(world, "ana", "ben", (f"{d}/0", 600)))
    content = {
        "lots": received((f"{s}/0", 400)),
        "method": "heat",
        "place": "port",
        "evidence": [],
        "residue": [row(7)],
    }
    world.accept("ana", world.offer("ben", "destroy", content, ["ana"]))
    world.say("ana", "report", {"text": "all done"})
    world.cite("ben")
    world.cite("ana")
    return world
