# SPDX-License-Identifier: Apache-2.0
"""Rows fetched from their author's centre, part by part, and kept only if they give the root (spec/line.md, Tables)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from servanda.operations.centre import Centre
from servanda.operations.errors import Refusal, ServandaError
from servanda.operations.ports import Courier
from servanda.operations.rowopenings import entry_with_table
from servanda.operations.tableworks import allowed, state_held

log = logging.getLogger(__name__)


class Incoming(Protocol):
    """One table that is coming in. What has come in stays when the process ends, and the next one goes on after it."""

    @property
    def held(self) -> int:
        """How many rows have come in."""

    @property
    def rows(self) -> int:
        """How many there are to be."""

    def add(self, packed: bytes) -> int:
        """Take the next part, as the line brings it; returns how many rows have come in.

        Raises:
            Refusal: it is no part of this table.
        """

    def finish(self) -> object:
        """Compute the root from rows and secret, and keep the table.

        Raises:
            Refusal: it is another table; nothing is kept.
        """


class TableSource(Protocol):
    """The rows of a centre's home, as the line needs them."""

    def has(self, root: str) -> bool:
        """Whether the table is held."""

    def header(self, root: str) -> bytes:
        """The first line of its table file."""

    def part(self, root: str, first: int) -> bytes:
        """The rows from `first` on, as many as go into one part, packed."""

    def incoming(self, root: str, rows: int, header: bytes) -> Incoming:
        """Begin to take a table, or go on.

        Raises:
            Refusal: the header is none, or of another table.
        """


def table_part(centre: Centre, source: TableSource, peer: str, root: str, first: int | None) -> bytes:
    """What a peer asks of a table: its header, or the rows from `first` on.

    Raises:
        Refusal: the rows are not held here, or no draft opens them to it; which of both is not said.
    """
    with centre.lock:
        may = allowed(centre, root, peer)
    if not may or not source.has(root):
        raise Refusal(f"no table {root[:16]}… is here for {peer}", "no-table")
    return source.header(root) if first is None else source.part(root, first)


class Progress(NamedTuple):
    """How far a table is."""

    state: str
    """`fetching`, `held` or `failed`."""
    rows: int
    of: int
    said: str = ""
    """The entry that says that it is held."""
    trouble: str = ""


class Fetcher:
    """Fetches tables for one centre, one thread for each; asked again, it tells how far it is."""

    def __init__(
        self, centre: Centre, source: TableSource, courier: Courier, on_held: Callable[[], None] = lambda: None
    ) -> None:
        """Fetch for `centre`; `on_held` is called, without its lock, when it has said that it holds a table."""
        self._centre, self._source, self._courier, self._on_held = centre, source, courier, on_held
        self._under_way: dict[str, Progress] = {}
        self._lock = threading.Lock()

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Begin to fetch the table of `entry`, or tell how far it is; what has failed begins anew when asked again.

        Raises:
            Refusal: the entry has no table, or it is our own (`no-table`).
        """
        place = str(request["entry"])
        with self._centre.lock:
            entry, table = entry_with_table(self._centre, place)
        if entry.place.party == self._centre.party:
            raise Refusal(f"{place} is our own entry: its rows are here, or nowhere", "no-table")
        with self._lock:
            known = self._under_way.get(place)
            if known is not None and (known.state == "fetching" or request.get("told")):
                return known._asdict()
            self._under_way[place] = Progress("fetching", 0, table["rows"])
        thread = threading.Thread(target=self._run, args=(place, entry.place.party, table), name="table", daemon=True)
        thread.start()
        return self._under_way[place]._asdict()

    def _run(self, place: str, party: str, table: Mapping[str, Any]) -> None:
        try:
            said = self._fetch(place, party, table)
            self._under_way[place] = Progress("held", table["rows"], table["rows"], said)
        except ServandaError as error:
            self._fail(place, f"{error.code}: {error}")
        except Exception:
            log.exception("a table could not be fetched: our bug")
            self._fail(place, "bug: an error of this centre; its log says more")
        else:
            self._on_held()

    def _fail(self, place: str, trouble: str) -> None:
        self._under_way[place] = self._under_way[place]._replace(state="failed", trouble=trouble)

    def _fetch(self, place: str, party: str, table: Mapping[str, Any]) -> str:
        root, rows = table["root"], table["rows"]
        if not self._source.has(root):
            incoming = self._source.incoming(root, rows, self._courier.table(party, root))
            held = incoming.held
            while held < rows:
                self._under_way[place] = Progress("fetching", held, rows)
                before, held = held, incoming.add(self._courier.table(party, root, held))
                if held == before:
                    raise Refusal(f"{party} has no more rows of {place} than {held}", "table-root")
            incoming.finish()
        with self._centre.lock:
            return str(state_held(self._centre, [place]).place)
