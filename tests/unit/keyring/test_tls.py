# SPDX-License-Identifier: Apache-2.0
"""Does the certificate of a centre carry a connection with TLS 1.3 on both sides, and have one hash?"""

from __future__ import annotations

import hashlib
import ssl
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from hypothesis import given
from hypothesis import strategies as st

from servanda.keyring.tls import make_tls
from servanda.proof.certificates import spki_sha256

NOW = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)


def test_the_certificate_is_of_its_own_p256_key_for_ten_years() -> None:
    key_pem, certificate_pem = make_tls("syr", NOW)
    key = load_pem_private_key(key_pem, password=None)
    certificate = x509.load_pem_x509_certificate(certificate_pem)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert isinstance(key.curve, ec.SECP256R1)
    assert certificate.public_key() == key.public_key()
    certificate.verify_directly_issued_by(certificate)
    assert certificate.subject.rfc4514_string() == "CN=syr"
    assert certificate.not_valid_before_utc == datetime(2026, 2, 28, 12, 30, 15, tzinfo=UTC)
    assert certificate.not_valid_after_utc == datetime(2036, 2, 29, 12, 30, 15, tzinfo=UTC)


def test_a_time_in_another_zone_is_the_same_time() -> None:
    _, certificate = make_tls("syr", NOW.astimezone(timezone(timedelta(hours=9))))
    start = x509.load_pem_x509_certificate(certificate).not_valid_before_utc
    assert start == datetime(2026, 2, 28, 12, 30, 15, tzinfo=UTC)


@pytest.mark.parametrize(("name", "now"), [("", NOW), ("x" * 65, NOW), ("syr", NOW.replace(tzinfo=None))])
def test_a_name_or_time_that_cannot_be_used_is_refused(name: str, now: datetime) -> None:
    with pytest.raises(ValueError):
        make_tls(name, now)


def test_the_hash_is_that_of_the_public_key_alone() -> None:
    key_pem, certificate_pem = make_tls("syr", NOW)
    public = load_pem_private_key(key_pem, password=None).public_key()
    expected = hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
    assert spki_sha256(ssl.PEM_cert_to_DER_cert(certificate_pem.decode())) == expected
    _, other = make_tls("syr", NOW)
    assert spki_sha256(ssl.PEM_cert_to_DER_cert(other.decode())) != expected


@given(data=st.binary(max_size=200))
def test_bytes_that_are_no_certificate_are_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a certificate"):
        spki_sha256(data)


def context(folder: Path, name: str, trusted: str, server: bool) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.check_hostname = False
    made.verify_mode = ssl.CERT_REQUIRED
    made.verify_flags |= ssl.VERIFY_X509_STRICT
    made.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    made.load_verify_locations(folder / f"{trusted}.pem")
    return made


def test_two_centres_shake_hands_over_each_others_certificates(tmp_path: Path) -> None:
    now = datetime.fromtimestamp(tmp_path.stat().st_mtime, UTC)
    for name in ("syr", "opcw"):
        key, certificate = make_tls(name, now)
        (tmp_path / f"{name}.key").write_bytes(key)
        (tmp_path / f"{name}.pem").write_bytes(certificate)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context(tmp_path, "syr", "opcw", server=False).wrap_bio(to_client, to_server)
    server = context(tmp_path, "opcw", "syr", server=True).wrap_bio(to_server, to_client, server_side=True)
    done: set[ssl.SSLObject] = set()
    for _ in range(5):
        for side in (client, server):
            try:
                side.do_handshake()
                done.add(side)
            except ssl.SSLWantReadError:
                continue
    assert done == {client, server}
    assert client.version() == "TLSv1.3"
    seen = server.getpeercert(binary_form=True)
    assert seen is not None
    assert spki_sha256(seen) == spki_sha256(ssl.PEM_cert_to_DER_cert((tmp_path / "syr.pem").read_text()))
