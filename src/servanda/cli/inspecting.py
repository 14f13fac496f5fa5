# SPDX-License-Identifier: Apache-2.0
"""`servanda inspect`: plan an inspection, draw by lot with the other side, report, and see what was not verified."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from servanda.cli.asking import F, ask_home, home_option, json_option, read_json
from servanda.cli.printing import emit, mark, say, table
from servanda.operations.inspecting import replayed
from servanda.proof.canonical import encode

_OUT = click.Path(dir_okay=False, path_type=Path)
_IN = click.Path(exists=True, dir_okay=False, path_type=Path)
at_option = click.option("--at", metavar="INSTANT", help="As at 2026-03-01T12:00:00Z; now if not given.")


@click.group()
def inspect() -> None:
    """Inspections: plan, draw by lot, report, show."""


def _listed(function: F) -> F:
    """What is to be inspected, and how surely."""
    options: list[Callable[[F], F]] = [
        click.option("--table", "tables", multiple=True, metavar="ENTRY[:ROWS]", help="Rows, as in `ash/3:0-99,120`."),
        click.option("--lot", "lots", multiple=True, help="A lot, party/number/row."),
        click.option("--place", "places", multiple=True, help="A place of the pack."),
        click.option("--miss", default="1/20", show_default=True, help="Allowed chance of missing all of them."),
        click.option("--defects", type=int, default=1, show_default=True, help="How many items it must not miss."),
        click.option("--goal", type=int, help="Instead of --defects: the quantity, in the unit's smallest step."),
        click.option("--each", type=int, help="With --goal: what one item has."),
        click.option("--unit", help="With --goal: its unit."),
        click.option("--sample", type=int, help="More than the exact number."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


@inspect.command()
@home_option
@click.argument("mandate", required=False)
@_listed
@click.option("--population", type=int, help="Without MANDATE: only the sizes for so many items.")
@click.option("--all", "everything", is_flag=True, help="Look at everything; nothing is drawn.")
@click.option("--as", "officer", default="desk-1", show_default=True, help="Who writes the draft.")
@click.option("--begins", help="First day of the inspection; today.")
@click.option("--ends", help="Last day; the first if not given.")
@click.option("--commit-by", help="Instant; twice the time that the mandate grants if not given.")
@click.option("--reveal-by", help="Instant; four times that time if not given.")
@click.option("--exercise-at", help="For an exercise: its clock.")
@click.option("--subject", help="Subject of the plan.")
@json_option
def plan(home: Path, passphrase_file: Path | None, mandate: str | None, as_json: bool, **given: Any) -> None:
    """How many must be looked at; under MANDATE (party/number) also the draft of a plan."""
    wanted = {name.replace("_", "-"): value for name, value in given.items() if value not in (None, (), False)}
    wanted["all"] = wanted.pop("everything", False)
    command = "inspection-plan" if mandate else "inspection-size"
    found = ask_home(home, passphrase_file, command, **({"mandate": mandate} if mandate else {}), **wanted)
    if emit(found, as_json):
        return
    say(
        f"{found['population']:,} items; to miss all of {found['defects']:,} with a chance of at most {found['miss']}: "
        f"{found['exact']:,} must be looked at"
    )
    say(f"  by the approximation N (1 - beta^(1/D)) {found['approximate']:,}, the improved one {found['improved']:,}")
    say(f"  a sample of {found['sample']:,} shows at least one with probability {found['detection']}")
    if "draft" in found:
        say(f"draft {found['draft']}")


@inspect.command()
@home_option
@click.argument("plan")
@click.option("--as", "officer", default="desk-1", show_default=True, help="Who writes the draft.")
@click.option("--now", is_flag=True, help="Reveal although not all have receipted our commitment.")
@click.option("--exercise-at", help="For an exercise: its clock.")
@click.option("--proof", type=_OUT, metavar="FILE", help="Write what the draw rests on, once it is drawn.")
@at_option
@json_option
def draw(
    home: Path,
    passphrase_file: Path | None,
    plan: str,
    officer: str,
    now: bool,
    exercise_at: str | None,
    proof: Path | None,
    at: str | None,
    as_json: bool,
) -> None:
    """The next step of our part in the draw of PLAN: commit, then reveal; in the end the sample.

    Each step is a draft that two officers release. Status 1 if a side has failed: the draw is denied, or forfeit.
    """
    wanted: dict[str, Any] = {"plan": plan, "officer": officer, "now": now, "exercise_at": exercise_at, "at": at}
    found = ask_home(home, passphrase_file, "inspection-draw", **wanted)
    if proof is not None:
        proof.write_bytes(encode(ask_home(home, passphrase_file, "inspection-proof", plan=plan)) + b"\n")
    if not emit(found, as_json):
        _print_step(found)
    if found["denied"] or found["forfeit"]:
        raise click.exceptions.Exit(1)


def _print_step(found: Mapping[str, Any]) -> None:
    if found["denied"]:
        say("denied: the inspected side has failed; every item without a finding counts as access denied")
    if found["forfeit"]:
        say("forfeit: the inspector's side has failed; it draws no other of the same items")
    if found["drawn"] is not None:
        say(f"drawn, {len(found['drawn'])} items, seed {found['seed']}")
        for item in found["drawn"]:
            say(f"  {item}")
    elif found["draft"]:
        say(f"draft {found['draft']} to {found['does']}: submit and release it")
    elif found.get("why") == "receipt":
        say(f"waiting for the receipt of our commitment by {', '.join(found['waits-for'])}; --now reveals without it")
    else:
        say(f"{found['state']}; waiting for {', '.join(found['waits-for']) or 'nobody'}")


@inspect.command()
@click.argument("file", type=_IN)
@json_option
def replay(file: Path, as_json: bool) -> None:
    """Draw again, offline, from FILE by `draw --proof`. That its entries are signed is for a dossier to show."""
    drawn = replayed(read_json(file))
    if not emit({"drawn": drawn}, as_json):
        say(f"the same {len(drawn)} items follow from the secrets:")
        for item in drawn:
            say(f"  {item}")


@inspect.command()
@home_option
@click.argument("plan")
@at_option
@json_option
def report(home: Path, passphrase_file: Path | None, plan: str, at: str | None, as_json: bool) -> None:
    """The inspection PLAN with its report, and the comments of the inspected party annexed."""
    found = ask_home(home, passphrase_file, "inspection", plan=plan, at=at)
    if emit(found, as_json):
        return
    told = found["inspection"]
    say(f"{mark(told['status'])}Inspection {told['plan']}: {told['subject']}")
    say(f"{told['inspector']} inspects {told['inspected']} from {told['begins']} to {told['ends']} ({told['mandate']})")
    say(f"{told['sample']:,} of {told['items']:,} items; draw: {told['draw']['state']}")
    for part in told["draw"]["parties"]:
        say(f"  {part['party']} ({part['side']}): {part['state']}; provided: {part['provided'] or 'not proved'}")
    _print_outcomes(told)
    books = {row["item"]: row for row in found["books"]}
    heads = ["item", "found", "the books say", "at", "note", "entry"]
    rows = [
        (
            each["item"],
            each["outcome"],
            books[each["item"]]["account"],
            books[each["item"]]["place"],
            each["note"],
            each["entry"],
        )
        for each in told["findings"]
    ]
    table("Findings, beside the books of who holds the items", heads, rows)
    _print_seen(found["undeclared"])
    _print_text("Report", found["report"], told["report"])
    for comment in found["annex"]:
        _print_text("Comments of the inspected party", comment, told["comments"])
    if not found["annex"] and told["comments"]:
        say(f"Comments: {told['comments']['state']}, due {told['comments']['due']}")


def _print_outcomes(told: Mapping[str, Any]) -> None:
    titles = {
        "verified": "Verified",
        "differs": "Differs from what was declared",
        "by-camera": "By sealed camera, nobody was there",
        "not-verified": "Not verified: in no sum with what is",
    }
    for name, title in titles.items():
        counts = [f"{outcome} {count:,}" for outcome, count in sorted(told["outcomes"][name].items()) if count]
        say(f"{title}: {', '.join(counts) or 'none'}")
    chances = told["detection"]
    say(
        f"Probability of seeing one of {told['defects']:,}: planned {chances['planned']}; achieved "
        f"{chances['independent']} if what was not seen was not chosen, {chances['assured']} if it was"
    )


def _print_seen(found: list[Mapping[str, Any]]) -> None:
    rows = [
        (each["serial"], each["kind"], each["place"], each["state"], each["row"], told["table"], told["entry"])
        for told in found
        for each in told["items"]
    ]
    if rows:
        heads = ["serial", "kind", "at", "state", "row", "table", "entry"]
        table("Found, and not in the root of the declaration when it was looked for", heads, rows)


def _print_text(title: str, text: Mapping[str, Any] | None, due: Mapping[str, Any]) -> None:
    if text is None:
        say(f"{title}: {due['state']}, due {due['due']}")
        return
    say(f"{title} ({text['entry']}, {text['at']}; due {due['due']}: {due['state']})")
    say(f"  {text['text']}")
    for evidence in text["evidence"]:
        say(f"  evidence {evidence}")


@inspect.command()
@home_option
@at_option
@click.option("--output", type=_OUT, metavar="FILE", help="Write the document, canonical JSON.")
@json_option
def show(home: Path, passphrase_file: Path | None, at: str | None, output: Path | None, as_json: bool) -> None:
    """Mandates, plans, draws, requests, and how much of each sealed table is open."""
    found = ask_home(home, passphrase_file, "inspections", at=at)
    if output is not None:
        output.write_bytes(encode(found) + b"\n")
    if emit(found, as_json):
        return
    print_inspections(found)


def print_inspections(found: Mapping[str, Any]) -> None:
    """The document as tables. What was not verified has a column of its own, and is in no other."""
    rows: list[tuple[Any, ...]] = [
        (m["mandate"], m["inspector"], m["inspected"], m["from"], m["until"], "yes" if m["in-force"] else "no")
        for m in found["mandates"]
    ]
    table("Mandates", ["mandate", "inspector", "inspected", "from", "until", "in force"], rows)
    rows = [
        (
            p["plan"],
            mark(p["status"]) + p["subject"],
            f"{p['sample']:,} of {p['items']:,}",
            p["draw"]["state"],
            sum_of(p["outcomes"]["verified"]),
            sum_of(p["outcomes"]["not-verified"]),
            p["detection"]["assured"],
            p["report"]["state"],
            (p["comments"] or {}).get("state"),
        )
        for p in found["inspections"]
    ]
    heads = ["plan", "subject", "sample", "draw", "verified", "not verified", "assured", "report", "comments"]
    table(f"Inspections at {found['at']}", heads, rows, right=(4, 5))
    _print_tables(found)


def _print_tables(found: Mapping[str, Any]) -> None:
    rows: list[tuple[Any, ...]] = [
        (t["table"], f"{t['rows']:,}", f"{t['open']:,}", f"{t['handed']:,}", _places(t["places"]))
        for t in found["tables"]
    ]
    table("Sealed tables", ["table", "rows", "open here", "handed, not held here", "by place"], rows, right=(1, 2, 3))
    rows = [
        (r["request"], r["table"], r["place"] or json.dumps(r["rows"]), r["by"], r["state"], _absent(r))
        for r in found["requests"]
    ]
    table("Requests to open", ["request", "table", "what", "by", "state", "counts as not declared"], rows)
    _print_seen(found["undeclared"])
    table(
        "Discrepancies",
        ["entry", "code", "item"],
        [(each["entry"], each["code"], each["item"]) for each in found["discrepancies"]],
    )


def sum_of(outcomes: Mapping[str, int]) -> int:
    """How many items of one class there are. It takes one class, and there is no sum over classes."""
    return sum(outcomes.values())


def _places(places: list[Mapping[str, Any]]) -> str:
    return ", ".join(
        f"{each['place'] or 'sealed'} {each['open']:,}"
        + (f" of {each['declared']:,}" if each["declared"] is not None else "")
        + (", complete" if each["complete"] else "")
        for each in places
    )


def _absent(request: Mapping[str, Any]) -> str:
    if request["not-declared"] is None:
        return "all at this place"
    return f"{request['not-declared']:,}"


COMMANDS = [inspect]
