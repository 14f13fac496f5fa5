# SPDX-License-Identifier: Apache-2.0
"""The frame of an entry: its members, their values, and how bytes become one (spec/entry.md)."""

from __future__ import annotations

import base64
from itertools import pairwise
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from servanda.agreement.dates import DateExpressionError, NoSuchDateError, check_instant, flags_of, parse_span
from servanda.proof.canonical import CanonicalError, decode, encode

VERSION = 1
INTEGER_MAX = 2**53 - 1
Identifier = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,31}\Z")]
Hash = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Number = Annotated[int, Meta(ge=1, le=INTEGER_MAX)]
Act = Literal["notify", "acknowledge", "inquire", "answer", "offer", "accept", "refuse", "correct", "reveal"]
Precedence = Literal["routine", "priority", "immediate", "flash"]
Status = Literal["actual", "exercise", "test"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class FrameError(ValueError):
    """The payload is not the frame of an entry. `code` is `frame` or `version`."""

    def __init__(self, message: str, code: str = "frame") -> None:
        super().__init__(message)
        self.code = code


class Place(NamedTuple):
    """Where an entry lies: whose journal, which number."""

    party: str
    number: int

    def __str__(self) -> str:
        """`party/number`."""
        return f"{self.party}/{self.number}"


class Reference(msgspec.Struct, frozen=True, forbid_unknown_fields=True, order=True):
    """Names one entry by place and leaf hash."""

    party: Identifier
    number: Number
    leaf: Hash

    @property
    def place(self) -> Place:
        """Where the entry lies."""
        return Place(self.party, self.number)


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A counterpart's journal as the author's centre held it."""

    party: Identifier
    root: Hash
    size: Number


class CitedReceipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A receipt on the author's own journal (spec/journal.md)."""

    by: Identifier
    cosignature: Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/]{102}==\Z")]
    size: Number

    @property
    def timestamp(self) -> int:
        """When the receipt was made, in seconds since 1970: bytes 5 to 12 of the cosignature."""
        return int.from_bytes(base64.b64decode(self.cosignature)[4:12], "big")


class AsStated(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A date in the source's own words."""

    text: Annotated[str, Meta(min_length=1, max_length=500)]
    weekday: Weekday | None


class Frame(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True, dict=True):
    """Every member of an entry's payload; spec/entry.md gives the meaning of each."""

    act: Act
    agreement: Hash
    as_stated: AsStated | None
    author: Identifier
    content: dict[str, Any]
    event_at: Annotated[str, Meta(max_length=64)]
    exercise_at: Annotated[str, Meta(max_length=24)] | None
    format: Identifier
    format_version: Number
    heads: Annotated[tuple[Head, ...], Meta(max_length=64)]
    language: Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z", max_length=64)]
    named: Annotated[tuple[Identifier, ...], Meta(max_length=64)] | None
    number: Number
    pack: Hash | None
    party: Identifier
    precedence: Precedence
    receipts: Annotated[tuple[CitedReceipt, ...], Meta(max_length=64)]
    refers_to: Annotated[tuple[Reference, ...], Meta(max_length=256)]
    released_at: Annotated[str, Meta(max_length=24)]
    releaser: Identifier | None
    remarks: Annotated[str, Meta(max_length=4000)]
    status: Status
    subject: Annotated[str, Meta(max_length=500)]
    thread: Reference | None
    to: Annotated[tuple[Identifier, ...], Meta(max_length=64)]
    version: Literal[1]

    @property
    def place(self) -> Place:
        """Where this entry lies."""
        return Place(self.party, self.number)

    @property
    def flags(self) -> tuple[str, ...]:
        """What a reader must be told about the claimed date."""
        return flags_of(self.event_at, self.as_stated.weekday if self.as_stated else None)

    def encode(self) -> bytes:
        """The canonical payload."""
        return encode(msgspec.to_builtins(self))


def parse_frame(payload: bytes) -> Frame:
    """Read a payload (step 2 of spec/entry.md).

    Raises:
        FrameError: not canonical, a member is missing, unknown or has a value that it cannot have.
    """
    try:
        value = decode(payload)
    except CanonicalError as error:
        raise FrameError(f"the payload is not canonical JSON: {error}") from error
    return frame_of(value)


def frame_of(value: object) -> Frame:
    """The frame with the given JSON value; `parse_frame` without the bytes.

    Raises:
        FrameError: as `parse_frame`.
    """
    if isinstance(value, dict):
        version = value.get("version")
        if isinstance(version, int) and not isinstance(version, bool) and version > VERSION:
            raise FrameError(f"version {version} of the frame is newer than {VERSION}; bytes are kept", "version")
    try:
        frame = msgspec.convert(value, Frame)
    except msgspec.ValidationError as error:
        raise FrameError(str(error)) from error
    _check(frame)
    return frame


def _check(frame: Frame) -> None:
    if len(frame.to) > 1:  # most lists have one member; the calls are what costs
        _sorted("to", frame.to)
    if frame.named and len(frame.named) > 1:
        _sorted("named", frame.named)
    if len(frame.heads) > 1:
        _sorted("heads", tuple(head.party for head in frame.heads))
    if len(frame.receipts) > 1:
        _sorted("receipts", tuple(receipt.by for receipt in frame.receipts))
    if frame.party in frame.to:
        raise FrameError("`to` does not contain the author's own party")
    if (frame.named is not None) != (frame.act == "offer"):
        raise FrameError("`named` is a list for an offer and null for other acts")
    if frame.thread is not None and frame.act != "offer":
        raise FrameError("`thread` is null unless the act is offer")
    if (frame.exercise_at is not None) != (frame.status == "exercise"):
        raise FrameError("`exercise-at` is given if the status is exercise, else null")
    try:
        check_instant(frame.released_at)
        if frame.exercise_at is not None:
            check_instant(frame.exercise_at)
        parse_span(frame.event_at)
    except DateExpressionError as error:
        raise FrameError(str(error)) from error
    except NoSuchDateError:
        return  # kept as stated and flagged, never corrected


def _sorted(member: str, names: tuple[str, ...]) -> None:
    if any(a >= b for a, b in pairwise(names)):
        raise FrameError(f"`{member}` is sorted and without repetition")
