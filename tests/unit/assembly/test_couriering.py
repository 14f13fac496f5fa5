# SPDX-License-Identifier: Apache-2.0
"""A courier bundle for some is read by these and by nobody else, and carries to them what they have a right to."""

from __future__ import annotations

import base64
import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from servanda.assembly import CHEAP, Founding, Rotation, Station, found_centre
from servanda.assembly import station as opened
from servanda.keyring import age
from servanda.operations.bundles import read_bundle
from servanda.operations.desk import dispatch
from servanda.operations.errors import Refusal
from servanda.operations.founding import fingerprint
from tests.rig.packs import lake

OFFICERS = {"desk": ("author",), "chief": ("author", "release"), "duty": ("watch",)}
PARTIES = ("ash", "birch", "cedar")


def found(folder: Path, party: str, pack: Any, *, encryption: bool) -> Station:
    home = folder / party
    founding = Founding(home, pack, party, "pass", "root", OFFICERS, cost=CHEAP, encryption=encryption)
    found_centre(founding)
    return Station(home, "pass")


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The homes of three centres that have met; cedar states no key for encryption. The pack is in force."""
    folder, pack = tmp_path_factory.mktemp("homes"), lake(PARTIES)
    made = {party: found(folder, party, pack, encryption=party != "cedar") for party in PARTIES}
    for one in made.values():
        for other in made.values():
            if one is not other:
                card = json.dumps(other.handle({"command": "card"})).encode()
                one.meet(card, fingerprint(other.centre) or "")
    for one in made.values():
        speak(one, "adopt", {"pack": pack.digest})
    for one in made.values():
        for other in made.values():
            if one is not other:
                take(other, bundle(one))
    for station in made.values():
        station.close()
    return folder


@pytest.fixture
def stations(homes: Path, tmp_path: Path) -> Iterator[dict[str, Station]]:
    """The three centres, opened from copies of their homes."""
    shutil.copytree(homes, tmp_path / "homes")
    made = {party: Station(tmp_path / "homes" / party, "pass") for party in PARTIES}
    yield made
    for station in made.values():
        station.close()


def speak(station: Station, form: str, content: dict[str, Any], **members: Any) -> str:
    draft = {"format": form, "subject": "", "event-at": "2026-01-01", "author": "desk", "content": content, **members}
    identifier = station.handle({"command": "draft", "draft": draft})
    station.handle({"command": "submit", "identifier": identifier})
    return str(station.handle({"command": "release", "identifier": identifier, "officer": "chief"})["entry"])


def bundle(station: Station, *to: str, purpose: str = "courier") -> bytes:
    request = {"command": "export", "purpose": purpose} | ({"to": list(to)} if to else {})
    return base64.b64decode(station.handle(request))


def take(station: Station, data: bytes) -> dict[str, Any]:
    taken: dict[str, Any] = station.handle({"command": "import", "data": base64.b64encode(data).decode()})
    return taken


def code(station: Station, data: bytes) -> str:
    size = station.centre.record.journals["ash"].size
    with pytest.raises(Refusal) as caught:
        take(station, data)
    assert station.centre.record.journals["ash"].size == size
    return caught.value.code


def secret_of(station: Station) -> bytes:
    return station.keyring.secret("encryption")


def clear(station: Station, data: bytes) -> bytes:
    return age.decrypt(data, [secret_of(station)], 2**30)


def test_the_recipient_takes_what_is_new_and_nobody_else_can_read_it(stations: dict[str, Station]) -> None:
    speak(stations["ash"], "note", {"text": "unmistakable"}, to=["birch"])
    data = bundle(stations["ash"], "birch")
    assert data.startswith(age.HEADER)
    assert b"PK" not in data[:2]
    assert code(stations["cedar"], data) == "encrypted"
    assert take(stations["birch"], data)["entries"]["ash"] == 1
    assert take(stations["birch"], data)["entries"]["ash"] == 0


def test_the_carrier_learns_nothing_from_the_name_and_a_plain_bundle_by_another_name_is_still_one(
    stations: dict[str, Station],
) -> None:
    speak(stations["ash"], "note", {"text": "x"}, to=["birch"])
    plain = bundle(stations["ash"])
    assert take(stations["birch"], plain)["entries"]["ash"] == 1, "what it is shows at its beginning, not in a name"
    assert code(stations["birch"], age.HEADER + plain) == "encrypted"


def test_openings_go_along_for_those_who_have_the_right_to_them_alone(stations: dict[str, Station]) -> None:
    ash, birch = stations["ash"], stations["birch"]
    handed = speak(ash, "note", {"text": "for birch"}, to=["birch", "cedar"], seal=["text"], **{"open-to": ["birch"]})
    kept = speak(ash, "note", {"text": "for nobody"}, to=["birch"], seal=["text"])
    data = bundle(ash, "birch")
    lines = read_bundle(clear(birch, data)).files["openings/ash.jsonl"].splitlines()
    assert [json.loads(line)["entry"]["number"] for line in lines] == [int(handed.split("/")[1])]
    take(birch, data)
    assert birch.handle({"command": "show", "entry": handed})["opened"] == {"text": "for birch"}
    assert list(birch.handle({"command": "show", "entry": kept})["opened"]) == ["_sd"]
    assert "openings/ash.jsonl" not in read_bundle(bundle(ash)).files


def test_what_one_of_several_may_have_is_not_in_a_file_for_all_of_them(stations: dict[str, Station]) -> None:
    ash, birch, cedar = (stations[party] for party in PARTIES)
    cedar.rotate("root", Rotation(renew=("encryption",)))
    take(ash, bundle(cedar))
    speak(ash, "note", {"text": "x"}, to=["birch", "cedar"], seal=["text"], **{"open-to": ["birch"]})
    data = bundle(ash, "birch", "cedar")
    assert "openings/ash.jsonl" not in read_bundle(clear(birch, data)).files
    assert take(cedar, data)["entries"]["ash"] == 1


@pytest.mark.parametrize(("to", "wanted"), [("cedar", "no-encryption"), ("ash", "party"), ("oak", "party")])
def test_whom_nothing_can_be_encrypted_to_gets_nothing_in_the_clear(
    stations: dict[str, Station], to: str, wanted: str
) -> None:
    with pytest.raises(Refusal) as caught:
        bundle(stations["ash"], "birch", to)
    assert caught.value.code == wanted


@pytest.mark.parametrize("purpose", ["dossier", "backup", "leaflet"])
def test_only_a_courier_bundle_has_recipients(stations: dict[str, Station], purpose: str) -> None:
    with pytest.raises(Refusal) as caught:
        bundle(stations["ash"], "birch", purpose=purpose)
    assert caught.value.code == "usage"


def test_a_desk_that_cannot_encrypt_exports_nothing_in_the_clear_instead(stations: dict[str, Station]) -> None:
    with pytest.raises(Refusal) as caught:
        dispatch(stations["ash"].centre, {"command": "export", "purpose": "courier", "to": ["birch"]})
    assert caught.value.code == "usage"


def test_a_renewed_key_is_used_at_once_and_what_was_under_way_is_still_read(stations: dict[str, Station]) -> None:
    ash, birch = stations["ash"], stations["birch"]
    speak(ash, "note", {"text": "x"}, to=["birch"])
    under_way = bundle(ash, "birch")
    before = birch.centre.journal.identities.latest
    birch.rotate("root", Rotation(renew=("encryption",)))
    after = birch.centre.journal.identities.latest
    assert before is not None
    assert after is not None
    assert after.encryption != before.encryption
    assert (after.centre, after.officers) == (before.centre, before.officers)
    take(ash, bundle(birch))
    newer = bundle(ash, "birch")
    with pytest.raises(Refusal):
        clear(birch, newer)
    home = birch.home
    birch.close()
    stations["birch"] = again = Station(home, "pass")
    assert take(again, under_way)["entries"]["ash"] == 1
    assert take(again, newer)["entries"]["ash"] == 0


def test_other_rotations_keep_the_key_for_encryption(stations: dict[str, Station]) -> None:
    ash = stations["ash"]
    before = ash.centre.journal.identities.latest
    ash.rotate("root", Rotation(renew=("centre",)))
    after = ash.centre.journal.identities.latest
    assert before is not None
    assert after is not None
    assert after.encryption == before.encryption is not None


class TestAttacks:
    @pytest.fixture
    def file(self, stations: dict[str, Station]) -> bytes:
        speak(stations["ash"], "note", {"text": "x"}, to=["birch"])
        return bundle(stations["ash"], "birch")

    @pytest.mark.parametrize("cut", [1, 100, 5_000])
    def test_truncated(self, stations: dict[str, Station], file: bytes, cut: int) -> None:
        assert code(stations["birch"], file[:-cut]) == "encrypted"

    def test_any_byte_flipped(self, stations: dict[str, Station], file: bytes) -> None:
        for at in range(0, len(file), len(file) // 25):
            flipped = file[:at] + bytes([file[at] ^ 1]) + file[at + 1 :]
            assert code(stations["birch"], flipped) == ("encrypted" if at else "bundle")

    def test_bytes_appended(self, stations: dict[str, Station], file: bytes) -> None:
        assert code(stations["birch"], file + b"\x00") == "encrypted"
        assert code(stations["birch"], file + file) == "encrypted"

    def test_encrypted_for_somebody_else(self, stations: dict[str, Station], file: bytes) -> None:
        inner = clear(stations["birch"], file)
        assert code(stations["birch"], age.encrypt(inner, [age.public_of(age.new_secret())])) == "encrypted"

    def test_something_else_inside(self, stations: dict[str, Station], file: bytes) -> None:
        key = age.public_of(secret_of(stations["birch"]))
        inner = clear(stations["birch"], file)
        for other in (b"", b"not a bundle", inner[:-1], inner + b"\x00", age.encrypt(inner, [key])):
            assert code(stations["birch"], age.encrypt(other, [key])) == "bundle"

    def test_an_archive_that_would_swell_is_no_bundle(self, stations: dict[str, Station]) -> None:
        swelling = io.BytesIO()
        with zipfile.ZipFile(swelling, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("manifest.json", b"0" * 10_000_000)
        key = age.public_of(secret_of(stations["birch"]))
        assert code(stations["birch"], age.encrypt(swelling.getvalue(), [key])) == "bundle"

    def test_larger_than_a_bundle_may_be(
        self, stations: dict[str, Station], file: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(opened, "BUNDLE_BYTES_MAX", len(file) - 1)
        assert code(stations["birch"], file) == "encrypted"

    def test_a_bundle_for_another_agreement(self, stations: dict[str, Station], tmp_path: Path) -> None:
        other = found(tmp_path / "other", "ash", lake(PARTIES, quorum=1), encryption=False)
        inner = bundle(other)
        other.close()
        key = age.public_of(secret_of(stations["birch"]))
        assert code(stations["birch"], age.encrypt(inner, [key])) == "agreement"

    def test_a_bundle_by_a_stranger_who_knows_the_key_changes_nothing(
        self, stations: dict[str, Station], file: bytes
    ) -> None:
        inner = bytearray(clear(stations["birch"], file))
        at = inner.index(b'"payload":"') + 20
        inner[at] ^= 1
        key = age.public_of(secret_of(stations["birch"]))
        assert code(stations["birch"], age.encrypt(bytes(inner), [key])) == "bundle"
