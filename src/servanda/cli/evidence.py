# SPDX-License-Identifier: Apache-2.0
"""`servanda evidence`: commit to a photograph or a text by one hash, remove parts of it later, check what is left."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import click

from servanda.cli.asking import json_option, read_json
from servanda.cli.printing import emit, say
from servanda.interchange.errors import InterchangeError
from servanda.interchange.exhibits import TILE, Region, read_exhibit, tiles_in, write_exhibit
from servanda.operations.errors import Refusal
from servanda.proof.canonical import encode
from servanda.proof.evidence import SECRET_BYTES, EvidenceError, Exhibit, check_exhibit, own_card, public_card

_IN = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUT = click.Path(dir_okay=False, path_type=Path)


@click.group()
def evidence() -> None:
    """Photographs and documents by hash, with parts that can be removed later."""


def _read(file: Path, tile: int) -> Exhibit:
    try:
        return read_exhibit(file.read_bytes(), tile)
    except InterchangeError as error:
        raise Refusal(f"{file}: {error}", error.code) from error


def _card(file: Path) -> dict[str, Any]:
    card = read_json(file)
    if not isinstance(card, dict) or not isinstance(card.get("layout"), dict):
        raise Refusal(f"{file} is no card of an exhibit, as `servanda evidence hash` writes it", "exhibit")
    return card


def _tile(card: dict[str, Any]) -> int:
    tile = card["layout"].get("tile", TILE)
    return tile if isinstance(tile, int) else TILE


@evidence.command("hash")
@click.argument("file", type=_IN)
@click.option("--card", type=_OUT, required=True, help="Where the holder's card goes. It has the secret: keep it.")
@click.option("--exhibit", type=_OUT, help="For an image: the PNG of the pixels that are committed to.")
@click.option("--tile", type=int, default=TILE, show_default=True, help="Pixels along the side of a tile.")
@json_option
def hash_(file: Path, card: Path, exhibit: Path | None, tile: int, as_json: bool) -> None:
    """Commit to FILE (PNG, JPEG, WebP, TIFF, BMP; or a text in UTF-8): prints the root for an entry's `evidence`."""
    found = _read(file, tile)
    try:
        made = own_card(found, secrets.token_bytes(SECRET_BYTES))
    except EvidenceError as error:
        raise Refusal(f"{file}: {error}", "exhibit") from error
    if card.exists():
        raise Refusal(f"{card} is there already; a card is written once", "exhibit")
    card.write_bytes(encode(made) + b"\n")
    if exhibit is not None:
        exhibit.write_bytes(write_exhibit(file.read_bytes(), found))
    told = {"root": made["root"], "kind": found.kind, "parts": len(found.parts)}
    if not emit(told, as_json):
        say(f"root {told['root']}, {told['kind']} of {told['parts']} parts")


@evidence.command()
@click.argument("file", type=_IN)
@click.option("--card", type=_IN, required=True, help="The holder's card.")
@click.option("--region", "regions", multiple=True, metavar="L,T,W,H", help="Pixels of an image.")
@click.option("--part", "numbers", multiple=True, type=int, help="A part by its number, from 1.")
@click.option("--output", type=_OUT, required=True, help="The exhibit without these parts.")
@click.option("--output-card", type=_OUT, required=True, help="The card that goes with it.")
@json_option
def redact(
    file: Path,
    card: Path,
    regions: tuple[str, ...],
    numbers: tuple[int, ...],
    output: Path,
    output_card: Path,
    as_json: bool,
) -> None:
    """Remove parts of the exhibit FILE: what is left verifies, what is gone cannot be guessed, and the gap is seen."""
    own = _card(card)
    found = _read(file, _tile(own))
    removed = set(numbers)
    try:
        for text in regions:
            removed |= set(tiles_in(found, _region(text)))
        made = public_card(found, own, removed)
        shown = write_exhibit(file.read_bytes(), found, removed)
    except (EvidenceError, InterchangeError) as error:
        raise Refusal(f"{file}: {error}", "exhibit") from error
    if not removed:
        raise Refusal("nothing is removed: name a --region or a --part", "usage")
    output.write_bytes(shown)
    output_card.write_bytes(encode(made) + b"\n")
    told = {"root": made["root"], "removed": sorted(removed), "parts": len(found.parts)}
    if not emit(told, as_json):
        say(f"removed {len(removed)} of {len(found.parts)} parts; root {made['root']} as before")


def _region(text: str) -> Region:
    parts = text.split(",")
    if len(parts) != 4 or not all(part.strip().isdecimal() for part in parts):
        raise Refusal(f"{text!r} is no region; write left,top,width,height in pixels", "usage")
    return Region(*map(int, parts))


@evidence.command()
@click.argument("file", type=_IN)
@click.option("--card", type=_IN, required=True, help="The card that came with it.")
@click.option("--root", metavar="HASH", help="The root that an entry states: without it, only that both go together.")
@json_option
def check(file: Path, card: Path, root: str | None, as_json: bool) -> None:
    """Is FILE what was committed to, but for what has been removed? Status 1 if it is not."""
    said = _card(card)
    found = _read(file, _tile(said))
    try:
        removed = check_exhibit(found, said, root)
    except EvidenceError as error:
        if not emit({"holds": False, "why": str(error)}, as_json):
            say(f"does not hold: {error}")
        raise click.exceptions.Exit(1) from error
    told = {"holds": True, "parts": len(found.parts), "removed": removed, "root": said["root"]}
    if not emit(told, as_json):
        say(f"holds: {len(found.parts) - len(removed)} of {len(found.parts)} parts are what {said['root']} commits to")
        say(f"removed: {', '.join(map(str, removed)) or 'nothing'}")
        if root is None:
            say("compared with the card alone: give --root from the signed entry")


COMMANDS = [evidence]
