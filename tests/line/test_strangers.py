# SPDX-License-Identifier: Apache-2.0
"""Does the line speak to the counterparts whose keys the identities state, with TLS 1.3, and to nobody else?"""

from __future__ import annotations

import os
import socket
import ssl
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from cryptography.hazmat.primitives.serialization import load_pem_private_key as load_key

from servanda.keyring.tls import make_tls
from servanda.operations.errors import LineDown, Refusal
from servanda.proof.certificates import spki_sha256
from servanda.transport.https import HttpsCourier
from servanda.transport.tls import client_context, server_context, trust
from tests.line.parts import NOW, PUSH, Keys, Line, ScriptedCentre, courier_to, make_keys


def bare_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def test_a_stranger_that_tls_lets_in_is_sent_away_before_its_body_is_read(line: Line, stranger: Keys) -> None:
    with line.connect(stranger) as connection:
        connection.sendall(b"POST /v1/journals/syr/entries HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n")
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert b'"code":"stranger"' in answer
    assert line.door.calls == []


def test_to_its_courier_that_is_a_line_that_may_come_up_later(line: Line, stranger: Keys) -> None:
    courier = line.courier(stranger)
    with pytest.raises(LineDown) as caught:
        courier.push("opcw", PUSH)
    assert caught.value.code == "stranger"
    courier.close()


def test_a_stranger_does_not_pass_the_handshake(line: Line) -> None:
    courier = line.courier(make_keys("unknown"))
    with pytest.raises(LineDown):
        courier.push("opcw", PUSH)
    assert line.door.calls == []
    courier.close()


def test_a_strangers_certificate_under_a_name_that_is_known_is_refused(line: Line) -> None:
    courier = line.courier(make_keys("syr"))
    with pytest.raises(LineDown):
        courier.push("opcw", PUSH)
    assert line.door.calls == []
    courier.close()


def test_without_a_client_certificate_there_is_no_answer(line: Line) -> None:
    plain = socket.create_connection(("127.0.0.1", line.server.port), timeout=30)
    with bare_context().wrap_socket(plain) as connection:
        connection.sendall(b"GET /v1/packs/00 HTTP/1.1\r\nhost: x\r\n\r\n")
        try:
            answer = connection.recv(65536)
        except OSError:  # whether an end, a reset or an alert is seen first is a matter of luck
            answer = b""
    assert answer == b""
    assert line.door.calls == []


def test_tls_1_2_is_refused(line: Line, syr: Keys) -> None:
    context = bare_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    plain = socket.create_connection(("127.0.0.1", line.server.port), timeout=30)
    with plain, pytest.raises(OSError):
        context.wrap_socket(plain)
    with line.connect() as connection:  # while TLS 1.3 is served
        assert connection.version() == "TLSv1.3"


def test_a_centre_that_speaks_tls_1_2_is_not_spoken_to(syr: Keys, opcw: Keys) -> None:
    old = opcw.server(syr)
    old.minimum_version = ssl.TLSVersion.TLSv1_2
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with ScriptedCentre(old) as centre:
        courier = courier_to(centre.url, syr.client(opcw), opcw.spki)
        with pytest.raises(LineDown):
            courier.push("opcw", PUSH)
        courier.close()


def test_a_server_with_a_key_of_another_party_is_a_wrong_key(line: Line, syr: Keys, opcw: Keys) -> None:
    courier = courier_to(line.url, syr.client(opcw), syr.spki)
    with pytest.raises(LineDown) as caught:
        courier.push("opcw", PUSH)
    assert caught.value.code == "wrong-key"
    assert line.door.calls == []
    courier.close()


def test_a_server_with_an_unknown_certificate_is_a_wrong_key(line: Line, syr: Keys, stranger: Keys) -> None:
    courier = courier_to(line.url, syr.client(stranger), stranger.spki)
    with pytest.raises(LineDown) as caught:
        courier.push("opcw", PUSH)
    assert caught.value.code == "wrong-key"
    courier.close()


