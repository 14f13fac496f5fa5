# SPDX-License-Identifier: Apache-2.0
"""Commands of the desk: draft, review, release, read the record and its registers, bundles out and in."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from servanda.agreement.dates import flags_of
from servanda.assembly import read_pack
from servanda.cli.asking import ask_home, home_option, json_option, read_json
from servanda.cli.printing import amount_text, days_text, emit, mark, plain, say, sum_text, table
from servanda.operations.errors import Refusal
from servanda.proof.canonical import encode


@click.command()
@home_option
@json_option
def status(home: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """What this centre holds of every journal, and who has receipted its own."""
    data = ask_home(home, passphrase_file, "status")
    if emit(data, as_json):
        return
    say(f"centre of {data['party']}, agreement {data['agreement'][:16]}…")
    click.echo(
        f"pack in force: {data['pack'][:16] + '…' if data['pack'] else 'none yet, not every party has adopted it'}"
    )
    rows = [
        (j["party"], j["size"], j["judged"], j["receipted"], j["receipted-quantum"], j["waiting"] or "")
        for j in data["journals"]
    ]
    heads = ["journal", "entries held", "judged", "has receipted ours to", "with ML-DSA-44 to", "waiting for"]
    table("Journals", heads, rows, right=(1, 2, 3, 4))
    for watched in data["watch"]:
        if watched["undelivered"]:
            since = f" since {watched['since']}" if watched["since"] else ""
            alarm = "ALARM: " if watched["alarm"] else ""
            told = f"{watched['undelivered']} entries not receipted by {watched['party']}{since}"
            say(f"{alarm}{told}: {watched['reason']}")
        for opening in watched["openings"]:
            say(f"opening of {opening['name']} in {opening['entry']} not yet held by {watched['party']}")
    for journal, proofs in data["forks"].items():
        say(f"FORK of {journal} proven: {', '.join(proofs)}")


def entry_line(view: Mapping[str, Any]) -> tuple[str, ...]:
    """One entry as a row."""
    frame = view["frame"]
    if frame is None:
        return (view["entry"], "", "", "", view["code"] or "", view["reason"])
    verdict = view["code"] or ", ".join(view["flags"])
    return (
        view["entry"],
        frame["event-at"],
        frame["format"],
        frame["act"],
        verdict,
        mark(frame["status"]) + frame["subject"],
    )


@click.command()
@home_option
@click.option("--party", help="Only this journal.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=50, show_default=True)
@json_option
def log(home: Path, passphrase_file: Path | None, party: str | None, limit: int, as_json: bool) -> None:
    """The newest entries of the record, as judged here."""
    data = ask_home(home, passphrase_file, "log", party=party, limit=limit)
    if not emit(data, as_json):
        heads = ["entry", "event at", "format", "act", "code or flag", "subject"]
        table("Record", heads, [entry_line(view) for view in data])


@click.command()
@home_option
@click.argument("entry")
@json_option
def show(home: Path, passphrase_file: Path | None, entry: str, as_json: bool) -> None:
    """One ENTRY (party/number): content, times, verdict, receipts, acknowledgements, what became of an offer."""
    data = ask_home(home, passphrase_file, "show", entry=entry)
    if emit(data, as_json):
        return
    frame = data["frame"] or {}
    say(f"{mark(frame.get('status'))}{data['entry']}  {frame.get('format')}  ({frame.get('act')})")
    say(f"subject       {frame.get('subject')}")
    say(f"verdict       {'admissible' if data['admissible'] else data['code'] + ': ' + data['reason']}")
    say(f"event at      {frame.get('event-at')}  {' '.join(data['flags'])}")
    say(f"released at   {frame.get('released-at')}   held here since {data['held-at']}")
    say(f"signed by     {frame.get('author')}, {frame.get('releaser') or 'alone'}")
    receipted = sorted({receipt["by"] for receipt in data["receipts"]})
    say(f"receipted by  {', '.join(receipted) or 'nobody yet'}")
    say(f"acknowledged  {', '.join(data['acknowledged-by']) or 'not yet'}")
    if "attachment" in data:
        found = data["attachment"]
        say(f"STIX bundle   {found.get('problem') or '{objects} objects, {bundle}'.format(**found)}")
    if "offer" in data:
        offer = data["offer"]
        words = [word for word in ("crossed", "accepted", "settled", "effective") if offer[word]]
        say(f"offer         names {', '.join(offer['named'])}: {', '.join(words) or 'open'}")
    for line in json.dumps(data.get("opened", frame.get("content")), indent=2, ensure_ascii=False).split("\n"):
        say(line)


@click.command()
@home_option
@click.option("--all", "everything", is_flag=True, help="Also released and withdrawn ones.")
@json_option
def drafts(home: Path, passphrase_file: Path | None, everything: bool, as_json: bool) -> None:
    """Drafts, and those submitted for release."""
    data = ask_home(home, passphrase_file, "drafts", all=everything)
    if not emit(data, as_json):
        rows = [
            (
                d["identifier"],
                d["state"],
                d["draft"]["format"],
                d["draft"]["author"],
                mark(d["draft"]["status"]) + d["draft"]["subject"],
            )
            for d in data
        ]
        table("Drafts", ["draft", "state", "format", "author", "subject"], rows)


@click.command()
@home_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def draft(home: Path, passphrase_file: Path | None, file: Path) -> None:
    """Keep the draft in FILE (JSON); prints its identifier. See docs/how-to for an example."""
    value = read_json(file)
    click.echo(ask_home(home, passphrase_file, "draft", draft=value))
    _tell_date(value)


def _tell_date(value: Mapping[str, Any]) -> None:
    """A date is kept as it is stated; whoever has only mistyped it is told while it can be mended."""
    weekday = (value.get("as-stated") or {}).get("weekday")
    for flag in flags_of(value["event-at"], weekday):
        click.echo(plain(f"note: event-at {value['event-at']}: {flag}; it is kept as stated"), err=True)


@click.command()
@home_option
@click.argument("identifier")
def submit(home: Path, passphrase_file: Path | None, identifier: str) -> None:
    """The author submits draft IDENTIFIER for release."""
    ask_home(home, passphrase_file, "submit", identifier=identifier)


@click.command()
@home_option
@click.argument("identifier")
def withdraw(home: Path, passphrase_file: Path | None, identifier: str) -> None:
    """Take draft IDENTIFIER back before release."""
    ask_home(home, passphrase_file, "withdraw", identifier=identifier)


@click.command()
@home_option
@click.argument("identifier")
@click.option("--as", "officer", required=True, help="The releasing officer; not the author.")
@json_option
def release(home: Path, passphrase_file: Path | None, identifier: str, officer: str, as_json: bool) -> None:
    """A second officer releases submitted draft IDENTIFIER: it is numbered, signed and sent."""
    data = ask_home(home, passphrase_file, "release", identifier=identifier, officer=officer)
    if not emit(data, as_json):
        click.echo(data["entry"])


@click.command()
@home_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def send(home: Path, passphrase_file: Path | None, file: Path, as_json: bool) -> None:
    """Send what its format lets one officer send alone; FILE is a draft."""
    data = ask_home(home, passphrase_file, "send", draft=read_json(file))
    if not emit(data, as_json):
        click.echo(data["entry"])


@click.command()
@home_option
@click.argument("entries", nargs=-1, required=True)
@click.option("--as", "officer", required=True, help="The watch officer.")
@click.option("--reject", "reason", help="Reject, with this reason; else accepted for action.")
def acknowledge(
    home: Path, passphrase_file: Path | None, entries: tuple[str, ...], officer: str, reason: str | None
) -> None:
    """A person here has read ENTRIES (party/number). This is not agreement."""
    if reason is not None and not reason.strip():
        raise Refusal("--reject needs a reason; nothing was sent, neither a rejection nor an acceptance", "usage")
    data = ask_home(
        home,
        passphrase_file,
        "acknowledge",
        entries=list(entries),
        officer=officer,
        disposition="rejected" if reason else "accepted",
        reason=reason or "",
    )
    click.echo(data["entry"])


@click.command()
@home_option
@click.argument("entry")
@click.argument("names", nargs=-1)
@click.option("--as", "officer", required=True, help="The officer who drafts it.")
def reveal(home: Path, passphrase_file: Path | None, entry: str, names: tuple[str, ...], officer: str) -> None:
    """Draft the opening of sealed NAMES (all of them if none is given) of our own ENTRY; prints the draft."""
    click.echo(ask_home(home, passphrase_file, "reveal", entry=entry, names=list(names), officer=officer))


@click.command()
@home_option
@json_option
def accounting(home: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Who holds what: accounts, lots, competing figures, discrepancies."""
    data = ask_home(home, passphrase_file, "accounting")
    if not emit(data, as_json):
        print_accounting(data, ask_home(home, passphrase_file, "pack"))


