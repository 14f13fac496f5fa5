# SPDX-License-Identifier: Apache-2.0
"""How results look on a terminal: the same data as `--json`, as tables and sentences."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

_UNSEEN = (
    *range(0x20),
    *range(0x7F, 0xA0),
    0x061C,
    0x200E,
    0x200F,
    *range(0x2028, 0x202F),
    *range(0x2066, 0x206A),
    0xFEFF,
)
_SEEN = {code: f"\\u{code:04x}" for code in _UNSEEN}


def plain(text: object) -> str:
    """Text for a terminal: what could move the cursor, change colours or turn the writing round is escaped."""
    return str(text).translate(_SEEN)


def say(text: str) -> None:
    """Print one line whose parts may come from a counterpart."""
    click.echo(plain(text))


def emit(data: Any, as_json: bool) -> bool:
    """Print `data` as JSON if asked; returns whether that was done."""
    if as_json:
        click.echo("\n".join(map(plain, json.dumps(data, indent=2, ensure_ascii=False, sort_keys=True).split("\n"))))
    return as_json


def table(title: str, heads: Sequence[str], rows: Iterable[Sequence[Any]], right: Sequence[int] = ()) -> None:
    """Print a table; columns in `right` are aligned right. No row is cut: long cells wrap."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    shown = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for index, head in enumerate(heads):
        shown.add_column(head, justify="right" if index in right else "left", overflow="fold")
    for row in rows:
        shown.add_row(*("—" if cell is None else plain(cell) for cell in row))
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = max(console.width, 150)
    console.print(shown)


def amount_text(amount: int | None, unit: Mapping[str, Any] | None) -> str:
    """An amount in its unit as people read it: 19800000 g as `19.8 t`; `not stated` if there is none."""
    if amount is None:
        return "not stated"
    if unit is None:
        return str(amount)
    exponent = unit["exponent"]
    whole, rest = divmod(amount, 10**exponent)
    decimals = f"{rest:0{exponent}d}".rstrip("0") if exponent else ""
    text = f"{whole:,}" + (f".{decimals}" if decimals else "")
    return f"{text} {unit['symbol']}"


def sum_text(amount: int | None, unit: Mapping[str, Any] | None) -> str:
    """A sum of amounts; null in the document means that it is greater than 2^53 - 1."""
    return "over 2^53" if amount is None else amount_text(amount, unit)


def days_text(row: Mapping[str, Any]) -> str:
    """How late or early: `174 days late`, `1 day early`, `55 to 82 days late`."""
    low, high = row["days-late-min"], row["days-late-max"]
    if low is None and high is None:
        return "—"
    if low is None or high is None or low == high:
        days = high if high is not None else low
        bound = "" if low == high else "at most " if low is None else "at least "
        if days == 0:
            return f"{bound}on the day"
        word = "day" if abs(days) == 1 else "days"
        if days < 0 and low is None:
            bound = "at least "
        return f"{bound}{abs(days)} {word} {'late' if days > 0 else 'early'}"
    return f"{low} to {high} days late"


def mark(status: str | None) -> str:
    """A word that no one can miss, for everything that is not actual."""
    return "" if status in (None, "actual") else f"[{str(status).upper()}] "
