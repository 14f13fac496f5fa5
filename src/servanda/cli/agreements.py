# SPDX-License-Identifier: Apache-2.0
"""`servanda agreement` and `servanda texts`: what stands, what is missing, what differs, and how it came about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from servanda.cli.asking import ask_home, home_option, json_option
from servanda.cli.dialogue import language_option, name_in
from servanda.cli.printing import emit, mark, say, table
from servanda.operations.errors import Refusal

WANTING = {
    "acceptance": "has not accepted",
    "condition": "has not decided the condition",
    "condition-failed": "says that the condition has failed",
    "receipt": "has given no receipt that is cited",
    "refused": "has refused",
}
_SIGNS = {"added": ("{+", "+}"), "removed": ("[-", "-]"), "same": ("", "")}


@click.group()
def agreement() -> None:
    """Agreements: what is in force and what is missing, differences of texts, the life of each."""


@agreement.command()
@click.argument("document", required=False)
@home_option
@language_option
@click.option("--at", help="Instant at which it is looked at (YYYY-MM-DDTHH:MM:SSZ); now if not given.")
@json_option
def status(
    document: str | None,
    home: Path,
    passphrase_file: Path | None,
    language: str | None,
    at: str | None,
    as_json: bool,
) -> None:
    """Every document, or DOCUMENT alone: its state, its parties, and what is missing before it is in force."""
    data = ask_home(home, passphrase_file, "agreement-status", document=document, at=at)
    if emit(data, as_json):
        return
    for pack in data["packs"]:
        state = "in force" if pack["in-force"] else f"not adopted by {', '.join(pack['missing'])}"
        state = state if pack["in-force"] or pack["missing"] else "amended since"
        say(f"{name_in(pack['title'], language)}, edition {pack['edition']}, pack {pack['digest'][:16]}…: {state}")
    _print_documents(data["documents"], language)
    for row in data["documents"]:
        print_document(row, language, everything=document is not None)
    for row in data.get("discrepancies", ()):
        say(f"without effect: {row['entry']} ({row['code']})")


def _print_documents(rows: Iterable[Mapping[str, Any]], language: str | None) -> None:
    cells = []
    for row in rows:
        until = row["until"] or ""
        if row["warning"]:
            until += f", ENDS IN {row['days-left']} DAYS"
        cells.append(
            (
                row["document"],
                name_in(row["title"], language),
                row["kind"],
                _state(row),
                ", ".join(row["parties"]),
                row["from"],
                until or None,
                ", ".join(digest[:16] for digest in row["standing"]),
            )
        )
    table("Documents", ["document", "title", "kind", "state", "parties", "from", "until", "digest of its text"], cells)


def _state(row: Mapping[str, Any]) -> str:
    """A statement is not in force: it is accepted by all, or not yet."""
    state = "accepted by all" if row["kind"] != "agreement" and row["state"] == "in-force" else str(row["state"])
    return state + (", two texts compete" if row["competing"] else "")


def print_document(row: Mapping[str, Any], language: str | None, *, everything: bool) -> None:
    """What is missing, pending, reserved or suspended; with `everything` also each text offered."""
    for missing in row["missing"]:
        say(f"{row['document']}: {missing['text']}: {_wanting(missing)}")
    for pending in row["pending"]:
        accepted = ", ".join(by["party"] for by in pending["accepted-by"]) or "nobody"
        what = "amendment" if pending["effect"] == "agreement.text" else pending["effect"].partition(".")[2]
        say(f"{row['document']}: {what} {pending['entry']} by {pending['by']}: accepted by {accepted}")
        for missing in pending["missing"]:
            say(f"{row['document']}: {pending['entry']}: {_wanting(missing)}")
    for item in row["suspended"]:
        what = f"clauses {', '.join(item['clauses'])}" if item["clauses"] else "all of it"
        say(f"{row['document']}: {item['party']} suspends {what} since {item['since']}: {item['reason']}")
    for item in row["declarations"]:
        clauses = f" to {', '.join(item['clauses'])}" if item["clauses"] else ""
        say(f"{row['document']}: {item['kind']}{clauses} by {item['party']}, {item['entry']}: {item['text']}")
    if everything:
        _print_texts(row)
        print_side_by_side(row, language)


def _wanting(missing: Mapping[str, Any]) -> str:
    condition = f" of {missing['acceptance']}: {missing['condition']}" if "condition" in missing else ""
    return f"{missing['party']} {WANTING[missing['what']]}{condition}"


def _print_texts(row: Mapping[str, Any]) -> None:
    rows = [
        (
            text["entry"],
            text["digest"][:16],
            mark(text["status"]) + text["state"],
            ", ".join(f"{x['language']} {x['status']}" for x in text["languages"]),
            "; ".join(_accepted(by) for by in text["accepted-by"]),
            "; ".join(f"{by['party']}: {by['reason']}" for by in text["refused-by"]),
        )
        for text in row["texts"]
    ]
    table("Texts offered", ["entry", "digest", "state", "languages", "accepted by", "refused by"], rows)
    for item in row["translations"]:
        say(f"translation into {item['language']} ({item['status']}) by {item['party']}, {item['entry']}")


def _accepted(by: Mapping[str, Any]) -> str:
    condition = by["condition"]
    if condition is None:
        return f"{by['party']}, {by['entry']}"
    told = f"{condition['text']} ({condition['state']}; {condition['confirmer']} decides)"
    return f"{by['party']}, {by['entry']}, on condition: {told}"


def print_side_by_side(row: Mapping[str, Any], language: str | None) -> None:
    """The latest text of each party beside the others', with what differs from the first one shown."""
    versions = row["side-by-side"]
    if len(versions) < 2:
        return
    say(
        f"No text of {row['document']} has effect. The latest of each party; [-…-] stands in that of {_party(versions)}"
    )
    say("alone, {+…+} in the other's alone:")
    for version in versions[1:]:
        click.echo()
        say(f"{version['party']}, {version['entry']}")
        for part in version["differences"]:
            if language in (None, part["language"]):
                print_differences(part)


