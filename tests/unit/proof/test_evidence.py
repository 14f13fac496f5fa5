# SPDX-License-Identifier: Apache-2.0
"""Exhibits with parts removed: the rest holds, nothing can be slipped in, nothing removed can be guessed."""

from __future__ import annotations

import copy
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from servanda.cli.evidence import evidence
from servanda.interchange.errors import InterchangeError
from servanda.interchange.exhibits import Region, read_exhibit, tiles_in, write_exhibit
from servanda.proof.evidence import EvidenceError, check_exhibit, own_card, public_card

SECRET = bytes(range(32))
TEXT = st.text(st.sampled_from("ab \n"), max_size=60)


def picture(width: int = 50, height: int = 30) -> bytes:
    image = Image.new("RGB", (width, height))
    image.putdata([((7 * x) % 256, (5 * y) % 256, (x * y) % 256) for y in range(height) for x in range(width)])
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@settings(max_examples=60)
@given(TEXT, st.data())
def test_a_text_without_some_paragraphs_holds_and_names_them(text: str, data: st.DataObject) -> None:
    whole = read_exhibit(text.encode())
    assert b"".join(part or b"" for part in whole.parts) == text.encode()
    card = own_card(whole, SECRET)
    assert check_exhibit(whole, card, card["root"]) == []
    numbers = list(range(1, len(whole.parts) + 1))
    removed = data.draw(st.sets(st.sampled_from(numbers))) if numbers else set()
    shown = write_exhibit(text.encode(), whole, removed)
    public = public_card(whole, card, removed)
    assert "secret" not in public
    assert check_exhibit(read_exhibit(shown), public, card["root"]) == sorted(removed)


@settings(max_examples=20, deadline=None)
@given(st.integers(8, 40), st.sets(st.integers(1, 4)))
def test_an_image_without_some_tiles_holds_and_names_them(tile: int, wanted: set[int]) -> None:
    data = picture()
    whole = read_exhibit(data, tile)
    card = own_card(whole, SECRET)
    removed = {n for n in wanted if n <= len(whole.parts)}
    shown = read_exhibit(write_exhibit(data, whole, removed), tile)
    assert check_exhibit(shown, public_card(whole, card, removed), card["root"]) == sorted(removed)


def test_a_changed_pixel_a_tile_put_back_and_another_root_are_noticed() -> None:
    data = picture()
    whole = read_exhibit(data, 16)
    card = own_card(whole, SECRET)
    public = public_card(whole, card, {2})
    shown = write_exhibit(data, whole, {2})
    image = Image.open(io.BytesIO(shown))
    image.putpixel((0, 0), (1, 2, 3))
    out = io.BytesIO()
    image.save(out, "PNG")
    with pytest.raises(EvidenceError, match="not what the root commits to"):
        check_exhibit(read_exhibit(out.getvalue(), 16), public)
    with pytest.raises(EvidenceError, match="shown all the same"):
        check_exhibit(whole, public)
    with pytest.raises(EvidenceError, match="not what the root commits to"):
        check_exhibit(read_exhibit(shown, 16), public, "00" * 32)
    with pytest.raises(EvidenceError, match="looks removed"):
        check_exhibit(read_exhibit(shown, 16), card)
    with pytest.raises(EvidenceError, match="another kind, size or layout"):
        check_exhibit(read_exhibit(shown, 8), public)


def test_a_hash_in_place_of_a_salt_hides_nothing_unseen() -> None:
    """Whoever swaps a salt for a hash must also blank the part: what is shown is always proved."""
    data = picture()
    whole = read_exhibit(data, 16)
    public = public_card(whole, own_card(whole, SECRET), {2})
    forged = copy.deepcopy(public)
    forged["parts"][3] = {"hash": "ab" * 32}
    with pytest.raises(EvidenceError):
        check_exhibit(read_exhibit(write_exhibit(data, whole, {2}), 16), forged)
    with pytest.raises(EvidenceError):
        check_exhibit(read_exhibit(write_exhibit(data, whole, {2, 3}), 16), forged)
    layout = copy.deepcopy(public)
    layout["parts"][0] = {"hash": "ab" * 32}
    with pytest.raises(EvidenceError):
        check_exhibit(read_exhibit(write_exhibit(data, whole, {2}), 16), layout)


def test_what_was_removed_cannot_be_guessed_from_its_hash() -> None:
    whole = read_exhibit(b"yes\n\nno\n")
    public = public_card(whole, own_card(whole, SECRET), {1})
    told = json.dumps(public)
    guesses = [b"yes\n\n", b"yes", b"no\n"]
    plain = [hashlib.sha256(lead + guess).hexdigest() for guess in guesses for lead in (b"", b"\0", b"\0" + bytes(32))]
    assert not any(each in told for each in plain)
    salts = [each["salt"] for each in public["parts"] if "salt" in each]
    assert len(set(salts)) == len(salts) == 2


@pytest.mark.parametrize(
    "card",
    [{}, {"parts": 3}, {"parts": []}, {"parts": [1, 2, 3]}, {"parts": [{}, {}, {}]}, {"parts": [{"salt": "x"}] * 3}],
)
def test_a_card_of_another_form_is_refused(card: dict[str, Any]) -> None:
    whole = read_exhibit(b"yes\n\nno\n")
    own = own_card(whole, SECRET)
    public = public_card(whole, own, {1})
    with pytest.raises(EvidenceError):
        check_exhibit(whole, {**public, **card} if card else card)
    with pytest.raises(EvidenceError, match="holder's own card"):
        public_card(whole, public, {1})
    with pytest.raises(EvidenceError, match="another exhibit"):
        public_card(read_exhibit(b"another\n"), own, {1})
    with pytest.raises(EvidenceError, match="no part 3"):
        public_card(whole, own, {3})


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"a\r\nb", b"\x89PNG\r\n\x1a\n"])
def test_what_is_neither_image_nor_text_is_refused(data: bytes) -> None:
    with pytest.raises(InterchangeError):
        read_exhibit(data)


def test_a_region_removes_every_tile_that_it_touches() -> None:
    whole = read_exhibit(picture(), 16)  # 4 by 2 tiles
    assert tiles_in(whole, Region(15, 15, 2, 2)) == [1, 2, 5, 6]
    assert tiles_in(whole, Region(16, 0, 16, 16)) == [2]
    for region in (Region(0, 0, 51, 1), Region(0, 0, 0, 1), Region(0, 29, 1, 2)):
        with pytest.raises(InterchangeError):
            tiles_in(whole, region)


def test_the_commands_hash_redact_and_check(tmp_path: Path) -> None:
    def run(*arguments: object, status: int = 0) -> Any:
        result = CliRunner().invoke(evidence, [str(each) for each in arguments])
        assert result.exit_code == status, result.output
        return json.loads(result.output) if "--json" in arguments else result.output

    photo, exhibit, card = tmp_path / "p.png", tmp_path / "e.png", tmp_path / "own.json"
    photo.write_bytes(picture())
    root = run("hash", photo, "--card", card, "--exhibit", exhibit, "--tile", 16, "--json")["root"]
    shown, given = tmp_path / "s.png", tmp_path / "card.json"
    run("redact", exhibit, "--card", card, "--region", "0,0,8,8", "--output", shown, "--output-card", given)
    assert run("check", shown, "--card", given, "--root", root, "--json")["removed"] == [1]
    run("check", shown, "--card", given, "--root", "00" * 32, status=1)
    run("check", exhibit, "--card", given, status=1)
