# SPDX-License-Identifier: Apache-2.0
"""Three centres on duty, two of which know no way to one another but through the third; then the third is gone too."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from servanda.assembly import CHEAP, Founding, Station, found_centre
from servanda.gateway.duty import Duty
from tests.journeys.terminal import eventually, free_port
from tests.rig.packs import channel
from tests.rig.world import ROLES

PARTIES = ("ash", "birch", "cedar")
NOWHERE = "https://127.0.0.1:1"


class Post:
    """One centre on duty in this process, and what its officers ask of it."""

    def __init__(self, folder: Path, party: str) -> None:
        port = free_port()
        self.party, self.home = party, folder / party
        self.fingerprint = found_centre(
            Founding(
                home=self.home,
                pack=channel(PARTIES, **{"alarm-minutes": 1}),
                party=party,
                passphrase="p",
                root_passphrase="r",
                officers=ROLES,
                port=port,
                addresses=(f"https://127.0.0.1:{port}",),
                cost=CHEAP,
            )
        )
        self.begin()

    def begin(self) -> None:
        self.station = Station(self.home, "p")
        self.duty = Duty(self.station)
        self.duty.start()

    def end(self) -> None:
        self.duty.stop()
        self.station.close()

    def asks(self, command: str, **arguments: Any) -> Any:
        return self.duty.handle({"command": command, **arguments})

    def meets(self, other: Post, address: str | None = None) -> None:
        """Take the other's card; with another address on it, if one is given, for a card's addresses are not signed."""
        card = other.asks("card")
        card["addresses"] = [address] if address else card["addresses"]
        self.asks("meet", card=json.dumps(card), fingerprint=other.fingerprint)

    def says(self, form: str, content: dict[str, Any], **members: Any) -> str:
        draft = {"format": form, "subject": form, "event-at": "2026-01-10", "author": "desk", "content": content}
        identifier = self.asks("draft", draft=draft | members)
        self.asks("submit", identifier=identifier)
        entry: str = self.asks("release", identifier=identifier, officer="chief")["entry"]
        return entry

    def line(self, party: str) -> dict[str, Any]:
        found: dict[str, Any] = self.asks("lines")[party]
        return found


@pytest.fixture(scope="module")
def posts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Post, Post, Post]]:
    folder = tmp_path_factory.mktemp("r")
    ash, birch, cedar = posts = tuple(Post(folder, party) for party in PARTIES)
    for one, other in ((ash, birch), (birch, ash)):
        one.meets(other, NOWHERE)
        one.meets(cedar)
        cedar.meets(one)
    yield posts  # type: ignore[misc]
    for post in posts:
        post.end()


Posts = tuple[Post, Post, Post]


def nothing_undelivered(posts: Posts) -> bool:
    return not any(post.asks("undelivered") for post in posts)


def test_through_the_third_a_pack_comes_into_force_between_two_that_never_speak(posts: Posts) -> None:
    ash, birch, _ = posts
    for post in posts:
        post.says("adopt", {"pack": post.station.settings.agreement})
    eventually(lambda: nothing_undelivered(posts))
    eventually(lambda: all(post.asks("status")["pack"] for post in posts))
    for one, other in ((ash, birch), (birch, ash)):
        eventually(lambda one=one, other=other: one.line(other.party)["route"] == "relay cedar")
        assert "address: https://127.0.0.1:1: " in one.line(other.party)["trouble"]


def test_an_entry_for_the_other_is_shown_receipted_and_acknowledged_all_the_same(posts: Posts) -> None:
    ash, birch, _ = posts
    entry = ash.says("note", {"text": "calm"}, to=["birch"])
    eventually(lambda: nothing_undelivered(posts))
    said = birch.asks("acknowledge", entries=[entry], officer="duty")["entry"]
    eventually(lambda: said in ash.asks("show", entry=entry)["acknowledged-by"])
    assert ash.asks("show", entry=entry)["leaf"] == birch.asks("show", entry=entry)["leaf"]


def test_without_the_relay_the_entry_is_named_and_rings_and_goes_by_courier(
    posts: Posts, caplog: pytest.LogCaptureFixture
) -> None:
    ash, birch, cedar = posts
    rung: list[tuple[str, str]] = []
    ash.duty.delivery.on_alarm = lambda *alarm: rung.append(alarm)
    cedar.end()
    entry = ash.says("note", {"text": "by hand"}, precedence="flash", to=["birch"])
    eventually(lambda: not ash.line("birch")["up"])
    found = {item["party"]: item for item in ash.asks("undelivered")}
    assert found.keys() == {"birch", "cedar"}
    assert (found["birch"]["entry"], found["birch"]["precedence"], found["birch"]["route"]) == (entry, "flash", None)
    assert found["birch"]["reason"].endswith("only the courier is left")
    assert "relay cedar: " in found["birch"]["reason"]
    clock = ash.station.centre.clock
    ash.station.centre.clock = lambda: "2999-01-01T00:00:00.000Z"
    with caplog.at_level(logging.ERROR):
        eventually(lambda: sorted(party for party, _ in rung) == ["birch", "cedar"])
    ash.station.centre.clock = clock
    assert "entries not receipted by birch since" in caplog.text
    bundle = base64.b64decode(ash.asks("export", purpose="courier"))
    assert birch.asks("import", data=base64.b64encode(bundle).decode())["entries"]["ash"] >= 1
    assert birch.asks("show", entry=entry)["frame"]["content"] == {"text": "by hand"}
    cedar.begin()
    eventually(lambda: nothing_undelivered(posts))  # the receipt comes by the relay: the entry went only once


def test_a_card_with_the_right_address_brings_the_direct_line(posts: Posts) -> None:
    ash, birch, _ = posts
    for one, other in ((ash, birch), (birch, ash)):
        one.meets(other)
    ash.says("note", {"text": "direct"})
    eventually(lambda: ash.line("birch")["route"] == birch.line("ash")["route"] == "address")
    eventually(lambda: nothing_undelivered(posts))
    assert ash.line("birch")["trouble"] == ""
    sizes = [{j["party"]: (j["size"], j["judged"]) for j in post.asks("status")["journals"]} for post in posts]
    assert sizes[0] == sizes[1] == sizes[2]
    assert all(post.asks("audit") == [] for post in posts)
