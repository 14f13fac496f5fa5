# SPDX-License-Identifier: Apache-2.0
"""Which kinds of silence are there on a line, from which evidence, since when? (spec/alerts.md, Silence).

Everything comes in as values: the record, the newest receipt, the cases of the alerts document, the time. What goes out
says what the evidence shows and what it does not; why somebody is silent is no question for a program.

Actual, exercise and test traffic are judged apart. Link tests and their answers are marked as tests, but are about the
line that all traffic shares: they count with what is actual, and as evidence for each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from servanda.agreement.dates import instant_seconds, instant_text
from servanda.agreement.pack import Pack
from servanda.journal.frame import Place
from servanda.journal.record import Record
from servanda.journal.state import Entry
from servanda.line.link_tests import LinkTests
from servanda.line.regimes import Notice, Regimes

STATUSES = ("actual", "exercise", "test")
OF_THE_LINE = frozenset({"link-test", "link-answer"})
LISTED_MAX = 20
"""How many unreceipted entries, or formats of one notice, are listed; all are counted."""
MACHINES = frozenset({"centre", "root"})
"""Authors of entries that no officer on duty has signed."""


def transport_words(transport: Mapping[str, Any]) -> str:
    """What delivery says of the line now. A relay that answers does not say that the party behind it would."""
    if not transport["up"]:
        return f"no way now: {transport['trouble']}"
    route = transport["route"]
    if route.startswith("relay "):
        return f"no direct answer now; {route} answers, and not necessarily the party behind it"
    return "answers now"


class Words(NamedTuple):
    """How a kind of silence is put into words."""

    title: str
    shows: str
    """What its evidence shows."""
    leaves_open: str
    """What it does not prove."""


WORDS: dict[str, Words] = {
    "line-down": Words(
        "line down",
        "Its centre has not receipted what is listed in the time that the pack allows.",
        "Non-receipt cannot be proved: its centre may hold the entries without our holding its receipt. "
        "Nor does it show on which side, or on whose way, the fault lies.",
    ),
    "nobody-on-duty": Words(
        "centre up, nobody on duty",
        "Its centre holds what is listed; no officer there has acknowledged it in time, or signed anything since.",
        "That nobody has read it is not proved, nor why nobody acknowledges: a person may be there and not sign, "
        "or an acknowledgement be on its way.",
    ),
    "not-acknowledged": Words(
        "centre up, officers sign, not acknowledged",
        "Its centre holds what is listed, and an officer there has signed something else since; "
        "it has not been acknowledged in time.",
        "That the officer who signed has seen it is not proved, nor why it is not acknowledged.",
    ),
    "read-not-answered": Words(
        "read, not answered",
        "An officer there has opened or acknowledged what is listed; what is due after that has not come in time.",
        "Why is not shown: an answer may be in preparation, withheld, or on its way.",
    ),
    "regime-suspended": Words(
        "regime suspended by them",
        "By its own notice the party does not apply what is listed.",
        "A notice changes no rule of the agreement, and does not prove that anything was left out because of it.",
    ),
    "not-met": Words(
        "not met",
        "Its card has not been taken: nothing can be sent to it, and nothing is expected.",
        "Nothing follows about the party.",
    ),
    "nothing-outstanding": Words(
        "nothing outstanding",
        "Nothing of ours has waited for its centre, or for its officers, longer than the pack allows.",
        "That somebody is on duty there now is not proved.",
    ),
}
"""Every kind of silence, the gravest first."""


@dataclass(frozen=True)
class Evidence:
    """One thing that shows a kind of silence: an entry, a receipt, or what the transport says."""

    what: str
    words: str
    entry: str | None = None
    at: str | None = None
    status: str | None = None


@dataclass(frozen=True)
class Silence:
    """One kind of silence that is there."""

    kind: str
    since: str | None
    evidence: tuple[Evidence, ...]
    count: int = 0
    """How many entries of ours it is about."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """Everything that is known of the line to one counterpart."""

    record: Record
    own: str
    party: str
    receipted: int
    """The size of our journal that its centre has receipted; 0 for none."""
    receipt_at: int | None
    """When, by its clock, in seconds since 1970."""
    tests: LinkTests
    regimes: Regimes
    cases: Sequence[Mapping[str, Any]]
    """The `cases` of the alerts document at `now`."""
    now: int
    """Seconds since 1970, by our clock."""
    patience: int
    """After how many minutes without a receipt the line counts as down."""
    transport: Mapping[str, Any] | None = None
    """`up` and `trouble`, as delivery sees the line now; None if the centre is off duty."""

    @property
    def met(self) -> bool:
        """Whether the counterpart's card has been taken."""
        return self.record.journals[self.party].identities.latest is not None

    @property
    def unreceipted(self) -> list[Entry]:
        """Our entries that its centre has not receipted."""
        return self.record.journals[self.own].entries[self.receipted :]


