# SPDX-License-Identifier: Apache-2.0
"""Who signed this text? C2SP signed-note v1.0.0: text, a blank line, signature lines."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import NamedTuple

from servanda.proof.encodings import EncodingError, decode_base64, encode_base64
from servanda.proof.errors import ProofError
from servanda.proof.keys import ED25519_PUBLIC_BYTES, MLDSA44_PUBLIC_BYTES, SignatureInvalid, verify_ed25519

KIND_ED25519 = 0x01
"""Signature type: Ed25519 over the note's text (signed-note)."""

KIND_COSIGNATURE = 0x04
"""Signature type: timestamped Ed25519 cosignature (tlog-cosignature)."""

KIND_MLDSA44 = 0x06
"""Signature type: timestamped ML-DSA-44 cosignature (tlog-cosignature)."""

NOTE_BYTES_MAX = 2**20
"""The size of the largest note, in bytes."""

SIGNATURES_MAX = 200
"""How many signature lines are read at most; signed-note asks for 16 or more."""

KEY_ID_BYTES = 4
"""The length of a key ID in a signature line."""

_PUBLIC_BYTES = {
    KIND_ED25519: ED25519_PUBLIC_BYTES,
    KIND_COSIGNATURE: ED25519_PUBLIC_BYTES,
    KIND_MLDSA44: MLDSA44_PUBLIC_BYTES,
}
_FORBIDDEN = re.compile("[\x00-\x09\x0b-\x1f\ud800-\udfff]")  # control characters but newline; what UTF-8 cannot say
_LINE_START = "— "


class NoteError(ProofError):
    """Bytes are not a signed note or a part of one, or a note is not signed as it should be."""


class NoteSignature(NamedTuple):
    """One signature line: key name, 4-byte key ID, and what the algorithm made. It is claimed, not verified."""

    name: str
    key_id: bytes
    signature: bytes

    def line(self) -> str:
        """Return the signature line with its newline.

        Raises:
            NoteError: the key name has spaces, a plus or control characters, or a part has a wrong length.
        """
        _check_name(self.name)
        if len(self.key_id) != KEY_ID_BYTES or not self.signature:
            raise NoteError("a key ID is not 4 bytes, or a signature is empty")
        return f"{_LINE_START}{self.name} {encode_base64(self.key_id + self.signature)}\n"


