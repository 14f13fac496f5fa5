# SPDX-License-Identifier: Apache-2.0
"""Signed notes, checkpoints and cosignatures that others published or made.

Sources: C2SP signed-note, tlog-checkpoint and tlog-cosignature (their examples); the documentation of Go's
golang.org/x/mod/sumdb/note; a subtree cosignature made by filippo.io/torchwood, as published with
transparency-dev/formats. Keys and signatures vouch for what was typed here: the key IDs and signatures must verify.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from servanda.proof.checkpoints import Checkpoint, parse_checkpoint
from servanda.proof.cosignatures import ed25519_message, mldsa44_message, parse_cosignature
from servanda.proof.encodings import decode_base64
from servanda.proof.keys import SignatureInvalid, verify_ed25519, verify_mldsa44
from servanda.proof.notes import (
    KIND_COSIGNATURE,
    KIND_ED25519,
    KIND_MLDSA44,
    NoteError,
    note_key_id,
    parse_note,
    parse_signature_lines,
    parse_verifier_key,
    verify_note_ed25519,
)

DATA = Path(__file__).parent / "data"

# golang.org/x/mod/sumdb/note, package documentation
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
# C2SP signed-note, verifier keys
SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n"
    "\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# C2SP signed-note, first example
QUASIMODO = (
    "Ognuno sta solo sul cuor della terra\n"
    "trafitto da un raggio di sole:\n"
    "\n"
    "ed è subito sera.\n"
    "\n"
    "— quasimodo.example/salvatore "
    "NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
)
# C2SP tlog-checkpoint
SOFA = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
SOFA_NOTE = (
    SOFA + "\n— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)
# C2SP tlog-cosignature
COSIGNED_NOTE = (
    SOFA_NOTE + "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZ"
    "qhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
COSIGNED_MESSAGE = "cosignature/v1\ntime 1679315147\n" + SOFA


@pytest.mark.parametrize(("key", "note"), [(GO_KEY, GO_NOTE), (SPEC_KEY, SPEC_NOTE)])
def test_a_published_note_verifies_under_its_published_key(key, note):
    verifier = parse_verifier_key(key)
    assert verifier.kind == KIND_ED25519
    assert verifier.encode() == key
    verify_note_ed25519(parse_note(note.encode()), verifier)
    with pytest.raises(NoteError):
        verify_note_ed25519(parse_note(note.replace("is", "was", 1).encode()), verifier)


@pytest.mark.parametrize("note", [GO_NOTE, SPEC_NOTE, QUASIMODO, SOFA_NOTE, COSIGNED_NOTE])
def test_a_published_note_is_read_and_written_byte_for_byte(note):
    parsed = parse_note(note.encode())
    assert parsed.encode() == note.encode()
    assert note.startswith(parsed.text + "\n— ")


def test_the_text_of_a_note_may_hold_blank_lines():
    assert parse_note(QUASIMODO.encode()).text.endswith("sole:\n\ned è subito sera.\n")


def test_the_published_checkpoint_is_read_and_written():
    checkpoint = parse_checkpoint(parse_note(SOFA_NOTE.encode()).text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint.text() == SOFA


def test_the_published_cosignature_has_the_time_of_its_published_message():
    note = parse_note(COSIGNED_NOTE.encode())
    line = note.signatures[1]
    cosignature = parse_cosignature(line.key_id + line.signature, KIND_COSIGNATURE)
    assert cosignature.encode() == line.key_id + line.signature
    checkpoint = parse_checkpoint(note.text)
    assert ed25519_message(checkpoint, cosignature.timestamp) == COSIGNED_MESSAGE.encode()


def test_a_subtree_cosignature_of_another_implementation_verifies():
    vkey, origin, span, root, line = (DATA / "torchwood-subtree-cosignature.txt").read_text("utf-8").splitlines()
    key = parse_verifier_key(vkey)
    assert key.kind == KIND_MLDSA44
    (signature,) = parse_signature_lines(f"{line}\n".encode())
    assert (signature.name, signature.key_id) == (key.name, note_key_id(*key))
    cosignature = parse_cosignature(signature.key_id + signature.signature, KIND_MLDSA44)
    start, end = map(int, span.split())

    def message(**changes):
        said = {"cosigner_name": key.name, "timestamp": cosignature.timestamp, "origin": origin}
        said |= {"start": start, "end": end, "root": decode_base64(root)}
        return mldsa44_message(**(said | changes))

    verify_mldsa44(key.public, message(), cosignature.signature)
    for change in ({"cosigner_name": "other"}, {"origin": "other"}, {"start": 7}, {"end": 14}, {"root": bytes(32)}):
        with pytest.raises(SignatureInvalid):
            verify_mldsa44(key.public, message(**change), cosignature.signature)


@pytest.mark.parametrize(
    ("public", "message", "signature"),
    [
        (  # RFC 8032 section 7.1, TEST 1
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
            "d25bf5f0595bbe24655141438e7a100b",
        ),
        (  # TEST 2
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
            "387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (  # TEST 3
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
            "4a7c15e9716ed28dc027beceea1ec40a",
        ),
    ],
)
def test_the_signatures_of_rfc_8032_verify(public, message, signature):
    verify_ed25519(bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature))
    with pytest.raises(SignatureInvalid):
        verify_ed25519(bytes.fromhex(public), bytes.fromhex(message) + b"\0", bytes.fromhex(signature))


def test_a_checkpoint_with_an_extension_line_is_read_by_others_and_refused_here():
    with pytest.raises(ValueError):
        parse_checkpoint(Checkpoint("a", 1, bytes(32)).text() + "extension\n")
