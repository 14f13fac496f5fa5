# SPDX-License-Identifier: Apache-2.0
"""Does an alert go ahead of a backlog between two real centres over TLS, and is everything in order afterwards?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from servanda.gateway.line import line_app
from servanda.gateway.server import LineServer
from servanda.operations import advancing, delivery
from servanda.operations.delivery import Delivery, next_push
from servanda.operations.door import CentreDoor
from servanda.operations.receipts import receipted_size
from servanda.transport.https import HttpsCourier
from tests.line.parts import Keys, courier_to
from tests.rig.ahead import alarm, routine, world
from tests.rig.pushing import push_all
from tests.rig.world import World


class PinnedDoor(CentreDoor):
    """The centre's door, to which the one key of the test belongs to ash."""

    def peer_of(self, spki_sha256: str) -> str | None:
        return "ash"


@pytest.fixture
def joined(syr: Keys, opcw: Keys) -> Iterator[tuple[World, HttpsCourier]]:
    w = world()
    door = PinnedDoor(w.centres["birch"], lambda: None)
    server = LineServer(line_app(door), "127.0.0.1", 0, opcw.server(syr))
    server.start()
    courier = courier_to(f"https://127.0.0.1:{server.port}", syr.client(opcw), opcw.spki)
    yield w, courier
    courier.close()
    server.stop()


def test_the_newest_flash_alert_is_there_before_the_backlog_and_once(
    joined: tuple[World, HttpsCourier], monkeypatch: pytest.MonkeyPatch
) -> None:
    w, courier = joined
    monkeypatch.setattr(delivery, "LEAVES_MAX", 5)
    routine(w, 12)
    numbers = [alarm(w, "old"), alarm(w, "newest")]
    centre, other = w.centres["ash"], w.centres["birch"]
    sending = Delivery(centre, courier, ["birch"])
    push = next_push(w.centres["ash"], "birch")
    assert push is not None
    assert sending._ahead.send("birch", push) == 2
    assert [known.number for known in other.advances] == numbers
    assert list(centre.store.advance_receipts("birch")) == numbers
    push_all(sending, "birch")
    size = centre.journal.size
    assert receipted_size(centre, "birch") == size
    assert other.store.leaves("ash", 1, size) == centre.store.leaves("ash", 1, size)
    assert other.advances == []


def test_a_full_house_over_the_line_does_not_stop_the_push(
    joined: tuple[World, HttpsCourier], monkeypatch: pytest.MonkeyPatch
) -> None:
    w, courier = joined
    monkeypatch.setattr(delivery, "LEAVES_MAX", 5)
    monkeypatch.setattr(advancing, "ADVANCES_BYTES_MAX", 10)
    routine(w, 7)
    alarm(w)
    push_all(Delivery(w.centres["ash"], courier, ["birch"]), "birch")
    assert w.centres["ash"].store.advance_receipts("birch") == {}
    assert receipted_size(w.centres["ash"], "birch") == w.centres["ash"].journal.size
