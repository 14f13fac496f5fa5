# SPDX-License-Identifier: Apache-2.0
"""Does a keyring give back what was put into it, only under its passphrase, and never half of it?"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey
from hypothesis import given
from hypothesis import strategies as st

from servanda.keyring import keyfile
from servanda.keyring.errors import KeyringError
from servanda.keyring.keyfile import Cost, Keyring, create_keyring, open_keyring
from servanda.operations.errors import Refusal
from servanda.operations.ports import Signer
from servanda.proof import canonical

CHEAP = Cost(memory=8, iterations=1, lanes=1)
NAMES = {"centre": "ed25519", "centre-pq": "ml-dsa-44"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "centre.keys"


def create(path: Path, passphrase: str = "correct horse") -> Keyring:
    return create_keyring(path, passphrase, NAMES, CHEAP)


def read(path: Path) -> Any:
    return canonical.decode(path.read_bytes())


def change(path: Path, edit: Callable[[Any], None]) -> None:
    document = read(path)
    edit(document)
    path.write_bytes(canonical.encode(document))


class TestKeys:
    def test_signers_sign_the_same_after_reopening(self, path: Path) -> None:
        made = create(path)
        opened = open_keyring(path, "correct horse")
        assert opened.names() == ["centre", "centre-pq"]
        ed25519: Signer = opened.signer("centre")
        ml_dsa: Signer = opened.signer("centre-pq")
        assert (ed25519.algorithm, len(ed25519.public), len(ed25519.sign(b"m"))) == ("ed25519", 32, 64)
        assert (ml_dsa.algorithm, len(ml_dsa.public), len(ml_dsa.sign(b"m"))) == ("ml-dsa-44", 1312, 2420)
        Ed25519PublicKey.from_public_bytes(made.signer("centre").public).verify(ed25519.sign(b"m"), b"m")
        MLDSA44PublicKey.from_public_bytes(made.signer("centre-pq").public).verify(ml_dsa.sign(b"m"), b"m")

    def test_keys_of_two_keyrings_differ(self, path: Path, tmp_path: Path) -> None:
        one, two = create(path), create(tmp_path / "other.keys")
        assert one.signer("centre").public != two.signer("centre").public

    def test_a_missing_name_is_told_with_those_there_are(self, path: Path) -> None:
        with pytest.raises(KeyringError, match=r"no key named 'root'; there are: centre, centre-pq"):
            create(path).signer("root")

    def test_a_key_is_never_replaced(self, path: Path) -> None:
        keyring = create(path)
        public = keyring.signer("centre").public
        with pytest.raises(KeyringError, match="already"):
            keyring.add("centre", "ed25519")
        assert keyring.signer("centre").public == public

    @pytest.mark.parametrize("name", ["", "é", "a\n", "x" * 129])
    def test_names_are_printable_ascii(self, path: Path, name: str) -> None:
        keyring = create(path)
        with pytest.raises(KeyringError, match="is no name"):
            keyring.add(name, "ed25519")
        with pytest.raises(KeyringError, match="is no name"):
            keyring.put_secret(name, b"")

    def test_an_unknown_algorithm_leaves_no_file(self, path: Path) -> None:
        with pytest.raises(KeyringError, match="choose ed25519 or ml-dsa-44"):
            create_keyring(path, "p", {"centre": "rsa"}, CHEAP)
        assert not path.exists()


class TestSaving:
    def test_what_is_added_and_put_is_there_after_save_only(self, path: Path) -> None:
        keyring = create(path)
        added = keyring.add("officer", "ed25519")
        keyring.put_secret("tls", b"\x00pem\xff")
        assert open_keyring(path, "correct horse").names() == ["centre", "centre-pq"]
        keyring.save()
        opened = open_keyring(path, "correct horse")
        assert opened.signer("officer").public == added.public
        assert opened.secret("tls") == b"\x00pem\xff"
        with pytest.raises(KeyringError, match="no secret named 'other'"):
            opened.secret("other")

    def test_the_file_is_canonical_for_its_owner_only_and_shows_no_name_or_key(self, path: Path) -> None:
        keyring = create(path)
        keyring.put_secret("tls-name", b"tls-value")
        keyring.save()
        data = path.read_bytes()
        assert path.stat().st_mode & 0o777 == 0o600
        assert canonical.encode(canonical.decode(data)) == data
        assert b"centre" not in data
        assert b"tls" not in data

    def test_each_save_has_its_own_nonce(self, path: Path) -> None:
        keyring = create(path)
        nonces = set()
        for _ in range(5):
            keyring.save()
            nonces.add(read(path)["nonce"])
        assert len(nonces) == 5

    def test_an_existing_file_is_not_overwritten(self, path: Path) -> None:
        path.write_bytes(b"precious")
        with pytest.raises(KeyringError, match="exists"):
            create(path)
        assert path.read_bytes() == b"precious"

    def test_what_another_process_saved_is_not_overwritten(self, path: Path) -> None:
        create(path)
        one, two = open_keyring(path, "correct horse"), open_keyring(path, "correct horse")
        one.add("first", "ed25519")
        one.save()
        two.add("second", "ed25519")
        with pytest.raises(KeyringError, match="changed since"):
            two.save()
        assert "first" in open_keyring(path, "correct horse").names()

    @pytest.mark.parametrize("moment", ["fsync", "replace"])
    def test_a_failure_while_saving_leaves_the_old_file_and_no_other(
        self, path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
    ) -> None:
        keyring = create(path)
        before = path.read_bytes()

        def fail(*_: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(*((os, "fsync", fail) if moment == "fsync" else (Path, "replace", fail)))
            keyring.add("officer", "ed25519")
            with pytest.raises(KeyringError, match="No space left"):
                keyring.save()
            with pytest.raises(KeyringError, match="No space left"):
                keyring.change_passphrase("new")
        assert path.read_bytes() == before
        assert list(path.parent.iterdir()) == [path]
        keyring.save()
        assert "officer" in open_keyring(path, "correct horse").names()

    def test_a_creation_that_fails_leaves_no_file(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object) -> None:
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(KeyringError):
            create(path)
        assert list(path.parent.iterdir()) == []

    def test_a_link_stays_a_link(self, path: Path, tmp_path: Path) -> None:
        create(path)
        link = tmp_path / "link.keys"
        link.symlink_to(path)
        keyring = open_keyring(link, "correct horse")
        keyring.add("officer", "ed25519")
        keyring.save()
        assert link.is_symlink()
        assert "officer" in open_keyring(path, "correct horse").names()


class TestPassphrase:
    def test_a_wrong_one_is_refused_naming_the_file_and_what_to_do(self, path: Path) -> None:
        create(path)
        with pytest.raises(KeyringError, match=r"centre\.keys: the passphrase is wrong .* try again") as caught:
            open_keyring(path, "correct hors")
        assert isinstance(caught.value, Refusal)
        assert caught.value.code == "keyring"

    @pytest.mark.parametrize("passphrase", ["", "\ud800"])
    def test_one_that_is_empty_or_no_text_is_refused(self, path: Path, passphrase: str) -> None:
        with pytest.raises(KeyringError, match="passphrase"):
            create(path, passphrase)
        assert not path.exists()

    def test_composed_and_decomposed_letters_are_the_same(self, path: Path) -> None:
        create(path, "caf\u00e9")
        open_keyring(path, "cafe\u0301")

    def test_after_a_change_only_the_new_one_opens(self, path: Path) -> None:
        keyring = create(path)
        salt = read(path)["kdf"]["salt"]
        keyring.change_passphrase("new")
        kdf = read(path)["kdf"]
        assert (kdf["memory"], kdf["iterations"], kdf["lanes"]) == (8, 1, 1)
        assert kdf["salt"] != salt
        assert open_keyring(path, "new").signer("centre").public == keyring.signer("centre").public
        with pytest.raises(KeyringError):
            open_keyring(path, "correct horse")
        keyring.add("officer", "ed25519")
        keyring.save()
        open_keyring(path, "new")

    def test_the_default_cost_is_64_mib_and_three_passes(self, path: Path) -> None:
        create_keyring(path, "p", {})
        kdf = read(path)["kdf"]
        assert (kdf["memory"], kdf["iterations"], kdf["lanes"], kdf["name"]) == (65536, 3, 1, "argon2id")
        assert open_keyring(path, "p").names() == []


class TestDamage:
    def test_no_file(self, path: Path) -> None:
        with pytest.raises(KeyringError, match="there is no keyring"):
            open_keyring(path, "p")

    def test_a_folder(self, path: Path) -> None:
        path.mkdir()
        with pytest.raises(KeyringError, match="cannot be read"):
            open_keyring(path, "p")

    def test_a_file_too_large_is_not_read(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        create(path)
        monkeypatch.setattr(keyfile, "FILE_BYTES_MAX", 100)
        with pytest.raises(KeyringError, match="larger than 100"):
            open_keyring(path, "correct horse")

    @pytest.mark.parametrize(
        ("member", "value"),
        [
            ("memory", 1024 * 1024 + 1),
            ("memory", 7),
            ("memory", "64"),
            ("iterations", 101),
            ("iterations", 0),
            ("lanes", 17),
            ("lanes", 0),
            ("name", "scrypt"),
        ],
    )
    def test_parameters_out_of_bounds_are_refused_before_any_work(
        self, path: Path, monkeypatch: pytest.MonkeyPatch, member: str, value: object
    ) -> None:
        create(path)
        change(path, lambda document: document["kdf"].update({member: value}))
        monkeypatch.delattr(keyfile, "Argon2id")
        with pytest.raises(KeyringError, match="damaged or no keyring"):
            open_keyring(path, "correct horse")

    @pytest.mark.parametrize(("member", "value"), [("memory", 9), ("iterations", 2), ("lanes", 2), ("salt", "AAAA")])
    def test_parameters_cannot_be_exchanged(self, path: Path, member: str, value: object) -> None:
        create(path)
        change(path, lambda document: document["kdf"].update({member: value}))
        with pytest.raises(KeyringError):
            open_keyring(path, "correct horse")

    def test_parameters_are_authenticated_even_if_the_same_key_comes_out(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(keyfile, "_derive", lambda *_: bytes(32))
        create(path)
        open_keyring(path, "correct horse")
        change(path, lambda document: document["kdf"].update({"iterations": 2}))
        with pytest.raises(KeyringError, match="passphrase is wrong or the file is damaged"):
            open_keyring(path, "correct horse")

    def test_other_versions_ciphers_and_members_are_refused(self, path: Path) -> None:
        for other in ({"servanda-keyring": 2}, {"cipher": "none"}, {"more": 1}, {"nonce": "AAAA"}):
            create(path)
            path.write_bytes(canonical.encode(read(path) | other))
            with pytest.raises(KeyringError):
                open_keyring(path, "correct horse")
            path.unlink()

    def test_bytes_have_one_form_in_base64(self, path: Path) -> None:
        create(path)
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        salt = read(path)["kdf"]["salt"]
        again = salt[:-3] + alphabet[alphabet.index(salt[-3]) + 1] + "=="
        assert base64.b64decode(again) == base64.b64decode(salt)
        change(path, lambda document: document["kdf"].update({"salt": again}))
        with pytest.raises(KeyringError, match="one form"):
            open_keyring(path, "correct horse")

    def test_any_flipped_byte_and_any_cut_is_refused(self, path: Path) -> None:
        create(path)
        data = path.read_bytes()
        for offset in range(len(data)):
            path.write_bytes(data[:offset] + bytes([data[offset] ^ 1]) + data[offset + 1 :])
            with pytest.raises(KeyringError):
                open_keyring(path, "correct horse")
            path.write_bytes(data[:offset])
            with pytest.raises(KeyringError):
                open_keyring(path, "correct horse")

    @given(data=st.binary(max_size=300))
    def test_noise_is_refused(self, tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
        path = tmp_path_factory.getbasetemp() / "noise.keys"
        path.write_bytes(data)
        with pytest.raises(KeyringError, match="damaged or no keyring"):
            open_keyring(path, "p")
