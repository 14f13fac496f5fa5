# SPDX-License-Identifier: Apache-2.0
"""The latest contacts of a party are its list, and it is said how old they are."""

from __future__ import annotations

from servanda.operations.casework import COMMANDS
from tests.rig.packs import channel
from tests.rig.world import World

DAY = 86_400


def listed(*names: str) -> dict[str, object]:
    return {"contacts": [{"id": name, "reach": f"{name}@example.org", "title": f"The {name}"} for name in names]}


def test_the_latest_list_replaces_the_one_before_in_its_own_order() -> None:
    w = World(channel(**{"contacts-days": 10}))
    assert w.centres["ash"].contacts.of("birch") is None
    assert w.centres["ash"].contacts.identifiers("birch") == ()
    w.say("birch", "contacts", listed("watch"))
    w.say("birch", "contacts", listed("night-desk", "deputy"))
    w.sync()
    for centre in (w.centres["ash"], w.reopened("ash")):
        assert centre.contacts.identifiers("birch") == ("night-desk", "deputy")
        assert centre.contacts.identifiers("ash") == ()


def test_contacts_are_shown_with_their_age_and_stale_after_the_days_of_the_pack() -> None:
    w = World(channel(**{"contacts-days": 10}))
    w.say("birch", "contacts", listed("watch"), status="exercise")
    w.sync()
    centre = w.centres["ash"]

    def shown() -> dict[str, object]:
        ash, birch = COMMANDS["contacts"](centre, {})
        assert (ash["party"], ash["contacts"], ash["stale"], ash["age-days"]) == ("ash", [], None, None)
        return {name: birch[name] for name in ("age-days", "stale", "status", "entry")}

    assert shown() == {"age-days": 0, "stale": False, "status": "exercise", "entry": "birch/3"}
    w.clock.seconds += 10 * DAY - 60
    assert shown()["stale"] is False
    w.clock.seconds += 120
    assert (shown()["stale"], shown()["age-days"]) == (True, 10)
    assert COMMANDS["watch"](centre, {})["contacts-stale"] == ["birch"]


def test_a_list_of_an_exercise_does_not_replace_the_actual_one() -> None:
    w = World(channel())
    w.say("birch", "contacts", listed("drill"), status="exercise")
    assert w.centres["birch"].contacts.identifiers("birch") == ("drill",)
    w.say("birch", "contacts", listed("watch"))
    w.say("birch", "contacts", listed("another-drill"), status="exercise")
    for centre in (w.centres["birch"], w.reopened("birch")):
        assert centre.contacts.identifiers("birch") == ("watch",)
