# SPDX-License-Identifier: Apache-2.0
"""Which formats does a party apply, since when, by which notice of its own? (spec/alerts.md, Regime).

A notice changes no rule. Notices of one party follow one another in its own journal, so the order of arrival does not
matter. Actual, exercise and test notices are kept apart: none says anything about the others.
"""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from servanda.journal.frame import Frame, Place
from servanda.journal.record import Record
from servanda.journal.refusal import Refused
from servanda.journal.state import Entry
from servanda.line.discrepancies import Discrepancy, discrepancies_document
from servanda.proof.canonical import encode


class Notice(NamedTuple):
    """One regime entry."""

    entry: Place
    status: str
    formats: tuple[str, ...]
    """Empty: all formats."""
    state: str
    """`applied`, `suspended` or `voluntary`."""
    since: str
    reason: str
    released_at: str
    replaces: tuple[Place, ...]
    """The notices that held until then for what this one names."""

    def begun(self, day: str) -> bool:
        """Whether it holds on `day`, YYYY-MM-DD: a date that does not exist postpones nothing."""
        return not _exists(self.since) or self.since <= day


class Applied(NamedTuple):
    """What a party says of one format, or of all others."""

    format: str | None
    """None: all formats that no later notice names."""
    notice: Notice


class Regimes:
    """The regime notices of every party. Call `catch_up` after the record has judged more entries."""

    def __init__(self, record: Record) -> None:
        """Start empty; nothing of the record is folded yet."""
        self.record = record
        self.position = 0
        self.notices: list[Notice] = []
        self.discrepancies: list[Discrepancy] = []
        self._latest: dict[tuple[str, str], dict[str | None, Notice]] = {}
        """Party and status, to format (None: all others), to the latest notice."""

    def catch_up(self) -> None:
        """Fold every entry of the record's log that has not been folded yet."""
        while self.position < len(self.record.log):
            entry = self.record.log[self.position]
            self.position += 1
            if entry.admissible and entry.frame is not None and entry.frame.format == "regime":
                self._post(entry, entry.frame)
                # It stands all the same: a slip in a notice must not make it unsaid.
                for refused in self._faults(entry.frame):
                    found = Discrepancy(entry.place, f"regime/{refused.reason}", entry.frame.status)
                    self.discrepancies.append(found)

    def check(self, entry: Entry) -> Refused | None:
        """What is wrong with an admissible notice, or None. Nothing is changed."""
        assert entry.frame is not None
        if entry.frame.format != "regime":
            return None
        return next(iter(self._faults(entry.frame)), None)

    def _faults(self, frame: Frame) -> list[Refused]:
        known = {name for name, _ in self.record.packs[frame.pack or self.record.agreement].formats}
        unknown = sorted(set(frame.content["formats"]) - known)
        found = []
        if unknown:
            found.append(Refused("unknown-format", f"the pack in force has no format {', '.join(unknown)}"))
        if not _exists(frame.content["since"]):
            found.append(Refused("no-such-date", f"{frame.content['since']} does not exist"))
        return found

    def _post(self, entry: Entry, frame: Frame) -> None:
        content = frame.content
        latest = self._latest.setdefault((entry.place.party, frame.status), {})
        formats = tuple(sorted(content["formats"]))
        replaced = [latest[name] for name in formats if name in latest] if formats else list(latest.values())
        notice = Notice(
            entry.place,
            frame.status,
            formats,
            content["state"],
            content["since"],
            content["reason"],
            frame.released_at,
            tuple(sorted({old.entry for old in replaced})),
        )
        self.notices.append(notice)
        if not formats:
            latest.clear()
        latest.update(dict.fromkeys(formats or (None,), notice))

    def state(self, party: str, form: str, status: str = "actual") -> Notice | None:
        """The notice that holds for a format of the pack; None if the party has said nothing of it."""
        latest = self._latest.get((party, status), {})
        return latest.get(form) or latest.get(None)

    def of(self, party: str, status: str = "actual") -> list[Applied]:
        """What a party says, all others first, then by format."""
        latest = self._latest.get((party, status), {})
        return [Applied(name, latest[name]) for name in sorted(latest, key=lambda name: name or "")]

    def suspended(self, party: str, status: str, day: str) -> list[Applied]:
        """What of it is suspended on `day`, YYYY-MM-DD."""
        return [one for one in self.of(party, status) if one.notice.state == "suspended" and one.notice.begun(day)]


def _exists(day: str) -> bool:
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True


def regimes_document(register: Regimes) -> dict[str, Any]:
    """What every party says it applies, and every notice (spec/alerts.md, Regime)."""
    parties = sorted({(notice.entry.party, notice.status) for notice in register.notices})
    return {
        "discrepancies": discrepancies_document(register.discrepancies),
        "notices": [_notice(notice) for notice in sorted(register.notices)],
        "regimes": [
            {
                "entry": str(one.notice.entry),
                "format": one.format,
                "party": party,
                "since": one.notice.since,
                "state": one.notice.state,
                "status": status,
            }
            for party, status in parties
            for one in register.of(party, status)
        ],
        "servanda-regimes": 1,
    }


def _notice(notice: Notice) -> dict[str, Any]:
    return {
        "entry": str(notice.entry),
        "formats": list(notice.formats),
        "reason": notice.reason,
        "released": notice.released_at,
        "replaces": [str(place) for place in notice.replaces],
        "since": notice.since,
        "state": notice.state,
        "status": notice.status,
    }


def regimes_bytes(register: Regimes) -> bytes:
    """Canonical bytes of the document."""
    return encode(regimes_document(register))