def _party(versions: list[Mapping[str, Any]]) -> str:
    return f"{versions[0]['party']} ({versions[0]['entry']})"


def print_differences(part: Mapping[str, Any]) -> None:
    """One language: each clause with what was taken out and put in; clauses that are the same are named only."""
    for clause in part["clauses"]:
        words = "".join(_SIGNS[w["op"]][0] + w["text"] + _SIGNS[w["op"]][1] for w in clause["words"])
        change = clause["change"] + (", moved" if clause["moved"] else "")
        told = "" if clause["change"] == "same" else f": {words}"
        say(f"  {part['language']} {clause['id']} ({change}){told}")


@agreement.command()
@click.argument("old")
@click.argument("new")
@home_option
@language_option
@json_option
def diff(old: str, new: str, home: Path, passphrase_file: Path | None, language: str | None, as_json: bool) -> None:
    """Differences of two texts, OLD and NEW, clause by clause: each a place (party/number) or a digest's beginning."""
    data = ask_home(home, passphrase_file, "agreement-diff", old=old, new=new, language=language)
    if emit(data, as_json):
        return
    say(f"from {data['old']} to {data['new']}")
    for member, (before, after) in data["terms"].items():
        say(f"  {member}: {before} became {after}")
    for part in data["languages"]:
        print_differences(part)
    if not data["languages"]:
        say("  the two have no language in common" + (f" that is {language}" if language else ""))


@agreement.command(name="history")
@click.argument("document")
@home_option
@json_option
def history_command(document: str, home: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """The life of DOCUMENT: who offered, accepted, refused, declared or ended what, and when."""
    data = ask_home(home, passphrase_file, "agreement-history", document=document)
    if emit(data, as_json):
        return
    rows = [
        (
            row["on"],
            row["at"],
            mark(row["status"]) + row["party"],
            row["what"],
            row["entry"],
            (row["digest"] or "")[:16],
        )
        for row in data["history"]
    ]
    table(f"Life of {document}", ["on", "released at", "by", "what", "entry", "digest"], rows)


@agreement.command()
@click.argument("entry")
@click.option("--digest", required=True, help="Digest of the text as read, 16 or more of its characters.")
@click.option("--as", "officer", required=True, help="The officer who drafts the acceptance.")
@click.option("--condition", help="The condition on which it is accepted, in words.")
@click.option("--confirmer", help="The party that confirms the condition.")
@home_option
def accept(
    entry: str,
    digest: str,
    officer: str,
    condition: str | None,
    confirmer: str | None,
    home: Path,
    passphrase_file: Path | None,
) -> None:
    """Draft the acceptance of the text in ENTRY, if it has the digest given; prints the draft."""
    if (condition is None) != (confirmer is None):
        raise Refusal("--condition and --confirmer go together: somebody must say whether it is met", "usage")
    bound = {"confirmer": confirmer, "text": condition} if condition else None
    draft = ask_home(
        home, passphrase_file, "agreement-accept", entry=entry, digest=digest, officer=officer, condition=bound
    )
    click.echo(draft)


@click.command()
@home_option
@language_option
@json_option
def texts(home: Path, passphrase_file: Path | None, language: str | None, as_json: bool) -> None:
    """Joint statements, minutes and reports: accepted by all, or each side's text beside the other's."""
    data = ask_home(home, passphrase_file, "texts")
    if emit(data, as_json):
        return
    _print_documents(data["documents"], language)
    for row in data["documents"]:
        print_document(row, language, everything=False)
        print_side_by_side(row, language)


COMMANDS = (agreement, texts)