def test_a_kept_connection_ends_when_its_key_is_withdrawn(line: Line, syr: Keys, opcw: Keys) -> None:
    pins = [frozenset([opcw.spki])]
    courier = HttpsCourier(lambda _: [line.url], lambda _: pins[0], syr.client(opcw), 5)
    courier.push("opcw", PUSH)
    pins[0] = frozenset()
    with pytest.raises(LineDown) as caught:
        courier.push("opcw", PUSH)
    assert caught.value.code == "wrong-key"
    courier.close()


def test_a_wrong_key_is_told_even_if_the_last_route_is_merely_dead(line: Line, syr: Keys, opcw: Keys) -> None:
    courier = HttpsCourier(
        lambda _: [line.url, "https://127.0.0.1:1"], lambda _: frozenset([syr.spki]), syr.client(opcw), 5
    )
    with pytest.raises(LineDown) as caught:
        courier.push("opcw", PUSH)
    assert caught.value.code == "wrong-key"
    courier.close()


def test_a_peer_whose_key_is_withdrawn_is_a_stranger_on_its_next_request(line: Line, syr: Keys) -> None:
    courier = line.courier()
    courier.push("opcw", PUSH)
    line.door.peers.pop(syr.spki)
    try:
        with pytest.raises(LineDown) as caught:
            courier.push("opcw", PUSH)
        assert caught.value.code == "stranger"
    finally:
        line.door.peers[syr.spki] = "syr"
        courier.close()


def test_a_counterpart_can_be_added_to_a_context_in_use(syr: Keys, opcw: Keys) -> None:
    later = make_keys("iaea")
    line = Line(syr, opcw)
    line.door.peers[later.spki] = "iaea"
    courier = line.courier(later)
    with pytest.raises(LineDown):
        courier.push("opcw", PUSH)
    trust(line._context, later.der)
    courier.push("opcw", PUSH)
    assert line.door.calls == [("push", "iaea", PUSH)]
    courier.close()
    line.server.stop()


def test_the_dates_of_a_certificate_are_not_looked_at(opcw: Keys) -> None:
    old = Keys(*make_tls("syr", NOW - timedelta(days=9_000)))
    line = Line(old, opcw)
    courier = line.courier()
    assert courier.push("opcw", PUSH).size == 4
    courier.close()
    line.server.stop()


def test_transport_and_keyring_agree_on_the_hash_of_a_key(syr: Keys) -> None:
    assert spki_sha256(syr.der) != spki_sha256(make_keys("syr").der)
    with pytest.raises(ValueError):
        spki_sha256(b"no certificate")


def test_the_private_key_leaves_no_file(syr: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = set(os.listdir("/proc/self/fd"))
    server_context(*syr, [])
    assert list(tmp_path.iterdir()) == []
    assert set(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_contexts_are_made_with_and_without_memory_files(
    syr: Keys, opcw: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("sys.platform", platform)
    context = client_context(*syr, [opcw.der])
    assert context.minimum_version == ssl.TLSVersion.TLSv1_3
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.cert_store_stats()["x509"] == 1
    assert list(tmp_path.iterdir()) == []


def test_keys_and_certificates_that_cannot_be_used_are_refused(syr: Keys, opcw: Keys) -> None:
    secret = load_key(syr.key_pem, None).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    for key, certificate, pinned in [
        (b"", syr.certificate_pem, []),
        (secret, syr.certificate_pem, []),
        (syr.key_pem, opcw.certificate_pem, []),
        (syr.key_pem, syr.certificate_pem, [b"no certificate"]),
        (syr.key_pem, syr.certificate_pem, [b""]),
    ]:
        with pytest.raises(Refusal) as caught:
            server_context(key, certificate, pinned)
        assert caught.value.code == "tls"


def test_the_certificates_are_no_authorities(syr: Keys) -> None:
    certificate = x509.load_der_x509_certificate(syr.der)
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
