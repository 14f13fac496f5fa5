# SPDX-License-Identifier: Apache-2.0
"""What is one answer of HTTP, read strictly as it comes in, within bounds?"""

from __future__ import annotations

import httptools

from servanda.transport.wire import ERROR_BYTES_MAX, bad_answer

_HEAD_BYTES_MAX = 64 * 1024


class Answer:
    """One answer as it comes in; the parser calls the methods that begin with `on_`."""

    def __init__(self, limit: int) -> None:
        """Await an answer whose body has at most `limit` bytes if it is a good one."""
        self.status, self.keep, self.whole = 0, False, False
        self.body = bytearray()
        self._limit = limit
        self._head_bytes = 0
        self._measured = False
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Take what has come in.

        Raises:
            LineDown: it is not one answer of stated length, or longer than it may be.
        """
        if not self.status:
            self._head_bytes += len(data)
            if self._head_bytes > _HEAD_BYTES_MAX:
                raise bad_answer("more header than an answer may have")
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            raise error.__context__ or error from None
        except httptools.HttpParserError as error:
            raise bad_answer(str(error) or type(error).__name__) from error

    def on_message_begin(self) -> None:
        """Another answer begins."""
        if self.whole:
            raise bad_answer("more than one answer to one request")

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header of the answer."""
        self._measured = self._measured or name.lower() in (b"content-length", b"transfer-encoding")

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self.status = self._parser.get_status_code()
        if self.status < 200 or not self._measured:
            raise bad_answer("of no stated length")
        self.keep = self._parser.should_keep_alive()
        if self.status != 200:
            self._limit = ERROR_BYTES_MAX

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        if len(self.body) + len(body) > self._limit:
            raise bad_answer(f"more than {self._limit} bytes")
        self.body += body

    def on_message_complete(self) -> None:
        """The answer is whole."""
        self.whole = True
