# SPDX-License-Identifier: Apache-2.0
"""The page on what the source documents describe is made from the acceptance tests, and is current."""

from __future__ import annotations

from tools.coverage import PAGE, page, rows


def test_the_page_is_what_the_acceptance_tests_say() -> None:
    assert PAGE.read_text() == page()


def test_every_row_quotes_its_document() -> None:
    for row in rows():
        assert row.said[:5] in ("000: ", "002: "), row
        assert "“" in row.said, row
