# SPDX-License-Identifier: Apache-2.0
"""The words of reports, a module for each language. A language that has none here gets the English ones."""

from __future__ import annotations

from servanda.reports.words import ar, en, es, fr, ru

LANGUAGES: dict[str, dict[str, str]] = {
    "ar": ar.WORDS,
    "en": en.WORDS,
    "es": es.WORDS,
    "fr": fr.WORDS,
    "ru": ru.WORDS,
}


def words_of(language: str) -> dict[str, str]:
    """The words in a language; the English ones if there are none."""
    return LANGUAGES.get(language, LANGUAGES["en"])