class Overdue(NamedTuple):
    """A question of ours, and the clocks of one party's silence that have run out."""

    entry: Entry
    layer: Mapping[str, Any]
    clocks: Sequence[Mapping[str, Any]]

    @property
    def due(self) -> str:
        """When the first of the clocks ran out."""
        return str(min(clock["due"] for clock in self.clocks))

    @property
    def read(self) -> bool:
        """Whether a person there has done anything with it."""
        return any(self.layer[name] for name in ("opened", "acknowledged", "answered"))


def patience_minutes(pack: Pack) -> int:
    """After how many minutes without a receipt a line counts as down: the link tests' interval or the alarm's."""
    return min(pack.alarm_minutes, pack.link_test_minutes or pack.alarm_minutes)


def silences(line: Line, status: str) -> list[Silence]:
    """Every kind of silence in the traffic of one status, the gravest first; at least one."""
    if not line.met:
        return [Silence("not-met", None, ())]
    overdue = list(_overdue(line, status))
    held = [one for one in overdue if not one.read and one.entry.place.number <= _held(line)]
    signed = _signed(line)
    alone = [one for one in held if not _covers(signed, one.entry, line.own)]
    found = [
        _down(line, status, overdue),
        _unread(line, "nobody-on-duty", alone, None),
        _unread(line, "not-acknowledged", [one for one in held if one not in alone], signed),
        _read(line, [one for one in overdue if one.read]),
        _suspended(line, status),
    ]
    return [one for one in found if one is not None] or [Silence("nothing-outstanding", None, tuple(_contact(line)))]


def _overdue(line: Line, status: str) -> Iterator[Overdue]:
    for case in line.cases:
        for question in case["questions"]:
            entry = line.record.entry(_place(question["entry"]))
            if question["party"] != line.own or entry is None or _status(entry) != status:
                continue
            clocks = [
                clock
                for clock in case["clocks"]
                if (clock["entry"], clock["party"], clock["state"]) == (question["entry"], line.party, "overdue")
                and clock["clock"] in ("acknowledge", "answer")
            ]
            if clocks:
                yield Overdue(entry, next(x for x in question["layers"] if x["party"] == line.party), clocks)


def _place(text: str) -> Place:
    party, _, number = text.partition("/")
    return Place(party, int(number))


def _status(entry: Entry) -> str:
    return entry.frame.status if entry.frame is not None else "actual"


def _released(entry: Entry) -> int:
    assert entry.frame is not None
    return instant_seconds(entry.frame.released_at)


def _held(line: Line) -> int:
    """Up to which entry of ours its centre is known to hold: by its receipt, or because its own entries cover them."""
    theirs = line.record.journals[line.party]
    return max(line.receipted, theirs.heads_after(len(theirs.entries)).get(line.own, 0))


def _signed(line: Line) -> Entry | None:
    """The newest entry of the party that an officer has signed."""
    for entry in reversed(line.record.journals[line.party].entries):
        if entry.admissible and entry.frame is not None and entry.frame.author not in MACHINES:
            return entry
    return None


def _newest(line: Line) -> Entry | None:
    """The newest admissible entry of the party."""
    theirs = line.record.journals[line.party].entries
    return next((entry for entry in reversed(theirs) if entry.admissible and entry.frame is not None), None)


def _covers(signed: Entry | None, entry: Entry, own: str) -> bool:
    return signed is not None and signed.heads.get(own, 0) >= entry.place.number


def _of_the_line(entry: Entry) -> bool:
    return entry.frame is not None and entry.frame.format in OF_THE_LINE


