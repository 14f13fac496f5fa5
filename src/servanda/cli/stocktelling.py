# SPDX-License-Identifier: Apache-2.0
"""What is shown of the stockpile's demonstration: progress, balances, times beside their floors, memory."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from servanda.cli.centres import judged_alone
from servanda.cli.printing import emit, table
from servanda.cli.stockpile import CUSTODIAN, Stockpile
from servanda.cli.stocksampling import StockInspections

Progress = Callable[..., Any]
MEMORY_MAX = 2 * 2**30
"""What any one process may use, bytes."""


def tell_stockpile(show: Stockpile, verifier: Path, progress: Progress, keep: bool, as_json: bool) -> bool:
    """Play the whole demonstration and show what it found; returns whether everything verified within its memory.

    Args:
        show: the demonstration, not begun.
        verifier: the stand-alone verifier.
        progress: a progress bar: title, number of steps, whether to be quiet.
        keep: whether the centres stay on duty.
        as_json: whether the result is printed as JSON.
    """
    try:
        result = _play(show, progress, as_json)
        result["independent"] = judged_alone(verifier, show.dossier, show.centres.fingerprints).returncode
        result["peaks"] = show.peaks()
    finally:
        if not keep:
            show.centres.stop()
    fits = max(result["peaks"].values()) <= MEMORY_MAX
    if not emit({**result, "phases": [phase._asdict() for phase in show.phases], "homes": str(show.base)}, as_json):
        _print(show, result)
    return bool(result["verified"] and result["independent"] == 0 and fits)


def _play(show: Stockpile, progress: Progress, quiet: bool) -> dict[str, Any]:
    count, inspections = len(show.declarers), StockInspections(show)
    with progress("centres", 2 * len(show.pack.parties), quiet) as step:
        show.start(step)
    with progress("adoption", len(show.pack.parties), quiet) as step:
        show.adopt(step)
    for title, phase in (
        ("inventories", show.generate),
        ("declaring", show.declare),
        ("rows", show.hand_rows),
        ("handover", show.hand_over),
        ("drawing", inspections.draw),
        ("inspecting", inspections.inspect),
        ("destroying", show.destroy),
    ):
        with progress(title, count, quiet) as step:
            phase(step)
    with progress("balancing", 3, quiet) as step:
        found = {**show.balance(step), "inspections": inspections.inspections()}
    with progress("dossier", 2, quiet) as step:
        return {**found, **show.conclude(step)}


def _print(show: Stockpile, result: Mapping[str, Any]) -> None:
    click.echo(f"\nEXERCISE. {show.pack.data['title']['en']}. Made from the seed {show.seed}; no real declaration.\n")
    states: dict[tuple[str, str], int] = {}
    for row in result["balances"]:
        key = (row["party"] or "sealed", row["state"])
        states[key] = states.get(key, 0) + row["amount"]
    table(
        "Who holds what, and what became of it",
        ["party", "state", "pieces"],
        [(party, state, f"{amount:,}") for (party, state), amount in sorted(states.items())],
        right=(2,),
    )
    total = sum(states.values())
    click.echo(
        f"In all {total:,} pieces; declared {show.pieces:,}. {result['discrepancies']:,} discrepancies are open.\n"
    )
    table(
        "Inspections",
        ["declarer", "drawn", "verified", "not verified", "planned", "assured"],
        [tuple(str(item) for item in row) for row in result["inspections"]],
        right=(1, 2, 3, 4, 5),
    )
    _print_times(show, result)
    click.echo("That all books agree does not say that everything was declared.\n")
    click.echo(
        f"{result['entries']} entries. servanda verify: {'verified' if result['verified'] else 'NOT VERIFIED'}; "
        f"stand-alone verifier: {'verified' if result['independent'] == 0 else 'NOT VERIFIED'}"
    )
    click.echo(f"\ndossier {show.dossier}")
    click.echo(f"  export SERVANDA_PASSPHRASE={show.centres.passphrase}")
    click.echo(f"  ./run servanda holdings --home {show.centres.home(CUSTODIAN)} --by party,state")


def _print_times(show: Stockpile, result: Mapping[str, Any]) -> None:
    rows = [
        (
            phase.name,
            phase.what,
            f"{phase.seconds:.1f}",
            "—" if phase.floor is None else f"{phase.floor:.1f}",
            "—" if not phase.floor else f"{phase.seconds / phase.floor:.1f}",
            phase.floor_is,
        )
        for phase in show.phases
    ]
    table("Phases", ["phase", "what", "s", "floor, s", "ratio", "the floor"], rows, right=(2, 3, 4))
    times = [
        (name, str(len(taken)), f"{1000 * statistics.median(taken):.1f}", f"{1000 * max(taken):.1f}")
        for name, taken in sorted(result["times"].items())
    ]
    table("Single questions", ["what", "how often", "median, ms", "longest, ms"], times, right=(1, 2, 3))
    peaks = [(name, f"{peak / 2**20:,.0f}") for name, peak in sorted(result["peaks"].items())]
    table(f"Memory at its peak (at most {MEMORY_MAX // 2**20:,} MiB each)", ["process", "MiB"], peaks, right=(1,))
