# SPDX-License-Identifier: Apache-2.0
"""The word that stands in every interchange file about something that is not actual."""

from __future__ import annotations

MARKS = {"actual": "", "exercise": "EXERCISE", "test": "TEST"}
MEANINGS = {
    "actual": "",
    "exercise": "EXERCISE. Part of an exercise: nothing in this message is happening.",
    "test": "TEST. A test of the line: nothing in this message is happening.",
}


def marked(text: str, status: str) -> str:
    """A text with the word of its status before it; actual ones stay as they are."""
    return f"{MARKS[status]}: {text}" if MARKS[status] else text


def unmarked(text: str, status: str) -> str:
    """A text without the word of its status: the other way round."""
    return text.removeprefix(f"{MARKS[status]}: ") if MARKS[status] else text