def _counts(entry: Entry, status: str) -> bool:
    return entry.frame is not None and (_of_the_line(entry) or entry.frame.status == status)


def _down(line: Line, status: str, overdue: Sequence[Overdue]) -> Silence | None:
    ran_out = {one.entry.place for one in overdue if not one.read}
    held = _held(line)
    waiting = [entry for entry in line.unreceipted if entry.place.number > held and _counts(entry, status)]
    if status != "actual" and all(_of_the_line(entry) for entry in waiting):
        return None  # nothing of this traffic waits; the line itself is judged with what is actual
    late = line.now - 60 * line.patience
    if not any(_released(entry) < late or entry.place in ran_out for entry in waiting):
        return None
    listed = [_shown("unreceipted", entry, "not receipted") for entry in waiting[:LISTED_MAX]]
    since = instant_text(min(_released(entry) for entry in waiting))
    return Silence("line-down", since, (*listed, *_contact(line)), len(waiting))


def _unread(line: Line, kind: str, overdue: Sequence[Overdue], signed: Entry | None) -> Silence | None:
    if not overdue:
        return None
    shown = [_shown("question", one.entry, _due_words(one)) for one in overdue]
    officer = [_shown("signed", signed, "signed by an officer there, after holding it")] if signed is not None else []
    return Silence(kind, min(one.due for one in overdue), (*shown, *officer, *_contact(line)), len(overdue))


def _read(line: Line, overdue: Sequence[Overdue]) -> Silence | None:
    if not overdue:
        return None
    shown = []
    for one in overdue:
        shown.append(_shown("question", one.entry, _due_words(one)))
        for name in ("opened", "acknowledged", "answered"):
            if one.layer[name]:
                shown.append(_layer(line, name, one.layer[name]))
    return Silence("read-not-answered", min(one.due for one in overdue), tuple(shown), len(overdue))


def _layer(line: Line, name: str, said: Mapping[str, Any]) -> Evidence:
    entry = line.record.entry(_place(said["entry"]))
    status = _status(entry) if entry is not None else None
    return Evidence(name, f"{name} by {', '.join(said['by'])}", said["entry"], said["at"], status)


def _due_words(one: Overdue) -> str:
    return "; ".join(f"{clock['clock']} was due at {clock['due']}" for clock in one.clocks)


def _suspended(line: Line, status: str) -> Silence | None:
    day = instant_text(line.now)[:10]
    held = line.regimes.suspended(line.party, status, day)
    if not held:
        return None
    named: dict[Notice, list[str]] = {}
    for one in held:
        named.setdefault(one.notice, []).append(one.format or "all formats that no later notice names")
    shown = tuple(
        Evidence(
            "notice",
            f"suspends {_listed(formats)} since {notice.since}: {notice.reason}",
            str(notice.entry),
            notice.released_at,
            status,
        )
        for notice, formats in sorted(named.items())
    )
    return Silence("regime-suspended", min(notice.since for notice in named), shown)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - LISTED_MAX
    return ", ".join(names[:LISTED_MAX]) + (f" and {more} more" if more > 0 else "")


def _shown(what: str, entry: Entry, words: str) -> Evidence:
    assert entry.frame is not None
    subject = entry.frame.subject or entry.frame.format
    return Evidence(what, f"{subject}: {words}", str(entry.place), entry.frame.released_at, entry.frame.status)


def _contact(line: Line) -> Iterator[Evidence]:
    """The last signs of its centre, and what delivery sees now."""
    if line.receipt_at is not None:
        at = instant_text(line.receipt_at)
        yield Evidence("receipt", f"its centre has receipted ours to {line.receipted}", at=at)
    else:
        yield Evidence("receipt", "its centre has receipted nothing of ours yet")
    newest = _newest(line)
    if newest is not None:
        yield _shown("newest", newest, f"its newest entry, covers ours to {newest.heads.get(line.own, 0)}")
    answer = line.tests.newest_answer(line.party, line.own)
    if answer is not None:
        yield _shown("link-answer", answer, "its centre's newest answer to a link test of ours")
    if line.transport is not None:
        yield Evidence("transport", transport_words(line.transport))
