# SPDX-License-Identifier: Apache-2.0
"""What travels within an entry in a form of its own is checked before it is kept and again when it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from servanda.interchange.errors import InterchangeError
from servanda.interchange.stix import MEMBER, carried, check_attachment
from servanda.operations.errors import Refusal


def check_attachments(form: str, content: Mapping[str, Any]) -> None:
    """Check what the content of a draft of format `form` carries.

    Raises:
        Refusal: a STIX bundle that is malformed or too large (`stix`, `over-size`); nothing has changed.
    """
    try:
        check_attachment(carried(form, content))
    except InterchangeError as error:
        raise Refusal(str(error), error.code) from error


def attachment_view(form: str, content: Mapping[str, Any]) -> dict[str, Any] | None:
    """What is said of the attachment of an entry of format `form` when it is shown; None if it has none."""
    content = carried(form, content)
    if MEMBER not in content:
        return None
    try:
        bundle = check_attachment(content)
    except InterchangeError as error:
        return {"problem": f"{error.code}: {error}"}
    assert bundle is not None
    return {"bundle": bundle.identifier, "objects": len(bundle.objects), "sha256": bundle.sha256}