def print_accounting(data: Mapping[str, Any], pack: Mapping[str, Any], subjects: Sequence[str] = ()) -> None:
    """Declared, handed over, destroyed, where everything is, figures side by side, discrepancies.

    With `subjects` only figures of these subjects are shown, and the rest is counted.
    """
    units = {unit["id"]: unit for unit in pack["units"]}
    rows = [
        (d["lot"], d["kind"], d["place"], _quantity(d["quantity"], units), d["quantity"]["basis"])
        for d in data["declared"]
    ]
    table("Declared and found", ["lot", "kind", "place", "amount", "basis"], rows, right=(3,))
    _print_tables(data, units)
    moved = [
        (h["entry"], h["event-at"], h["from"], h["receiver"], _lots(h, units), h["place"], h["state"])
        for h in data["handovers"]
    ]
    table("Handed over", ["entry", "event at", "from", "to", "lots", "to place", "state"], moved)
    gone = [
        (d["entry"], d["event-at"], d["from"], ", ".join(d["named"]), _lots(d, units), d["place"], d["state"])
        for d in data["destructions"]
    ]
    table("Destroyed", ["entry", "event at", "by", "witnesses", "lots", "place", "state"], gone)
    accounts = [
        (
            account["account"],
            account["unit"],
            sum_text(account["stated"], units.get(account["unit"])),
            sum_text(account["derived"], units.get(account["unit"])) if account["derived"] != 0 else "",
            _not_exact(account, units.get(account["unit"])),
        )
        for account in data["accounts"]
    ]
    table("Accounts", ["account", "ledger", "stated", "derived", "lots not stated"], accounts, right=(2, 3, 4))
    lots = [
        (
            _rows(lot),
            lot["kind"] or "sealed",
            lot["account"],
            lot["place"] or "sealed",
            _each(lot, units.get(lot["unit"])),
            lot["basis"],
        )
        for lot in data["lots"]
    ]
    table("Lots", ["lot", "kind", "account", "place", "amount", "basis"], lots, right=(4,))
    shown = [figure for figure in data["figures"] if not subjects or figure["subject"] in subjects]
    print_figures(shown, units)
    if len(shown) < len(data["figures"]):
        click.echo(
            f"… and {len(data['figures']) - len(shown)} further figures: `servanda accounting` shows them all.\n"
        )
    found = [(item["code"], item["entry"], _rows(item)) for item in data["discrepancies"]]
    table(f"Open discrepancies: {len(found)}", ["code", "entry", "lot"], found)


