# SPDX-License-Identifier: Apache-2.0
"""Where are the rows of tables kept, and what works on them? Parquet files beside the record, below `tables`."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from servanda.agreement.formats import Format
from servanda.agreement.pack import Pack, pack_of
from servanda.keyring import age
from servanda.operations.errors import Refusal
from servanda.operations.tables import GROUPS_MAX, TableFacts, table_content
from servanda.proof.tables import SECRET_BYTES
from servanda.storage.columnar.checking import Names
from servanda.storage.columnar.engine import engine
from servanda.storage.columnar.making import Sealed, seal_table
from servanda.storage.columnar.queries import BY, Holdings, find_serial
from servanda.storage.columnar.receiving import Receiving, read_header, read_table_file, write_table_file
from servanda.storage.columnar.staging import Progress
from servanda.storage.columnar.store import ColumnarTables
from servanda.storage.columnar.writing import write_rows

TABLE_FILE_BYTES_MAX = 1 << 32
"""The largest table file that is read."""


def tables_at(home: Path) -> ColumnarTables:
    """The tables of a home."""
    return ColumnarTables(home / "tables")


def form_with_rows(pack: dict[str, Any], name: str) -> tuple[Pack, Format]:
    """The newest version of a format that has rows.

    Raises:
        Refusal: there is no such format in the pack, or it has no rows (`format`).
    """
    compiled = pack_of(pack)
    having = sorted({form.identifier for form in compiled.formats.values() if form.rows is not None})
    forms = [form for form in compiled.formats.values() if form.identifier == name and form.rows is not None]
    if not forms:
        raise Refusal(
            f"no format {name} with rows in the pack in force; those with rows are {', '.join(having) or 'none'}",
            "format",
        )
    return compiled, max(forms, key=lambda form: form.version)


def opens_lots(form: Format) -> bool:
    """Whether every row of a table of this format is a lot, so that its entry has groups."""
    return form.effect in ("custody.table", "custody.found-table")


def seal_into(
    home: Path,
    source: Path,
    pack: dict[str, Any],
    name: str,
    *,
    sealed: Sequence[str] = (),
    public: bool = False,
    quarantine: Path | None = None,
    progress: Progress = lambda stage, done, of: None,
) -> tuple[Sealed, dict[str, Any]]:
    """Seal a file into a table of a home; returns it, and the members `table` and `groups` of an entry's content.

    Args:
        home: the centre's folder.
        source: a file of CSV, XLSX or Parquet.
        pack: the pack in force, as data.
        name: a format with rows.
        sealed: which of `kind`, `place`, `amount` the groups do not say.
        public: whether the entry states the secret, so that whoever is given the rows can check them.
        quarantine: where wrong rows go, if they are to be left out.
        progress: told how far it is.

    Raises:
        Refusal: the format has no rows, or the file or a row of it is wrong; nothing is kept.
    """
    compiled, form = form_with_rows(pack, name)
    lots = opens_lots(form)
    units = {item["id"]: item["unit"] for item in pack["items"]}
    known = Names(units, compiled.places) if lots else None
    tables, secret = tables_at(home), secrets.token_bytes(SECRET_BYTES)
    measured = "amount" not in sealed
    made = seal_table(tables, source, form, known, secret, measured=measured, quarantine=quarantine, progress=progress)
    groups = None
    if lots:
        groups = tables.groups(made.facts.root, by_amount=measured)
        if len(groups) > GROUPS_MAX:
            groups = tables.groups(made.facts.root, by_amount=False)
    content = table_content(made.facts, secret if public else None, groups, units, frozenset(sealed))
    if len(content.get("groups", ())) > GROUPS_MAX:
        raise Refusal(f"the rows make {len(content['groups'])} groups; an entry has at most {GROUPS_MAX}", "over-size")
    return made, content


def secret_file(home: Path, root: str, recipients: Sequence[str]) -> bytes:
    """The secret of a table with what it is of, encrypted to keys of age; whoever has the rows can open any of them.

    Raises:
        Refusal: the table is not held, or a recipient is no key (`no-encryption`).
    """
    tables = tables_at(home)
    text = f"servanda table secret\nroot {root}\nsecret {tables.secret(root).hex()}\n"
    return age.encrypt(text.encode(), [age.public_of_text(recipient) for recipient in recipients])


def export_table(home: Path, root: str, file: Path, keys: Sequence[bytes] = ()) -> int:
    """Write a table to a file: a table file with its secret, encrypted if there are keys; or plain CSV or Parquet.

    Returns:
        How many cells were given an apostrophe, so that no spreadsheet computes them.

    Raises:
        Refusal: the table is not held, or the file's ending is none of these (`table-file`).
    """
    tables = tables_at(home)
    path = tables.path(root)
    if file.suffix == ".servanda-table":
        data = write_table_file(tables, root)
        file.write_bytes(age.encrypt(data, keys) if keys else data)
        return 0
    if keys:
        raise Refusal("only a .servanda-table is encrypted to its recipients", "usage")
    return write_rows(path / "rows.parquet", file)


def import_table(
    home: Path, file: Path, root: str | None, keys: Sequence[bytes], progress: Progress = lambda stage, done, of: None
) -> TableFacts:
    """Take a table file: its rows are kept if they give the root.

    Args:
        home: the centre's folder.
        file: the table file, perhaps encrypted.
        root: the root that it must have; None for the one that it states.
        keys: private keys with which an encrypted one may be opened.
        progress: told how far it is.

    Raises:
        Refusal: it is no table file, damaged, or another table; nothing is kept.
    """
    data = file.read_bytes()
    if age.is_encrypted(data):
        data = age.decrypt(data, keys, TABLE_FILE_BYTES_MAX)
    parts = read_table_file(data)
    header = read_header(next(parts))
    if root is not None and header.facts.root != root:
        raise Refusal(f"this is the table {header.facts.root[:16]}…, not {root[:16]}… of the entry", "table-root")
    receiving = Receiving(tables_at(home), header)
    receiving.drop()
    receiving = Receiving(tables_at(home), header)
    try:
        for lines in parts:
            progress("read", receiving.add(lines), header.facts.rows)
    except Refusal:
        receiving.drop()
        raise
    return receiving.finish(progress)


def balances_by(
    home: Path,
    lots: Sequence[dict[str, Any]],
    roots: dict[str, str],
    names: Sequence[str],
    where: Sequence[str] = (),
    *,
    explain: bool = False,
) -> list[dict[str, Any]]:
    """The balances by some of party, kind, site, state, account, with what the rows held in a home say.

    Args:
        home: the centre's folder.
        lots: `lots` of the balances document.
        roots: the root of the table of each entry that has one.
        names: by what they are told apart.
        where: `name=value`, which the lots are to have.
        explain: whether each says of which lots it is the sum, under `from-lots`.

    Raises:
        Refusal: a name is none of these (`usage`).
    """
    only = dict(pair.partition("=")[::2] for pair in where)
    strange = [name for name in (*names, *only) if name not in BY]
    if strange:
        raise Refusal(f"holdings are told apart by {', '.join(BY)}, not by {', '.join(strange)}", "usage")
    with engine() as duck:
        held = Holdings(duck, tables_at(home), lots, roots)
        rows = held.by(names, only)
        for row in rows if explain else ():
            row["from-lots"] = held.lots({**only, **{name: row[name] for name in (*names, "unit")}})
    return rows


def rows_of_serial(home: Path, serial: str) -> list[dict[str, Any]]:
    """The rows of the tables of a home that have a serial, or one that could be read as it."""
    return [found._asdict() for found in find_serial(tables_at(home), serial)]


def value_of_row(home: Path, root: str | None, lot: str) -> dict[str, Any] | None:
    """The row that a lot is, if its table is held in a home."""
    tables = tables_at(home)
    if root is None or tables.facts(root) is None:
        return None
    value: dict[str, Any] = json.loads(tables.lines(root, int(lot.rpartition("/")[2]), 1))
    return value
