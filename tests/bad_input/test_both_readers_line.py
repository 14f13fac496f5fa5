# SPDX-License-Identifier: Apache-2.0
"""Odd entries of the line (spec/alerts.md): both readers come to the same verdict, and no register dies of one."""

from __future__ import annotations

from typing import Any

import pytest

from servanda.registers.alerts.fold import AlertsRegister
from servanda.registers.alerts.views import alerts_bytes
from tests.bad_input.test_both_readers import agreed
from tests.dossier.forgery import PARTIES
from tests.rig.packs import channel
from tests.rig.pen import insert, leaf_by_hand, refer
from tests.rig.world import World

Content = dict[str, Any]
CENTRE = {"author": "centre", "releaser": None}
DUTY = {"author": "duty", "releaser": None}
OPENED = {"disposition": "opened", "reason": ""}
TO_ALERT = {"refers_to": "alert"}
URGENT = {"class": "urgent", "text": "x"}
ESCALATION = {"action": "escalation", "clock": "answer", "contact": None, "party": "birch", "step": 1}
CONTACT = {"id": "watch", "reach": "", "title": "Watch"}
REGIME = {"formats": [], "reason": "r", "since": "2014-01-01", "state": "suspended"}

# name: (format, act, content, other members of the frame)
SAID: dict[str, tuple[str, str, Content, dict[str, Any]]] = {
    "a link test": ("link-test", "inquire", {}, CENTRE),
    "a link test with content": ("link-test", "inquire", {"x": 1}, CENTRE),
    "a link test by an officer": ("link-test", "inquire", {}, DUTY),
    "a link test that notifies": ("link-test", "notify", {}, CENTRE),
    "a link answer to nothing": ("link-answer", "answer", {}, CENTRE),
    "a link answer by two": ("link-answer", "answer", {}, {}),
    "an escalation of nothing": ("escalation", "notify", ESCALATION, CENTRE),
    "an escalation by officers": ("escalation", "notify", ESCALATION, {}),
    "an escalation of an unknown clock": ("escalation", "notify", {**ESCALATION, "clock": "tea"}, CENTRE),
    "an escalation of step 1,001": ("escalation", "notify", {**ESCALATION, "step": 1001}, CENTRE),
    "an escalation of step -1": ("escalation", "notify", {**ESCALATION, "step": -1}, CENTRE),
    "an escalation to a contact that is no id": ("escalation", "notify", {**ESCALATION, "contact": "W!"}, CENTRE),
    "an escalation with a member less": ("escalation", "notify", {"action": "reminder"}, CENTRE),
    "contacts": ("contacts", "notify", {"contacts": [CONTACT]}, {}),
    "no contacts": ("contacts", "notify", {"contacts": []}, {}),
    "51 contacts": ("contacts", "notify", {"contacts": [CONTACT] * 51}, {}),
    "a contact without title": ("contacts", "notify", {"contacts": [{**CONTACT, "title": ""}]}, {}),
    "a contact of 501 characters": ("contacts", "notify", {"contacts": [{**CONTACT, "reach": "x" * 501}]}, {}),
    "contacts by the centre": ("contacts", "notify", {"contacts": [CONTACT]}, CENTRE),
    "a regime": ("regime", "notify", REGIME, {}),
    "a regime of a format twice": ("regime", "notify", {**REGIME, "formats": ["warn", "warn"]}, {}),
    "a regime of an unknown format": ("regime", "notify", {**REGIME, "formats": ["whales"]}, {}),
    "a regime since no day": ("regime", "notify", {**REGIME, "since": "2014-02-30"}, {}),
    "a regime since a month": ("regime", "notify", {**REGIME, "since": "2014-02"}, {}),
    "a regime in another state": ("regime", "notify", {**REGIME, "state": "frozen"}, {}),
    "a regime without reason": ("regime", "notify", {**REGIME, "reason": ""}, {}),
    "an acknowledgement in another way": (
        "acknowledge",
        "acknowledge",
        {"disposition": "glanced", "reason": ""},
        {**DUTY, "refers_to": "alert"},
    ),
    "an opening": ("acknowledge", "acknowledge", OPENED, {**DUTY, **TO_ALERT}),
    "an alert of an unknown class": ("warn", "notify", {"class": "whales", "text": "x"}, DUTY),
    "an alert whose class is no id": ("warn", "notify", {"class": "W!", "text": "x"}, DUTY),
    "an alert without class": ("warn", "notify", {"text": "x"}, DUTY),
    "an alert to nobody": ("warn", "notify", URGENT, {**DUTY, "precedence": "flash"}),
    "an alert due on no day": (
        "warn",
        "notify",
        {**URGENT, "answer-by": "2026-02-30T00:00:00Z"},
        {**DUTY, "precedence": "flash", "to": ["birch"]},
    ),
    "an alert due long ago": (
        "warn",
        "notify",
        {**URGENT, "answer-by": "0001-01-01T00:00:00Z"},
        {**DUTY, "precedence": "flash", "to": ["birch"]},
    ),
    "an alert due in the last second there is": (
        "warn",
        "notify",
        {**URGENT, "answer-by": "9999-12-31T23:59:59Z"},
        {**DUTY, "precedence": "flash", "to": ["birch"]},
    ),
    "an alert due at no hour": ("warn", "notify", {**URGENT, "answer-by": "2026-02-03T24:00:00Z"}, DUTY),
    "an alert due on a day": ("warn", "notify", {**URGENT, "answer-by": "2026-02-03"}, DUTY),
    "an alert released in the last second there is": (
        "warn",
        "notify",
        {"class": "urgent", "text": "x"},
        {**DUTY, "precedence": "flash", "to": ["birch"], "released_at": "9999-12-31T23:59:59Z"},
    ),
    "a code that is no word": ("code", "notify", {"word": "lake", "number": 7}, DUTY),
    "a code of number 0": ("code", "notify", {"word": "LAKE", "number": 0}, DUTY),
    "a code that is not in the book": ("code", "notify", {"word": "SEA", "number": 7}, DUTY),
    "an answer to nothing": ("tell", "answer", {"text": "x"}, {}),
    "an assessment of nothing": ("assess", "notify", {"assessment": "sufficient", "reason": "r"}, {}),
    "an assessment in another word": ("assess", "notify", {"assessment": "fine", "reason": "r"}, TO_ALERT),
    "a meeting on no day": ("meet", "notify", {"on": "2026-02-30"}, {"refers_to": "alert"}),
    "a meeting in the year 0": ("meet", "notify", {"on": "0000-01-01"}, {"refers_to": "alert"}),
    "a meeting on a text": ("meet", "notify", {"on": "Monday"}, {"refers_to": "alert"}),
    "a closure of another's case": ("close", "notify", {"reason": "r"}, TO_ALERT),
    "a closure without reason": ("close", "notify", {"reason": ""}, {"refers_to": "alert"}),
    "an exchange in the open": ("swap", "notify", {"round": "one", "list": "x"}, {}),
    "an exchange without round": ("swap", "notify", {"list": "x"}, {}),
    "an exchange that is sealed whole": ("swap", "notify", {"_sd": ["A" * 43]}, {}),
}  # fmt: skip


@pytest.mark.parametrize("name", SAID)
def test_an_entry_of_the_line_is_read_alike(name: str) -> None:
    world = World(channel(PARTIES))
    other = next(party for party in PARTIES if party != "ash")
    alert = world.alone(other, "warn", {"class": "urgent", "text": "x"}, to=["ash"], precedence="flash")
    world.sync()
    form, act, content, members = SAID[name]
    if members.get("refers_to") == "alert":
        members = {**members, "refers_to": [refer(alert)]}
    ash = world.centres["ash"]
    entry = insert(ash, leaf_by_hand(ash, format=form, act=act, content=content, **members))
    assert entry is not None
    world.sync()
    assert {place for place, _ in agreed(world)} <= {str(entry.place)}
    for centre in world.centres.values():
        anew = AlertsRegister(centre.record)
        anew.catch_up()
        assert alerts_bytes(anew, 2_000_000_000) == alerts_bytes(ash.alerts, 2_000_000_000)