_NOTHING = {"rows": 0, "kind": "nothing", "place": "—", "each": 0, "unit": ""}


def _of_group(group: Mapping[str, Any], units: Mapping[str, Any]) -> str:
    """The amount of each row of a group."""
    each, unit = group["each"], units.get(group["unit"])
    if isinstance(each, Mapping):
        return f"{amount_text(each['from'], unit)} to {amount_text(each['to'], unit)}"
    return "sealed" if each is None else amount_text(each, unit) if each else ""


def _print_tables(data: Mapping[str, Any], units: Mapping[str, Any]) -> None:
    """What was declared by table, group by group; and what complete counts found beside the book."""
    groups = [
        (
            one["entry"] + (" (found)" if one["found"] else ""),
            f"{group['rows']:,}",
            group["kind"] or "sealed",
            group["place"] or "sealed",
            _of_group(group, units),
            ", ".join(
                filter(None, (one.get("supplements") and f"supplements {one['supplements']}", one.get("reason")))
            ),
        )
        for one in data.get("tables", ())
        for group in one["groups"] or [_NOTHING]
    ]
    table("Declared by table", ["entry", "rows", "kind", "place", "each", "says"], groups, right=(1, 4))
    counts = [
        (
            one["entry"],
            one["kind"],
            one["place"],
            *(amount_text(one[side], units.get(one["unit"])) for side in ("counted", "book")),
        )
        for one in data.get("counts", ())
    ]
    table("Counted", ["entry", "kind", "place", "counted", "book"], counts, right=(3, 4))


