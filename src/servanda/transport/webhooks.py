# SPDX-License-Identifier: Apache-2.0
"""Posts a signed notice to the address of a webhook, once: no redirection is followed, no other address is asked."""

from __future__ import annotations

import http.client
import ssl
from urllib.parse import urlsplit

from servanda.interchange.webhooks import Notice, Webhook, signature
from servanda.operations.errors import LineDown

SECONDS = 15.0


class HttpPoster:
    """Posts notices, one connection each."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        """Prepare.

        Args:
            context: for HTTPS; None for the machine's trusted authorities.
        """
        self._context = context

    def post(self, hook: Webhook, notice: Notice, timestamp: int) -> None:
        """Post a notice, signed for this moment.

        Args:
            hook: who receives it.
            notice: what is said.
            timestamp: now, in seconds since 1970.

        Raises:
            LineDown: the receiver cannot be reached, is slow, or answers anything but success, a redirection included.
        """
        url = urlsplit(hook.url)
        headers = {
            "content-type": "application/json",
            "user-agent": "servanda",
            "webhook-id": notice.identifier,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(hook.secret, notice.identifier, timestamp, notice.body),
        }
        assert url.hostname is not None
        connection: http.client.HTTPConnection
        if url.scheme == "https":
            context = self._context or ssl.create_default_context()
            connection = http.client.HTTPSConnection(url.hostname, url.port, timeout=SECONDS, context=context)
        else:
            connection = http.client.HTTPConnection(url.hostname, url.port, timeout=SECONDS)
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        try:
            connection.request("POST", target, notice.body, headers)
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise LineDown(f"{hook.name}: {error or type(error).__name__}") from error
        finally:
            connection.close()
        if not 200 <= answer.status < 300:
            raise LineDown(f"{hook.name} answered {answer.status}")
