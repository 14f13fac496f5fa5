# SPDX-License-Identifier: Apache-2.0
"""Files of others for tests: CAP messages and STIX bundles, good and bad."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from servanda.agreement.pack import Pack, pack_of
from tests.rig.packs import channel, fields

CAP = Path(__file__).resolve().parents[2] / "published" / "data" / "cap"
INDICATOR = "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"
MALWARE = "malware--31b940d4-6f7f-459a-80ea-9c1f17b5891b"
TIMES = {"created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z"}


def cap_file(info: str | None = None, **members: str) -> bytes:
    """A CAP message; `members` replace or (empty) remove elements of `<alert>`."""
    given = {
        "identifier": "m1",
        "sender": "a@b",
        "sent": "2026-01-01T10:00:00+01:00",
        "status": "Actual",
        "msgType": "Alert",
        "scope": "Private",
    } | members
    body = "".join(f"<{name}>{value}</{name}>" for name, value in given.items() if value)
    if info is None:
        info = cap_info()
    return f'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">{body}{info}</alert>'.encode()


def cap_info(**members: str) -> str:
    """One `<info>`."""
    given = {
        "category": "Infra",
        "event": "Worm",
        "urgency": "Immediate",
        "severity": "Severe",
        "certainty": "Observed",
        "headline": "Worm in the mill",
        "description": "It spreads.",
    } | members
    return "<info>" + "".join(f"<{name}>{value}</{name}>" for name, value in given.items() if value) + "</info>"


def indicator(**members: Any) -> dict[str, Any]:
    """An indicator object."""
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": INDICATOR,
        **TIMES,
        "name": "bad file",
        "pattern": "[file:hashes.'SHA-256' = 'aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f']",
        "pattern_type": "stix",
        "valid_from": "2026-01-01T00:00:00Z",
        "confidence": 85,
    } | members


def malware(**members: Any) -> dict[str, Any]:
    """A malware object."""
    return {
        "type": "malware",
        "spec_version": "2.1",
        "id": MALWARE,
        **TIMES,
        "name": "Mill worm",
        "is_family": False,
    } | members


def address(number: int) -> dict[str, Any]:
    """An observable: one address."""
    return {
        "type": "ipv4-addr",
        "spec_version": "2.1",
        "id": f"ipv4-addr--{number:08x}-0000-5000-8000-000000000000",
        "value": f"198.51.100.{number % 256}",
    }


def bundle(*objects: dict[str, Any], **members: Any) -> str:
    """A bundle as a text."""
    value = {
        "type": "bundle",
        "id": "bundle--5d0092c5-5f74-4287-9642-33f4c354e56d",
        "objects": list(objects or (indicator(), malware())),
    } | members
    return json.dumps(value)


def cert_channel(parties: tuple[str, ...] = ("ash", "birch")) -> Pack:
    """The lake's direct line with a format for indicators, apart from its alerts and inquiries."""
    data = channel(parties).data
    text = {"type": "string"}
    form = next(form for form in data["formats"] if form["id"] == "note") | {
        "id": "indicators",
        "names": {"en": "Indicators"},
        "fields": fields(**{"stix": text, "stix-sha256": text, "summary": text}) | {"required": ["stix"]},
    }
    return pack_of(data | {"formats": [*data["formats"], form, form | {"id": "quick", "release": "one"}]})