def _quantity(quantity: Mapping[str, Any], units: Mapping[str, Any]) -> str:
    of = units.get(quantity["unit"])
    if "from" in quantity:
        return f"{amount_text(quantity['from'], of)} to {amount_text(quantity['to'], of)}"
    return amount_text(quantity.get("amount"), of)


def _lots(moved: Mapping[str, Any], units: Mapping[str, Any]) -> str:
    named = [f"{lot['lot']} ({_quantity(lot['quantity'], units)})" for lot in moved["lots"]]
    return "; ".join([*named, *(f"{one['count']:,} rows of {one['table']}" for one in moved.get("tables", ()))])


def _rows(item: Mapping[str, Any]) -> str | None:
    """A lot, or the first and the last of consecutive rows of a table; what a count is about, by kind and place."""
    lot: str | None = item["lot"]
    if "kind" in item and lot is None:
        return f"{item['kind']}, {item['place']}"
    if lot is None or "rows" not in item:
        return lot
    return f"{lot}..{int(lot.rpartition('/')[2]) + item['rows'] - 1}"


def _each(lot: Mapping[str, Any], unit: Mapping[str, Any] | None) -> str:
    """The amount of a lot; of consecutive rows how many there are, and the amount of each."""
    if lot["basis"] == "range":
        text = f"{amount_text(lot['from'], unit)} to {amount_text(lot['to'], unit)}"
    else:
        text = "sealed" if lot["basis"] == "sealed" else amount_text(lot["amount"], unit)
    return f"{lot['rows']:,} × {text}" if "rows" in lot else text


def _not_exact(account: Mapping[str, Any], unit: Mapping[str, Any] | None) -> str:
    """What of an account is not known exactly; none of it is in the sums beside it."""
    found = [str(account["unstated"])] if account["unstated"] else []
    if "sealed" in account:
        found.append(f"{account['sealed']:,} sealed")
    if "range" in account:
        ends = account["range"]
        found.append(f"{ends['lots']:,} of {sum_text(ends['from'], unit)} to {sum_text(ends['to'], unit)} in all")
    return ", ".join(found)


def print_figures(figures: list[dict[str, Any]], units: Mapping[str, Any]) -> None:
    """Competing figures side by side, each with source, date, basis and grade."""
    rows = []
    for figure in figures:
        value, unit = figure["value"], units.get(figure["unit"])
        text = (
            amount_text(value["amount"], unit)
            if "amount" in value
            else f"{amount_text(value['from'], unit)} to {amount_text(value['to'], unit)}"
        )
        qualifier = "" if value["qualifier"] == "exact" else value["qualifier"].replace("-", " ") + " "
        rows.append(
            (figure["subject"], qualifier + text, figure["as-of"], figure["basis"], figure["source"], figure["grade"])
        )
    table(
        "Published figures, side by side", ["subject", "value", "as of", "basis", "source", "grade"], rows, right=(1,)
    )


@click.command()
@home_option
@click.option("--at", help="Judge at this date (YYYY-MM-DD); today if not given.")
@json_option
def obligations(home: Path, passphrase_file: Path | None, at: str | None, as_json: bool) -> None:
    """What is due, by whom, when, and what the record shows."""
    data = ask_home(home, passphrase_file, "obligations", at=at)
    if not emit(data, as_json):
        print_obligations(data, ask_home(home, passphrase_file, "pack"))


def print_obligations(data: Mapping[str, Any], pack: Mapping[str, Any]) -> None:
    """The obligations as one table; the heading says by which dates they are judged."""
    known = {item["id"]: item for item in pack["obligations"]}
    language = pack["languages"][0]
    basis = pack["time"]["basis"]
    by = "the dates that the entries attest" if basis == "event" else "the times of receipt in the record"
    rows = []
    for row in data["obligations"]:
        extent = row["extent"]
        status_text = row["status"].replace("-", " ")
        if row["superseded-by"]:
            status_text += f" by {row['superseded-by']}"
        done = row["outcome"].replace("-", " ")
        if extent and extent[0] != extent[1]:
            done += f" ({extent[0]} of {extent[1]})"
        names = known[row["id"]]
        rows.append(
            (
                row["id"],
                ", ".join(names["obligors"]),
                names["names"][language],
                row["due"],
                status_text,
                done,
                row["met-on"],
                days_text(row),
            )
        )
    heads = ["id", "owed by", "obligation", "due", "deadline", "performance", "on", "days"]
    table(f"Obligations at {data['at']}, judged by {by}", heads, rows)


