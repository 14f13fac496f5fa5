# SPDX-License-Identifier: Apache-2.0
"""Images in tiles, texts in paragraphs: files as exhibits with parts, and exhibits as files (spec/evidence.md)."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

from servanda.interchange.errors import InterchangeError
from servanda.proof.evidence import Exhibit

PIXELS_MAX = 64_000_000
TILE, TILE_MIN, TILE_MAX = 64, 8, 4096
TEXT_PARTS_MAX = 1_000_000
_PART = re.compile(r".*?\n(?:[ \t]*\n)+|.+\Z", re.DOTALL)
_REMOVED = "[removed: part {}]\n\n"
_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP")


class Region(NamedTuple):
    """A rectangle of an image, in pixels from its upper left corner."""

    left: int
    top: int
    width: int
    height: int


def _exhibit_error(words: str) -> InterchangeError:
    return InterchangeError(words, "exhibit")


def is_image(data: bytes) -> bool:
    """Whether a file is an image of a kind that is read."""
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS):
            return True
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return False


def read_exhibit(data: bytes, tile: int = TILE) -> Exhibit:
    """The exhibit that a file shows, an image or a text in UTF-8.

    Raises:
        InterchangeError: it is neither, or too large (`exhibit`).
    """
    if is_image(data):
        return _image(data, tile)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise _exhibit_error("neither an image (PNG, JPEG, WebP, TIFF, BMP) nor a text in UTF-8") from error
    if "\r" in text:
        raise _exhibit_error("the text has carriage returns: save it with line feeds only")
    found = _PART.findall(text)
    if len(found) > TEXT_PARTS_MAX:
        raise _exhibit_error(f"{len(found)} paragraphs; {TEXT_PARTS_MAX} at most")
    parts = [None if part == _REMOVED.format(n) else part.encode() for n, part in enumerate(found, start=1)]
    return Exhibit("text", {"parts": len(parts)}, parts)


def _image(data: bytes, tile: int) -> Exhibit:
    if not TILE_MIN <= tile <= TILE_MAX:
        raise _exhibit_error(f"a tile has {TILE_MIN} to {TILE_MAX} pixels, not {tile}")
    picture = _picture(data)
    layout = {"height": picture.height, "tile": tile, "width": picture.width}
    parts: list[bytes | None] = []
    for box in _boxes(picture.width, picture.height, tile):
        pixels = picture.crop(box).tobytes()
        parts.append(None if pixels == _blank(box).tobytes() else pixels)
    return Exhibit("image", layout, parts)


def _picture(data: bytes) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
            if opened.width * opened.height > PIXELS_MAX:
                raise _exhibit_error(f"{opened.width} by {opened.height} pixels; {PIXELS_MAX:,} at most")
            return opened.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise _exhibit_error(f"the image cannot be read: {error}") from error


def _boxes(width: int, height: int, tile: int) -> Iterator[tuple[int, int, int, int]]:
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            yield left, top, min(left + tile, width), min(top + tile, height)


def _blank(box: tuple[int, int, int, int]) -> Image.Image:
    """What stands where a tile has been removed: stripes that no camera makes."""
    left, top, right, bottom = box
    on, off = b"\xff\x00\xff", b"\x00\x00\x00"
    rows = [b"".join(on if (x + y) % 16 < 8 else off for x in range(left, right)) for y in range(top, bottom)]
    return Image.frombytes("RGB", (right - left, bottom - top), b"".join(rows))


def tiles_in(exhibit: Exhibit, region: Region) -> list[int]:
    """The numbers of the tiles that a region touches, from 1.

    Raises:
        InterchangeError: the region lies outside the image (`exhibit`).
    """
    layout = exhibit.layout
    right, bottom = region.left + region.width, region.top + region.height
    if exhibit.kind != "image" or min(region.width, region.height) < 1 or min(region[:2]) < 0:
        raise _exhibit_error("a region is left,top,width,height in pixels of an image")
    if right > layout["width"] or bottom > layout["height"]:
        raise _exhibit_error(f"the region is not within {layout['width']} by {layout['height']} pixels")
    boxes = enumerate(_boxes(layout["width"], layout["height"], layout["tile"]), start=1)
    return [n for n, (a, b, c, d) in boxes if a < right and region.left < c and b < bottom and region.top < d]


def write_exhibit(data: bytes, exhibit: Exhibit, removed: Collection[int] = ()) -> bytes:
    """The file that shows an exhibit without some parts: a PNG, or a text.

    Args:
        data: the file that it was read from.
        exhibit: what it shows.
        removed: numbers of parts, from 1.
    """
    if exhibit.kind == "text":
        shown = (_REMOVED.format(n).encode() if n in removed else part for n, part in enumerate(exhibit.parts, start=1))
        return b"".join(part or b"" for part in shown)
    picture = _picture(data)
    layout = exhibit.layout
    for n, box in enumerate(_boxes(layout["width"], layout["height"], layout["tile"]), start=1):
        if n in removed:
            picture.paste(_blank(box), box[:2])
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
