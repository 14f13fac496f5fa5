# SPDX-License-Identifier: Apache-2.0
"""Commands of the desk that speak the formats of others: CAP and STIX, out and in (docs/reference/interchange.md).

What comes in becomes a draft, and never more than that: a person submits it, a second one releases it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from servanda.agreement.formats import Format
from servanda.agreement.pack import Pack
from servanda.interchange.cap import cap_out
from servanda.interchange.capdraft import Wish, cap_draft
from servanda.interchange.capfile import read_cap
from servanda.interchange.errors import InterchangeError
from servanda.interchange.marking import MARKS
from servanda.interchange.stix import DIGEST_MEMBER, MEMBER, carried, check_attachment, out_bundle, read_bundle, wrong
from servanda.journal.frame import Place
from servanda.journal.state import Entry
from servanda.operations.centre import Centre
from servanda.operations.drafting import PLACE, parse_draft, write_draft
from servanda.operations.errors import Refusal

Arguments = Mapping[str, Any]
T = TypeVar("T")


def cap_of(centre: Centre, arguments: Arguments) -> dict[str, str]:
    """The CAP 1.2 file of an entry, and the word of its status.

    Raises:
        Refusal: no such entry, or CAP has no message for it (`cap-none`).
    """
    entry = entry_at(centre, arguments["entry"])
    file = _spoken(lambda: cap_out(centre.alerts, entry))
    assert entry.frame is not None
    return {"file": file.decode(), "mark": MARKS[entry.frame.status]}


def cap_taken(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    """Make a draft of a CAP 1.2 file; keep it unless `keep` is false.

    Raises:
        Refusal: the file cannot be taken, or the draft could not be sent as it stands.
    """
    data = _decoded(arguments["file"])
    pack = _pack(centre)
    wish = Wish(
        party=centre.party,
        author=arguments["officer"],
        form=arguments["format"],
        alert_class=arguments["class"],
        to=tuple(sorted(arguments["to"])),
        members=arguments.get("members", {}),
        text=arguments.get("text"),
    )
    return _drafted(centre, _spoken(lambda: cap_draft(centre.alerts, pack, read_cap(data), wish)), arguments)


def stix_of(centre: Centre, arguments: Arguments) -> dict[str, str]:
    """The marked bundle of an entry, and the word of its status: no other word of the entry.

    Raises:
        Refusal: no such entry, it has no bundle, or one that cannot be taken (`stix`, `over-size`).
    """
    entry = entry_at(centre, arguments["entry"])
    frame = entry.frame
    if frame is None or not entry.admissible:
        raise Refusal(f"{entry.place} is inadmissible: {entry.code}", "stix")
    bundle = _spoken(lambda: check_attachment(carried(frame.format, frame.content)))
    if bundle is None:
        raise Refusal(f"{entry.place} carries no STIX bundle, or has it sealed", "stix")
    file = json.dumps(out_bundle(bundle, centre.record.agreement, frame.status), indent=1)
    return {"file": file + "\n", "mark": MARKS[frame.status]}


def stix_taken(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    """Make a draft that carries a STIX bundle; keep it unless `keep` is false.

    Raises:
        Refusal: the bundle cannot be taken, or the draft could not be sent as it stands.
    """
    data = _decoded(arguments["file"])
    pack = _pack(centre)
    form = _format(pack, arguments["format"])
    bundle = _spoken(lambda: read_bundle(_text(data)))
    content: dict[str, Any] = {**arguments.get("members", {}), MEMBER: data.decode()}
    if DIGEST_MEMBER in form.fields["properties"]:
        content[DIGEST_MEMBER] = bundle.sha256
    alert = pack.alert_classes.get(content.get("class", ""))
    draft = {
        "format": form.identifier,
        "format-version": form.version,
        "author": arguments["officer"],
        "subject": arguments["subject"],
        "event-at": arguments.get("event-at") or centre.clock()[:10],
        "content": content,
        "to": sorted(arguments["to"]),
        "refers-to": list(arguments.get("refers-to", ())),
        "precedence": alert["precedence"] if alert else "routine",
        "status": arguments.get("status", "actual"),
        "exercise-at": arguments.get("exercise-at"),
    }
    return _drafted(centre, draft, arguments)


def entry_at(centre: Centre, text: object) -> Entry:
    """The entry at `party/number`.

    Raises:
        Refusal: that is no place, or nothing is held there.
    """
    match = PLACE.fullmatch(str(text))
    entry = centre.record.entry(Place(match[1], int(match[2]))) if match else None
    if entry is None:
        raise Refusal(f"no entry {str(text)[:80]!r} is held; write party/number, as in syr/12", "reference")
    return entry


def _spoken(make: Callable[[], T]) -> T:
    try:
        return make()
    except InterchangeError as error:
        raise Refusal(str(error), error.code) from error


def _decoded(text: object) -> bytes:
    try:
        return base64.b64decode(str(text), validate=True)
    except ValueError as error:
        raise Refusal(f"the file is not base64: {error}", "usage") from error


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise wrong(f"not UTF-8: {error.reason}") from error


def _pack(centre: Centre) -> Pack:
    record = centre.speaking
    return record.packs[record.in_force(record.whole) or record.agreement]


def _format(pack: Pack, name: str) -> Format:
    found = [form for (identifier, _), form in sorted(pack.formats.items()) if identifier == name]
    if not found or MEMBER not in found[-1].fields.get("properties", {}):
        fit = sorted({f.identifier for f in pack.formats.values() if MEMBER in f.fields.get("properties", {})})
        raise Refusal(f"{name!r} is no format with a member {MEMBER}; the pack has {', '.join(fit) or 'none'}", "stix")
    return found[-1]


def _drafted(centre: Centre, draft: dict[str, Any], arguments: Arguments) -> dict[str, Any]:
    """The draft, and its identifier if it is kept."""
    if not arguments.get("keep", True):
        return {"draft": draft, "identifier": None}
    parsed = parse_draft(draft)
    form = _pack(centre).formats.get((parsed.format, parsed.format_version))
    if form is not None and form.release == "one":
        raise Refusal(
            f"format {parsed.format} is sent by one officer alone, and drafts are for two: give --output, then "
            "`servanda send` that file",
            "release",
        )
    return {"draft": draft, "identifier": write_draft(centre, parsed)}


COMMANDS: dict[str, Callable[[Centre, Arguments], Any]] = {
    "cap-out": cap_of,
    "cap-in": cap_taken,
    "stix-out": stix_of,
    "stix-in": stix_taken,
}