@click.command()
@home_option
@json_option
def lines(home: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Which counterparts answer now, and what is wrong with those that do not. Needs the centre on duty."""
    data = ask_home(home, passphrase_file, "lines")
    if not emit(data, as_json):
        rows = [
            (party, "up" if line["up"] else "down", line["route"], line["trouble"])
            for party, line in sorted(data.items())
        ]
        table("Lines", ["counterpart", "line", "route", "trouble"], rows)


@click.command()
@home_option
@click.argument("pack", type=click.Path(exists=True, path_type=Path))
def bring(home: Path, passphrase_file: Path | None, pack: Path) -> None:
    """Hold PACK, an amended pack, so that it can be adopted here; prints its digest. Counterparts fetch it from us."""
    compiled = read_pack(pack)
    click.echo(ask_home(home, passphrase_file, "bring", pack=base64.b64encode(encode(compiled.data)).decode()))


@click.command()
@home_option
@json_option
def receipts(home: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Who holds receipts for what."""
    data = ask_home(home, passphrase_file, "receipts")
    if not emit(data, as_json):
        table(
            "Receipts",
            ["journal", "held by", "to entry", "kind"],
            [(r["journal"], r["by"], r["size"], r["kind"]) for r in data],
            right=(2,),
        )


@click.command()
@home_option
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--purpose", type=click.Choice(["dossier", "courier", "backup"]), default="dossier", show_default=True)
@click.option("--as-of", help="Instant at which obligations are judged (RFC 3339, UTC); now if not given.")
@click.option("--openings", is_flag=True, help="Also the openings of sealed members that this centre holds.")
@click.option(
    "--to",
    multiple=True,
    metavar="PARTY",
    help="Encrypt a courier bundle so that only this party can open it; repeat for more. "
    "Openings that were to be handed to every one of them go along.",
)
def export(
    home: Path,
    passphrase_file: Path | None,
    file: Path,
    purpose: str,
    as_of: str | None,
    openings: bool,
    to: tuple[str, ...],
) -> None:
    """Write everything that this centre holds into FILE, one bundle."""
    if to and (openings or as_of):
        raise Refusal("--to goes with neither --openings nor --as-of", "usage")
    wanted = {"to": list(to)} if to else {"as_of": as_of, "openings": openings}
    data = ask_home(home, passphrase_file, "export", purpose=purpose, **wanted)
    file.write_bytes(base64.b64decode(data))
    click.echo(f"{file}: {file.stat().st_size} bytes")


@click.command("import")
@home_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def import_(home: Path, passphrase_file: Path | None, file: Path, as_json: bool) -> None:
    """Take from bundle FILE whatever this centre does not hold yet."""
    encoded = base64.b64encode(file.read_bytes()).decode()
    data = ask_home(home, passphrase_file, "import", data=encoded)
    if not emit(data, as_json):
        for party, count in sorted(data["entries"].items()):
            click.echo(f"{count} new entries of {party}")
        for party in data["unmet"]:
            click.echo(f"the journal of {party} is left out: take its card first (`servanda meet`)")


@click.command()
@home_option
@json_option
def audit(home: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Derive everything anew from the stored entries and compare."""
    wrong = ask_home(home, passphrase_file, "audit")
    if not emit({"wrong": wrong}, as_json):
        click.echo("\n".join(wrong) or "everything follows from the entries")
    if wrong:
        raise click.exceptions.Exit(1)


@click.command()
@home_option
def rebuild(home: Path, passphrase_file: Path | None) -> None:
    """Throw the registers away and fold them anew from the record."""
    for party, count in ask_home(home, passphrase_file, "rebuild").items():
        click.echo(f"{party}: {count} entries")


@click.command("fork")
@home_option
@click.argument("name")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def fork_(home: Path, passphrase_file: Path | None, name: str, file: Path) -> None:
    """Write the proof of a fork NAME (see status) into FILE, for anyone to verify."""
    file.write_bytes(base64.b64decode(ask_home(home, passphrase_file, "fork", name=name)))


COMMANDS = (
    status,
    log,
    show,
    drafts,
    draft,
    submit,
    withdraw,
    release,
    send,
    acknowledge,
    reveal,
    accounting,
    obligations,
    receipts,
    lines,
    bring,
    export,
    import_,
    audit,
    rebuild,
    fork_,
)