class Note(NamedTuple):
    """A text that ends in a newline, and its signatures."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def encode(self) -> bytes:
        """Return the bytes of the signed note.

        Raises:
            NoteError: the text does not end in a newline, holds control characters, or the note is too large.
        """
        if not self.text.endswith("\n") or _FORBIDDEN.search(self.text):
            raise NoteError("the text does not end in a newline, or holds control characters")
        if not 1 <= len(self.signatures) <= SIGNATURES_MAX:
            raise NoteError(f"not 1 to {SIGNATURES_MAX} signatures")
        data = f"{self.text}\n{''.join([signature.line() for signature in self.signatures])}".encode()
        if len(data) > NOTE_BYTES_MAX:
            raise NoteError(f"larger than {NOTE_BYTES_MAX} bytes")
        return data


class VerifierKey(NamedTuple):
    """A public key with the name and signature type it is used under (signed-note, verifier keys)."""

    name: str
    kind: int
    public: bytes

    def encode(self) -> str:
        """Return the text `name+key ID+base64`, the key ID in hexadecimal.

        Raises:
            NoteError: the name is none, or the type or the length of the key is unknown.
        """
        _check_name(self.name)
        if _PUBLIC_BYTES.get(self.kind) != len(self.public):
            raise NoteError("a key of an unknown type or a wrong length")
        key_id = note_key_id(self.name, self.kind, self.public)
        return f"{self.name}+{key_id.hex()}+{encode_base64(bytes([self.kind]) + self.public)}"


def parse_note(data: bytes) -> Note:
    """Return the signed note that the bytes are. No signature is verified here.

    Raises:
        NoteError: they are none, are more than 1 MiB or hold more than 200 signature lines.
    """
    whole = _decode_text(data)
    # The text is separated from the signatures by the last empty line.
    text, blank, lines = whole.rpartition("\n\n")
    if not blank:
        raise NoteError("no blank line before the signatures")
    return Note(text + "\n", _parse_lines(lines))


def parse_signature_lines(data: bytes) -> tuple[NoteSignature, ...]:
    """Return the signatures of one or more signature lines that stand alone.

    Raises:
        NoteError: they are none, are more than 1 MiB or more than 200.
    """
    return _parse_lines(_decode_text(data))


@lru_cache(maxsize=1_024)
def note_key_id(name: str, kind: int, public: bytes) -> bytes:
    """Return the 4-byte key ID: the start of `SHA-256(name || 0x0A || type || public key)` (signed-note)."""
    return hashlib.sha256(b"%b\n%c%b" % (name.encode(), kind, public)).digest()[:KEY_ID_BYTES]


def parse_verifier_key(text: str) -> VerifierKey:
    """Return the verifier key that a text is: types 0x01, 0x04 and 0x06.

    Raises:
        NoteError: it is none, or its key ID is not that of its name, type and key.
    """
    try:
        name, _, encoded = text.split("+", 2)
        typed = decode_base64(encoded)
    except ValueError as error:
        raise NoteError("not a verifier key") from error
    if not typed:
        raise NoteError("not a verifier key")
    key = VerifierKey(name, typed[0], typed[1:])
    if key.encode() != text:
        raise NoteError("the key ID is not that of the name, type and key")
    return key


def verify_note_ed25519(note: Note, key: VerifierKey) -> None:
    """Verify that a key of type 0x01 signed the note (signed-note, Ed25519 signatures).

    Lines of other names or key IDs are ignored; every line of this key must verify, and one must be there.

    Raises:
        NoteError: the note is not signed by the key.
    """
    if key.kind != KIND_ED25519:
        raise NoteError("not a key for Ed25519 note signatures")
    known = (key.name, note_key_id(*key))
    lines = [line for line in note.signatures if (line.name, line.key_id) == known]
    if not lines:
        raise NoteError(f"no signature by {key.name}")
    message = note.text.encode()
    for line in lines:
        try:
            verify_ed25519(key.public, message, line.signature)
        except SignatureInvalid as error:
            raise NoteError(f"the signature by {key.name} does not verify") from error


def _decode_text(data: bytes) -> str:
    if len(data) > NOTE_BYTES_MAX:
        raise NoteError(f"larger than {NOTE_BYTES_MAX} bytes")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise NoteError("not UTF-8") from error
    if _FORBIDDEN.search(text):
        raise NoteError("holds control characters")
    return text


def _parse_lines(text: str) -> tuple[NoteSignature, ...]:
    *lines, rest = text.split("\n")
    if rest or not 1 <= len(lines) <= SIGNATURES_MAX:
        raise NoteError(f"not 1 to {SIGNATURES_MAX} whole signature lines")
    return tuple([_parse_line(line) for line in lines])


def _parse_line(line: str) -> NoteSignature:
    if not line.startswith(_LINE_START):
        raise NoteError("a signature line does not start with an em dash")
    name, space, encoded = line[len(_LINE_START) :].partition(" ")
    _check_name(name)
    try:
        signed = decode_base64(encoded)
    except EncodingError as error:
        raise NoteError(f"a signature line: {error}") from error
    if not space or len(signed) <= KEY_ID_BYTES:
        raise NoteError("a signature line holds no signature")
    return NoteSignature(name, signed[:KEY_ID_BYTES], signed[KEY_ID_BYTES:])


def _check_name(name: str) -> None:
    if name.split() != [name] or "+" in name or _FORBIDDEN.search(name):
        raise NoteError("a key name is empty, or holds spaces, a plus or control characters")
