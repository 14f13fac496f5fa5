# SPDX-License-Identifier: Apache-2.0
"""With what does a centre show itself on the line? With a certificate known by its key's hash (spec/line.md)."""

from __future__ import annotations

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALIDITY = timedelta(days=3652)
"""Ten years. The date is not what is trusted: the identity states the key, and a new identity withdraws it."""

_CLOCK_SKEW = timedelta(days=1)


def make_tls(common_name: str, now: datetime) -> tuple[bytes, bytes]:
    """Make an ECDSA P-256 key and a self-signed certificate for both ends of the line.

    Args:
        common_name: 1 to 64 characters, for people who look at it; nothing checks it.
        now: the present time, with a time zone. The certificate holds from a day before, for clocks that are behind.

    Returns:
        The private key (PKCS #8, not encrypted) and the certificate, both PEM.

    Raises:
        ValueError: the name is empty or too long, or the time has no time zone.
    """
    if now.tzinfo is None:
        raise ValueError("the time needs a time zone")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    subject_key = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + VALIDITY)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(subject_key, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(subject_key), critical=False)
        .sign(key, hashes.SHA256())
    )
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return key_pem, certificate.public_bytes(serialization.Encoding.PEM)
