# SPDX-License-Identifier: Apache-2.0
"""Whom does a TLS connection of ours accept? Counterparts by their own certificates; no authority (spec/line.md)."""

from __future__ import annotations

import os
import ssl
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from servanda.operations.errors import Refusal

_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME; the identity says when a key ends, not the certificate


def server_context(key_pem: bytes, certificate_pem: bytes, pinned: Iterable[bytes]) -> ssl.SSLContext:
    """Return a context for the side that listens: TLS 1.3, client certificates required.

    Args:
        key_pem: our private key, not encrypted; it touches no disk.
        certificate_pem: our self-signed certificate.
        pinned: the counterparts' self-signed certificates, DER.

    Raises:
        Refusal: a key or certificate cannot be used (code `tls`).
    """
    context = _context(ssl.PROTOCOL_TLS_SERVER, key_pem, certificate_pem, pinned)
    # No session is resumed, so that a certificate is shown, and judged, on every connection.
    context.num_tickets = 0
    return context


def client_context(key_pem: bytes, certificate_pem: bytes, pinned: Iterable[bytes]) -> ssl.SSLContext:
    """Return a context for the side that calls: TLS 1.3, the server's certificate required, names not looked at.

    Arguments and errors are those of `server_context`.
    """
    return _context(ssl.PROTOCOL_TLS_CLIENT, key_pem, certificate_pem, pinned)


def trust(context: ssl.SSLContext, certificate: bytes) -> None:
    """Accept one more counterpart's certificate (DER) from now on, also in a context that is in use.

    Raises:
        Refusal: it is no certificate (code `tls`).
    """
    try:
        context.load_verify_locations(cadata=certificate)
    except (ssl.SSLError, ValueError) as error:
        raise Refusal(f"a counterpart's certificate cannot be used: {error}", "tls") from error


def _context(side: int, key_pem: bytes, certificate_pem: bytes, pinned: Iterable[bytes]) -> ssl.SSLContext:
    context = ssl.SSLContext(side)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= _NO_CHECK_TIME
    try:
        _load_chain(context, key_pem.rstrip() + b"\n" + certificate_pem)
    except (ssl.SSLError, ValueError) as error:
        raise Refusal(f"our key and certificate for TLS cannot be used: {error}", "tls") from error
    for certificate in pinned:
        trust(context, certificate)
    return context


def _load_chain(context: ssl.SSLContext, pem: bytes) -> None:
    """Load key and certificate through a file, since `ssl` knows no other way, but one that is never on a disk."""
    if sys.platform == "linux":
        number = os.memfd_create("tls", os.MFD_CLOEXEC)
        with os.fdopen(number, "wb") as file:
            file.write(pem)
            file.flush()
            # An empty password: an encrypted key is an error then, not a question on the terminal.
            context.load_cert_chain(f"/proc/self/fd/{number}", password="")
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "tls.pem"
            path.touch(0o600)
            path.write_bytes(pem)
            context.load_cert_chain(path, password="")
