# SPDX-License-Identifier: Apache-2.0
"""Why a line is down is told to a watch officer, not to a programmer."""

from __future__ import annotations

import errno
import ssl

import pytest

from servanda.transport.connection import words_of


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "Connection refused"),
        (ssl.SSLEOFError(8, "[SSL: X] EOF occurred (_ssl.c:1)"), "the other side closed the connection during TLS"),
        (TimeoutError("timed out"), "timed out"),
        (OSError("the name has no address"), "the name has no address"),
        (OSError(), "OSError"),
    ],
)
def test_an_error_of_the_system_is_put_into_words(error: OSError, words: str) -> None:
    assert words_of(error) == words


def test_an_error_of_tls_names_no_source_file() -> None:
    error = ssl.SSLError(1, "[SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca (_ssl.c:1006)")
    assert "_ssl.c" not in words_of(error)
    assert words_of(error).startswith("TLS failed: ")
