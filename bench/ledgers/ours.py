# SPDX-License-Identifier: Apache-2.0
"""What we do with the postings, as a program: `python -m bench.ledgers.ours FOLDER`.

The file is read and checked against the rows of the format, sealed into a table on disk (canonical text, salt and leaf
of each row, one root), and the root goes into an entry that two officers sign and the store keeps with full sync. Then
the engine sums the rows that are kept, and looks that each transaction adds up to nothing. It prints the balances, and
on the standard error what took how long.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from servanda.agreement.pack import Pack, pack_of
from servanda.operations.backups import BACKED_UP
from servanda.operations.tables import table_content
from servanda.storage.columnar.engine import engine
from servanda.storage.columnar.making import seal_table
from servanda.storage.columnar.sealing import literal
from servanda.storage.columnar.store import ColumnarTables
from tests.rig.packs import lake
from tests.rig.world import World

FORMAT = "postings"
_TEXT = {"type": "string", "minLength": 1, "maxLength": 80}
_AMOUNT = {"type": "integer", "minimum": -(2**53) + 1, "maximum": 2**53 - 1}
ROW = {
    "type": "object",
    "properties": {
        "account": _TEXT,
        "commodity": {"type": "string", "enum": ["EUR"]},
        "day": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
        "hundredths": _AMOUNT,
        "transaction": {"type": "integer", "minimum": 0, "maximum": 2**53 - 1},
    },
    "required": ["account", "commodity", "day", "hundredths", "transaction"],
    "additionalProperties": False,
}


def agreement() -> Pack:
    """A pack of two parties with a format whose rows are postings."""
    data = json.loads(json.dumps(lake(("ash", "birch")).data))
    note = next(form for form in data["formats"] if form["id"] == "note")
    data["formats"].append({**note, "id": FORMAT, "rows": ROW})
    return pack_of(data)


def main(folder: Path) -> None:
    """Import, sign, balance."""
    from bench.journals import moved_to_sqlite

    begun = time.perf_counter()
    pack = agreement()
    centre = moved_to_sqlite(World(pack).centres["ash"], folder / "record.db")
    told: dict[str, Any] = {"found": time.perf_counter() - begun}

    begun = time.perf_counter()
    tables = ColumnarTables(folder / "tables")
    secret = bytes(range(32))
    form = pack.formats[FORMAT, 1]
    made = seal_table(tables, folder / "postings.csv", form, None, secret)
    told["seal"] = time.perf_counter() - begun

    begun = time.perf_counter()
    with centre.store.transaction() as writer:
        writer.put_setting(BACKED_UP + made.facts.root, b"in a measurement")
    content = table_content(made.facts, None, None, {}, frozenset())
    entry = _release(centre, {"text": "Postings", **content})
    told["sign"] = time.perf_counter() - begun

    begun = time.perf_counter()
    rows = tables.path(entry.frame.content["table"]["root"]) / "rows.parquet"
    with engine() as duck:
        found = duck.execute(
            f"SELECT account, sum(hundredths)::HUGEINT FROM read_parquet({literal(rows)}) "
            "GROUP BY account HAVING sum(hundredths) <> 0"
        ).fetchall()
        open_ended = duck.execute(
            f"SELECT count(*) FROM (SELECT transaction FROM read_parquet({literal(rows)}) "
            "GROUP BY transaction HAVING sum(hundredths) <> 0)"
        ).fetchall()
    assert open_ended == [(0,)], "a transaction does not balance"
    told["balance"] = time.perf_counter() - begun
    told["rows"] = made.facts.rows
    print(json.dumps({account: int(amount) for account, amount in found}))
    print(json.dumps(told), file=sys.stderr)


def _release(centre: Any, content: dict[str, Any]) -> Any:
    from servanda.operations.drafting import Draft, release_draft, submit_draft, write_draft

    draft = Draft(
        format=FORMAT, subject="Postings", event_at="2014-01-10", author="desk", content=content, to=("birch",)
    )
    identifier = write_draft(centre, draft)
    submit_draft(centre, identifier)
    entry = release_draft(centre, identifier, "chief")
    assert entry.admissible, entry.reason
    return entry


if __name__ == "__main__":
    main(Path(sys.argv[1]))
