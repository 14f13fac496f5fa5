# SPDX-License-Identifier: Apache-2.0
"""When a receipt was made, if it verifies. The same receipt is asked about when it arrives, is cited, and is judged."""

from __future__ import annotations

from functools import lru_cache

from servanda.proof.checkpoints import Checkpoint
from servanda.proof.cosignatures import CosignatureError, parse_cosignature, verify_cosignature


@lru_cache(maxsize=1024)
def receipt_time(checkpoint: Checkpoint, name: str, kind: int, public: bytes, raw: bytes) -> int | None:
    """The timestamp of a receipt, in seconds since 1970, or None if it does not verify.

    Args:
        checkpoint: what it is over.
        name: key name of the receipt key.
        kind: signature type, 0x04 or 0x06.
        public: the receipt key.
        raw: key ID, timestamp and signature, as in a note's signature line.
    """
    try:
        cosignature = parse_cosignature(raw, kind)
        return verify_cosignature(checkpoint, name=name, kind=kind, public=public, cosignature=cosignature)
    except CosignatureError:
        return None
