# SPDX-License-Identifier: Apache-2.0
"""Commands of the dialogue: topics, accounts, meetings, bodies, tasks, requests, commitments, and all that is due."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from servanda.cli.asking import ask_home, home_option, json_option
from servanda.cli.printing import emit, mark, say, table
from servanda.operations.errors import Refusal

language_option = click.option("--language", help="Language of names, where the pack has it; else its first.")
on_option = click.option("--on", metavar="DAY", help="The day asked about; today if not given.")


def name_in(names: Any, language: str | None) -> str:
    """A name in the language asked for, else in the first there is: of a pack, by language, or of an entry, a list."""
    by_language = names if isinstance(names, Mapping) else {text["language"]: text["text"] for text in names}
    return str(by_language.get(language or "", next(iter(by_language.values()), "")))


def words_of(row: Mapping[str, Any]) -> str:
    """The words of a row; that they are sealed, where something in it is, else that there are none."""
    words = row.get("words")
    return str(words) if words is not None else "sealed" if "_sd" in row else "no words"


def flags_text(flags: Iterable[str], words: object = "") -> str:
    """Flags in front of words, so that nobody reads past them."""
    marked = ", ".join(flags)
    return f"[{marked}] {words}".rstrip() if marked else str(words)


@click.command()
@home_option
@language_option
@json_option
def topics(home: Path, passphrase_file: Path | None, language: str | None, as_json: bool) -> None:
    """Every topic by every party: the latest position in its own words, what is explicitly not agreed."""
    data = ask_home(home, passphrase_file, "topics")
    if emit(data, as_json):
        return
    parties = data["parties"]
    rows = []
    for row in data["topics"]:
        cells = [_cell(row["cells"][party]) for party in parties]
        issues = "; ".join(issue["text"] for issue in row["not-agreed"])
        rows.append((row["topic"], row["within"] or "", name_in(row["names"], language), *cells, issues))
    table("Topics", ["topic", "part of", "name", *parties, "marked as not agreed"], rows)
    _tell_discrepancies(data)


def _cell(cell: Mapping[str, Any]) -> str:
    said = [(kind, cell[kind]) for kind in ("position", "reservation", "common-ground") if cell[kind]]
    return "; ".join(f"{kind}, {row['said-on']}: {words_of(row)}" for kind, row in said) or "—"


def _tell_discrepancies(data: Mapping[str, Any]) -> None:
    for row in data["discrepancies"]:
        say(f"without effect: {row['entry']} ({row['code']})")


@click.command()
@click.argument("topic")
@home_option
@language_option
@json_option
def topic(topic: str, home: Path, passphrase_file: Path | None, language: str | None, as_json: bool) -> None:
    """How TOPIC (its id, or words of its name) moved, what each side says of it, what is open."""
    data = ask_home(home, passphrase_file, "topic", topic=topic)
    if emit(data, as_json):
        return
    say(f"{name_in(data['names'], language)} ({data['topic']})")
    if data["parts"]:
        say(f"parts: {', '.join(data['parts'])}")
    if data["also"]:
        say(f"the words also fit: {', '.join(data['also'])}")
    rows = [
        (row["on"], row["party"], row["kind"], row["detail"], row["words"], row["entry"]) for row in data["movement"]
    ]
    table("Movement", ["on", "by", "what", "", "words", "entry"], rows)
    words = [
        (kind, party, row["said-on"], words_of(row), row["entry"])
        for kind, parties in data["positions"].items()
        for party, said in parties.items()
        for row in said
    ]
    table("In each party's own words", ["kind", "party", "on", "words", "entry"], words)
    _print_outcomes(data["outcomes"])
    for issue in data["issues"]:
        state = "NOT AGREED" if issue["open"] else "closed"
        say(f"{state}: {issue['text']} ({', '.join(issue['by'])})")
    for document in data["documents"]:
        say(f"{document['kind']} {document['document']}: {document['state']}")
    for row in data["consequences"]:
        stances = "; ".join(f"{stance['who']} {stance['stance']}" for stance in row["stances"])
        say(f"proposed in {row['forum']}: {row['text']} ({stances or 'no stance on record'})")
    if data["attributed"]:
        say(f"{len(data['attributed'])} statements say what a party's position is: servanda account {data['topic']}")


def _print_outcomes(outcomes: Iterable[Mapping[str, Any]]) -> None:
    rows = [
        (row["on"], row["contact"], party, said["outcome"], said["text"], "yes" if row["same"] else "")
        for row in outcomes
        for party, said in row["by"].items()
    ]
    table("What came of it, as each side reports it", ["on", "contact", "party", "outcome", "", "both say so"], rows)


@click.command()
@click.argument("phrase")
@home_option
@json_option
def account(phrase: str, home: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """The chain of accounts that PHRASE finds: a topic, or words. Who said so, how attributed, in which source.

    It links and flags. It does not say who is right, and a position in it is no agreement.
    """
    data = ask_home(home, passphrase_file, "account", phrase=phrase)
    if emit(data, as_json):
        return
    if data["topics"]:
        say(f"topics: {', '.join(data['topics'])}")
    for row in data["chain"]:
        _print_account(row)
    if data["in-all"] > len(data["chain"]):
        say(f"{data['in-all']} in all; the first {len(data['chain'])} are shown")
    if data["sources"]:
        click.echo("\nSources")
    for source in data["sources"]:
        stated = f", stated as {source['stated']['text']!r}" if "stated" in source else ""
        file = f", sha256 {source['file']['sha256'][:16]}…" if "file" in source else ""
        dated = flags_text(source["flags"], source["published"] + stated)
        say(f"  {source['source']}: {source['title']} ({source['medium']}), {dated}{file}")
    if not data["chain"]:
        say(f"nothing on record is found by {phrase!r}")


def _print_account(row: Mapping[str, Any]) -> None:
    stated = f" (stated as {row['stated']['text']!r})" if "stated" in row else ""
    said_stated = row["said-stated"]
    stated += f" (stated as {said_stated['text']!r})" if said_stated and not stated else ""
    click.echo()
    say(f"{mark(row['status'])}{flags_text(row['flags'], row['on'] + stated)}")
    if row["kind"] == "contact":
        people = ", ".join(person.get("name", person["office"]) for person in row["participants"])
        place = f", {row['place']}" if row.get("place") else ""
        say(f"  {row['kind']}: {row['contact']}, {row['state']}{place}; {people}")
    else:
        speaker = row["speaker"]
        who = ", ".join(part for part in (speaker.get("name"), speaker["office"], speaker.get("party")) if part)
        quoted = row["quoted"] and row["words"] is not None
        say(f"  {who}: " + (f"“{row['words']}”" if quoted else words_of(row)))
        checked = {True: ", words found in its text", False: ", WORDS NOT IN ITS TEXT", None: ""}[row["in-source"]]
        source = f"; source {row['source']}{checked}" if "source" in row else ""
        say(f"  {row['manner']}, {row['medium']}, said {row['said-on']}{source}")
    say(f"  counts as {row['counts-as']}; entered by {row['party']}, {row['entry']}")
    for link in row["links"]:
        say(f"  {link['relation']} {link['account']} (says {link['by']}, {link['entry']})")


def _exact_text(file: Path) -> str:
    """The text of a file to the letter, ends of lines included: its hash must come out."""
    try:
        return file.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise Refusal(f"{file} is not a text in UTF-8: {error}", "usage") from error


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@home_option
@json_option
def sources(files: tuple[Path, ...], home: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Sources and how often each is cited. With FILES, known by their hashes, every quotation is looked for in them."""
    data = ask_home(home, passphrase_file, "sources", texts=[_exact_text(file) for file in files])
    missing = [(row["source"], lost) for row in data["sources"] for lost in row["not-found"]]
    if not emit(data, as_json):
        rows = [
            (
                row["source"],
                row["title"],
                flags_text(row["flags"], row["published"]),
                row["cited"],
                row["quotations"],
                f"{row['quotations'] - len(row['not-found'])} found" if row["checked"] else "no text at hand",
            )
            for row in data["sources"]
        ]
        table("Sources", ["source", "title", "published", "cited", "quoted", "quotations"], rows, right=(3, 4))
        for source, lost in missing:
            say(f"NOT IN ITS SOURCE {source}: {lost['entry']}: {lost['words']}")
        for digest in data["unknown-files"]:
            say(f"no source on record has the file {digest}")
    if missing:
        raise click.exceptions.Exit(1)


