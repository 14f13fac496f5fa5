# SPDX-License-Identifier: Apache-2.0
"""Whose certificate is this? The hash of its public key, by which an identity pins it (`tls` of spec/identity.md)."""

from __future__ import annotations

import hashlib

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from servanda.proof.errors import ProofError


class CertificateError(ProofError):
    """The bytes are no certificate, or its key is of a kind that cannot be read."""


def spki_sha256(certificate: bytes) -> str:
    """SHA-256, in lowercase hexadecimal, of a DER certificate's SubjectPublicKeyInfo.

    Raises:
        CertificateError: see there.
    """
    try:
        public = x509.load_der_x509_certificate(certificate).public_key()
        info = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CertificateError(f"not a certificate with a usable key: {error}") from error
    return hashlib.sha256(info).hexdigest()
