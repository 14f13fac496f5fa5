# SPDX-License-Identifier: Apache-2.0
"""What each party says it applies: the latest notice for each format, by its own entries alone."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from servanda.journal.state import Entry
from servanda.line.regimes import Regimes, regimes_bytes, regimes_document
from servanda.operations.desk import dispatch
from servanda.operations.errors import Refusal
from tests.rig.packs import channel
from tests.rig.pen import write
from tests.rig.world import World


@cache
def _founded(*parties: str) -> World:
    return World(channel(parties or ("ash", "birch")))


def world() -> World:
    return _founded().clone()


def content(state: str, *formats: str, since: str = "2026-01-01", reason: str = "r") -> dict[str, Any]:
    return {"formats": list(formats), "reason": reason, "since": since, "state": state}


def notice(w: World, state: str, *formats: str, since: str = "2026-01-01", party: str = "birch", **m: Any) -> Entry:
    return w.say(party, "regime", content(state, *formats, since=since), to=["ash"] if party != "ash" else [], **m)


def said(w: World, party: str = "birch", status: str = "actual") -> dict[str | None, str]:
    """What a party says of each format, as the other side sees it."""
    w.sync()
    return {one.format: one.notice.state for one in w.centres["ash"].regimes.of(party, status)}


def test_who_has_said_nothing_has_no_regime() -> None:
    w = world()
    assert said(w) == {}
    assert w.centres["ash"].regimes.state("birch", "warn") is None


def test_the_latest_notice_that_names_a_format_holds_for_it() -> None:
    w = world()
    notice(w, "suspended", "warn", "ask")
    assert said(w) == {"ask": "suspended", "warn": "suspended"}
    notice(w, "voluntary", "warn", since="2026-02-01")
    assert said(w) == {"ask": "suspended", "warn": "voluntary"}
    assert said(w, "ash") == {}


def test_a_notice_that_names_none_is_about_all_and_a_later_one_takes_a_format_out_of_it() -> None:
    w = world()
    first = notice(w, "suspended", "warn")
    whole = notice(w, "suspended")
    assert said(w) == {None: "suspended"}
    single = notice(w, "applied", "ask")
    assert said(w) == {None: "suspended", "ask": "applied"}
    regimes = w.centres["ash"].regimes
    assert [one.replaces for one in regimes.notices] == [(), (first.place,), ()]
    for form, entry in (("ask", single), ("warn", whole)):
        held = regimes.state("birch", form)
        assert held is not None
        assert held.entry == entry.place


def test_a_notice_of_an_exercise_says_nothing_about_what_is_actual() -> None:
    w = world()
    notice(w, "suspended", status="exercise")
    assert said(w) == {}
    assert said(w, status="exercise") == {None: "suspended"}


def test_a_suspension_holds_from_its_day_on() -> None:
    w = world()
    notice(w, "suspended", "warn", since="2026-03-01")
    w.sync()
    regimes = w.centres["ash"].regimes
    assert regimes.suspended("birch", "actual", "2026-02-28") == []
    assert [one.format for one in regimes.suspended("birch", "actual", "2026-03-01")] == ["warn"]


@pytest.mark.parametrize(
    ("formats", "since", "code"),
    [(("none-such",), "2026-01-01", "unknown-format"), (("warn",), "2026-02-30", "no-such-date")],
)
def test_a_slip_in_a_notice_is_refused_here_and_shown_when_it_came_from_elsewhere(
    formats: tuple[str, ...], since: str, code: str
) -> None:
    w = world()
    with pytest.raises(Refusal) as caught:
        notice(w, "suspended", *formats, since=since)
    assert caught.value.code == f"regime/{code}"
    entry = write(w.centres["birch"], "regime", content("suspended", *formats, since=since))
    assert entry is not None
    w.sync()
    shown = regimes_document(w.centres["ash"].regimes)
    assert shown["discrepancies"] == [{"code": f"regime/{code}", "entry": str(entry.place), "status": "actual"}]
    # It stands: a notice that the other side has given is not made unsaid by its slip.
    assert [one.format for one in w.centres["ash"].regimes.suspended("birch", "actual", "2026-01-01")] == [*formats]


def test_the_document_is_the_same_on_both_sides_and_when_it_is_made_anew() -> None:
    w = world()
    notice(w, "suspended", "warn", "ask")
    notice(w, "applied", "warn")
    notice(w, "voluntary", party="ash", status="exercise")
    w.sync()
    expected = regimes_bytes(w.centres["ash"].regimes)
    for centre in w.centres.values():
        anew = Regimes(centre.record)
        anew.catch_up()
        assert regimes_bytes(anew) == regimes_bytes(centre.regimes) == expected
        centre.reload()
        assert regimes_bytes(centre.regimes) == expected


def test_the_desk_shows_what_one_party_says_or_all() -> None:
    w = world()
    notice(w, "suspended", "warn")
    notice(w, "applied", party="ash")
    w.sync()
    whole = dispatch(w.centres["ash"], {"command": "regime"})
    assert [(one["party"], one["format"]) for one in whole["regimes"]] == [("ash", None), ("birch", "warn")]
    one = dispatch(w.centres["ash"], {"command": "regime", "party": "birch"})
    assert [(n["state"], n["formats"]) for n in one["notices"]] == [("suspended", ["warn"])]
    with pytest.raises(Refusal) as caught:
        dispatch(w.centres["ash"], {"command": "regime", "party": "elm"})
    assert caught.value.code == "party"