@click.command()
@home_option
@click.option("--body", help="Only those of this body.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True)
@on_option
@json_option
def meetings(
    home: Path, passphrase_file: Path | None, body: str | None, limit: int, on: str | None, as_json: bool
) -> None:
    """Contacts of every kind by date, each side's account beside the other's, with what differs."""
    data = ask_home(home, passphrase_file, "meetings", body=body, limit=limit, on=on)
    if emit(data, as_json):
        return
    rows = []
    for row in data["contacts"]:
        outcomes = _outcomes_text(row["outcomes"])
        told = f"by {', '.join(row['accounts'])}" + (
            f"; differ in {', '.join(row['differs'])}" if row["differs"] else ""
        )
        dated = flags_text(row["flags"], row["on"])
        rows.append(
            (dated, mark(row["status"]) + row["contact"], row["kind"], row["state"], row["body"], told, outcomes)
        )
    table("Contacts", ["on", "contact", "kind", "state", "body", "accounts", "outcome by topic"], rows)
    if data["in-all"] > len(data["contacts"]):
        say(f"{data['in-all']} in all; the latest {len(data['contacts'])} are shown")


def _outcomes_text(outcomes: Iterable[Mapping[str, Any]]) -> str:
    """Topics by what is said to have come of them, and by whom."""
    found: dict[str, list[str]] = {}
    for outcome in outcomes:
        told: dict[str, list[str]] = {}
        for party, said in outcome["by"].items():
            told.setdefault(said["outcome"], []).append(party)
        for word, parties in told.items():
            found.setdefault(f"{word} ({' and '.join(parties)})", []).append(outcome["topic"])
    return "; ".join(f"{word}: {', '.join(topics)}" for word, topics in found.items())


@click.command()
@home_option
@language_option
@on_option
@json_option
def bodies(home: Path, passphrase_file: Path | None, language: str | None, on: str | None, as_json: bool) -> None:
    """Bodies as they nest: members, cadence, when each met last, when it meets next, what is overdue."""
    data = ask_home(home, passphrase_file, "bodies", on=on)
    if emit(data, as_json):
        return
    rows = []
    for row in data["bodies"]:
        following = f"{row['next']['on']} ({row['next']['basis']})" if row["next"] else None
        if row["overdue"]:
            following = f"OVERDUE since {following}"
        last = f"{row['last']['on']} ({row['last']['contact']})" if row["last"] else None
        every = f"every {row['every']['count']} {row['every']['unit']}" if row["every"] else None
        cadence = every or (name_in(row["cadence"], language) if row["cadence"] else None)
        offices = ", ".join(f"{name_in(o['office'], language)} ({o['party']})" for o in row["offices"])
        members = offices or ", ".join(row["members"])
        rows.append(("  " * row["depth"] + name_in(row["names"], language), members, cadence, last, following))
    table("Bodies", ["body", "members", "cadence", "last", "next"], rows)


@click.command()
@home_option
@click.option("--open", "open_only", is_flag=True, help="Only those still to be done.")
@on_option
@json_option
def tasks(home: Path, passphrase_file: Path | None, open_only: bool, on: str | None, as_json: bool) -> None:
    """Tasks: by whom, to whom, by when, from which meeting; done, overdue or dropped, and the entry that shows it."""
    data = ask_home(home, passphrase_file, "tasks", open=open_only, on=on)
    if emit(data, as_json):
        return
    rows = [
        (
            row["due"],
            f"{row['task']}: {row['text']}",
            row["by"]["office"],
            ", ".join(person["office"] for person in row["to"]),
            row["contact"],
            row["state"] + (f", {row['done-on']}" if row["done-on"] else ""),
            ", ".join(f"{said['entry']} ({said['state']})" for said in row["shown-by"].values()),
        )
        for row in data["tasks"]
    ]
    table("Tasks", ["due", "task", "told by", "to", "at", "state", "shown by"], rows)
    if data["in-all"] > len(rows):
        say(f"{data['in-all']} in all; {len(rows)} are shown")
    for row in data["tasks"]:
        if row["circle"]:
            say(f"in a circle: {' after '.join(row['circle'])}")


@click.command()
@home_option
@on_option
@json_option
def requests(home: Path, passphrase_file: Path | None, on: str | None, as_json: bool) -> None:
    """Requests under the agreement and what was answered. Nothing operational is kept here."""
    data = ask_home(home, passphrase_file, "requests", on=on)
    if emit(data, as_json):
        return
    rows = [
        (
            row["said-on"],
            row["entry"],
            row["party"],
            row["text"],
            row.get("answer-by"),
            "; ".join(f"{party}: {', '.join(r['outcome'] for r in said)}" for party, said in row["responses"].items()),
            ("OVERDUE: " if row["overdue"] else "") + ", ".join(row["waiting-for"]),
        )
        for row in data["requests"]
    ]
    table("Requests", ["on", "entry", "by", "request", "answer by", "answers", "waiting for"], rows)


@click.command()
@click.argument("commitment", required=False)
@home_option
@click.option("--party", help="Only those that this party owns.")
@click.option("--year", type=click.IntRange(1, 9999), help="The report of a year: marks as at its end, counted.")
@on_option
@json_option
def commitments(
    commitment: str | None,
    home: Path,
    passphrase_file: Path | None,
    party: str | None,
    year: int | None,
    on: str | None,
    as_json: bool,
) -> None:
    """What was promised, and how its owners and the others mark what became of it. Marks are never averaged.

    Of one COMMITMENT all marks are shown, with what each recalibrates, and the replies.
    """
    data = ask_home(home, passphrase_file, "commitments", commitment=commitment, party=party, year=year, on=on)
    if emit(data, as_json):
        return
    rows = []
    for row in data["commitments"]:
        owners, others = ("; ".join(_marked(row["marks"][side])) or None for side in ("owners", "others"))
        due = f"{row['due']}{' (past)' if row['overdue'] else ''}" if row["due"] else None
        who = ", ".join(row["owners"])
        rows.append((row["commitment"], row["text"], who, due, row["document"], row["scale"], owners, others))
    heads = ["commitment", "words", "owner", "due", "text", "scale", "marked by owners", "by others"]
    table(f"Commitments at {data['at']}", heads, rows)
    if data.get("in-all", 0) > len(rows):
        say(f"{data['in-all']} in all; the first {len(rows)} by id are shown")
    for scale, parties in data.get("counts", {}).items():
        for who, counts in parties.items():
            told = ", ".join(f"{n} at {value}" for value, n in counts.items())
            say(f"{scale}, marks by {who}: {told}")


def _marked(marks: Mapping[str, Any]) -> Iterable[str]:
    for party, told in marks.items():
        for mark_row in told["history"]:
            yield f"{party}: {_mark_text(mark_row)}"
        more = f" ({told['earlier']} earlier)" if told["earlier"] and not told["history"] else ""
        yield f"{party}: {_mark_text(told['latest'])}{more}"


def _mark_text(row: Mapping[str, Any]) -> str:
    again = f" in place of {row['recalibrates']}" if row["recalibrates"] else ""
    replies = "".join(f"; {reply['party']} replies: {reply['text']}" for reply in row["replies"])
    return f"{row['mark']}, {row['as-of']}, {row['entry']}{again}: {row['text']}{replies}"


@click.command()
@home_option
@on_option
@json_option
def due(home: Path, passphrase_file: Path | None, on: str | None, as_json: bool) -> None:
    """Everything that is to be done by a day: tasks, obligations, answers, meetings, and agreements that end."""
    data = ask_home(home, passphrase_file, "due", on=on)
    if emit(data, as_json):
        return
    rows = [
        (row["on"], row["what"], row["name"], ", ".join(row["who"]), row["state"], row["text"]) for row in data["due"]
    ]
    table(f"Due, seen from {data['at']}", ["on", "what", "which", "who", "state", ""], rows)


COMMANDS = (topics, topic, account, sources, meetings, bodies, tasks, requests, commitments, due)
