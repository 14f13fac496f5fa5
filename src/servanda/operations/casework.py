# SPDX-License-Identifier: Apache-2.0
"""What a watch officer asks and does about cases: the alerts document, one case as a log, opening, the watch's screen.

The commands are merged into those of the desk (`operations.desk`): plain JSON values in, plain JSON values out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from servanda.agreement.dates import DateExpressionError, check_instant, instant_seconds, instant_text
from servanda.journal.frame import Place
from servanda.operations import linework
from servanda.operations.centre import Centre
from servanda.operations.drafting import PLACE, Draft, parse_draft, send_alone
from servanda.operations.errors import Refusal
from servanda.proof.canonical import decode
from servanda.registers.alerts.cases import Case
from servanda.registers.alerts.clocks import acknowledgement, assessment, clocks_of
from servanda.registers.alerts.fold import AlertsRegister
from servanda.registers.alerts.views import alerts_document, case_document

Arguments = Mapping[str, Any]
CASES_SHOWN = 50
"""How many open cases the watch's screen carries, the most urgent first; it says how many there are."""
WORDS = {"accepted": "accepted for action", "opened": "opened", "rejected": "rejected"}
"""Dispositions as people read them: who accepts an alert for action has agreed to nothing."""
ENTRIES_SHOWN = 20
"""How many undelivered entries are named for each counterpart; it says how many there are."""


def place_of(text: object) -> Place:
    """The place that `party/number` names.

    Raises:
        Refusal: it has not that form.
    """
    match = PLACE.fullmatch(str(text))
    if match is None:
        raise Refusal(f"{str(text)[:80]!r} is no entry; write party/number, as in syr/12", "reference")
    return Place(match[1], int(match[2]))


def instant_of(centre: Centre, arguments: Arguments) -> int:
    """Seconds since 1970 of the argument `at`, or now.

    Raises:
        Refusal: it is no instant.
    """
    at = arguments.get("at")
    try:
        return instant_seconds(centre.clock() if at is None else check_instant(str(at)))
    except DateExpressionError as error:
        raise Refusal(str(error), "usage") from error


def _alerts(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    return alerts_document(centre.alerts, instant_of(centre, arguments))


def _case_with(register: AlertsRegister, place: Place) -> Case:
    opening = register.case_of.get(place)
    if opening is None:
        raise Refusal(f"{place} is in no case; `servanda alerts` lists them", "no-case")
    return register.cases[opening]


def _case(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    case = _case_with(centre.alerts, place_of(arguments["entry"]))
    now = instant_of(centre, arguments)
    document = case_document(centre.alerts, case, now)
    return {**document, "at": instant_text(now), "facts": facts_of(document)}


def facts_of(case: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The log of a case and its layers, one fact each, with time and signer. Receipts are signed by a machine."""
    released = {line["entry"]: line["at"] for line in case["log"]}
    found = [
        (_moment(line["at"]), _fact(line["at"], line["entry"], line["by"], _act(line), line["subject"]))
        for line in case["log"]
    ]
    for question in case["questions"]:
        for layer in question["layers"]:
            found += _layer_facts(question["entry"], layer, released.get(question["entry"], layer["received"]))
    for clock in case["clocks"]:
        words = f"{clock['clock']} clock for {clock['party']}: {clock['state']}"
        found.append((_moment(clock["due"]), _fact(clock["due"], clock["entry"], [], words, "due then")))
    return [fact for _, fact in sorted(found, key=lambda each: each[0])]


def _act(line: Mapping[str, Any]) -> str:
    return f"{line['format']} ({line['act']})"


def _moment(at: str) -> tuple[str, bool]:
    return (at if "." in at else f"{at.removesuffix('Z')}.000Z"), False


def _layer_facts(entry: str, layer: Mapping[str, Any], released: str) -> Iterator[tuple[tuple[str, bool], Any]]:
    party, received = layer["party"], layer["received"]
    if received:
        # A receipt is in whole seconds, rounded down: it never stands before the release that it receipts.
        stands = max(_moment(received)[0], _moment(released)[0]), True
        yield stands, _fact(received, entry, [f"receipt key of {party}"], f"at the centre of {party}", "a machine")
    for name in ("opened", "acknowledged", "answered", "assessed"):
        told = layer[name]
        if told:
            word = WORDS.get(told.get("disposition", "")) or told.get("assessment") or name
            by = "" if name == "assessed" else f" by {party}"
            fact = _fact(told["at"], entry, told["by"], f"{word}{by}, {told['entry']}", told.get("reason", ""))
            yield _moment(told["at"]), fact


def _fact(at: str, entry: str, by: list[str], what: str, words: str) -> dict[str, Any]:
    return {"at": at, "by": by, "entry": entry, "what": what, "words": words}


def acknowledged(centre: Centre, arguments: Arguments) -> Draft:
    """The acknowledgement that an officer sends of one or more entries, with the status of the last of them.

    Raises:
        Refusal: it names no entry (`usage`), or could change nothing (`acknowledge`).
    """
    targets = [place_of(text) for text in arguments["entries"]]
    if not targets:
        raise Refusal("an acknowledgement names at least one entry", "usage")
    newest = centre.record.entry(targets[-1])
    frame = newest.frame if newest else None
    disposition = str(arguments.get("disposition", "accepted"))
    _check_changes(centre, targets, disposition)
    return Draft(
        format="acknowledge",
        subject=f"{WORDS.get(disposition, disposition).capitalize()}: {', '.join(map(str, targets))}"[:500],
        event_at=frame.exercise_at[:10] if frame and frame.exercise_at else centre.clock()[:10],
        author=arguments["officer"],
        content={"disposition": disposition, "reason": arguments.get("reason", "")},
        to=tuple(sorted({target.party for target in targets} - {centre.party})),
        refers_to=tuple(str(target) for target in targets),
        status=frame.status if frame else "actual",
        exercise_at=frame.exercise_at if frame else None,
    )


def _check_changes(centre: Centre, targets: list[Place], disposition: str) -> None:
    """Of each question the first opening counts, and the first acceptance or rejection (spec/alerts.md, Layers)."""
    same = ("opened",) if disposition == "opened" else ("accepted", "rejected")
    told = []
    for target in targets:
        question = centre.alerts.questions.get(target)
        earlier = acknowledgement(question, centre.party, same) if question else None
        if earlier is None or earlier.frame is None:
            return
        word = WORDS[earlier.frame.content["disposition"]]
        told.append(f"{target} is {word} already, by {earlier.frame.author} in {earlier.place}")
    raise Refusal(f"{'; '.join(told)}: the first one counts, and nothing was sent", "acknowledge")


def _opened(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    entries = [arguments["entry"]]
    entry = send_alone(
        centre, acknowledged(centre, {"entries": entries, "officer": arguments["officer"], "disposition": "opened"})
    )
    return {"entry": str(entry.place)}


def _contacts(centre: Centre, arguments: Arguments) -> list[dict[str, Any]]:
    now = instant_of(centre, arguments)
    record = centre.record
    days = record.packs[record.in_force(record.whole) or record.agreement].contacts_days
    found = []
    for party in sorted(record.journals):
        told = centre.contacts.of(party)
        found.append(
            {
                "party": party,
                "entry": str(told.entry) if told else None,
                "released": instant_text(told.released) if told else None,
                "age-days": told.age_days(now) if told else None,
                "stale": told.stale(now, days) if told else None,
                "stale-after-days": days,
                "status": told.status if told else None,
                "contacts": [
                    {"id": contact.identifier, "title": contact.title, "reach": contact.reach}
                    for contact in (told.contacts if told else ())
                ],
            }
        )
    return found


def _watch(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    """What the record says to the watch officer now; who is on duty comes from the home, the lines from the process."""
    now = instant_of(centre, arguments)
    centre.schedule.due(centre.contacts.identifiers(centre.party), instant_seconds(centre.clock()))
    open_cases = [place for place, case in centre.alerts.cases.items() if not case.closures]
    shown = _most_urgent(centre, open_cases)
    cases = [case_document(centre.alerts, centre.alerts.cases[place], now) for place in shown]
    for case in cases:
        case.pop("log")
    return {
        "party": centre.party,
        "at": instant_text(now),
        "exercising": centre.exercising,
        "waits": list(waiting(centre, shown)),
        "cases": cases,
        "open-cases": len(open_cases),
        "undelivered": list(_undelivered(centre)),
        "contacts-stale": [told["party"] for told in _contacts(centre, arguments) if told["stale"]],
    }


def _most_urgent(centre: Centre, open_cases: list[Place]) -> list[Place]:
    known = set(open_cases)
    urgent = (centre.alerts.questions[place].case for place in centre.schedule.urgent(4 * CASES_SHOWN))
    newest = reversed(open_cases)
    return [place for place in dict.fromkeys((*urgent, *newest)) if place in known][:CASES_SHOWN]


def waiting(centre: Centre, cases: list[Place]) -> Iterator[dict[str, Any]]:
    """What waits for somebody here: drafts to be released, questions to be opened, acknowledged, answered, assessed."""
    for stored in centre.store.drafts():
        if stored.state == "submitted":
            draft = parse_draft(decode(stored.body))
            yield _waits("release", stored.identifier, draft.status, draft.precedence, draft.subject)
    for opening in cases:
        case = centre.alerts.cases[opening]
        for place in case.questions:
            yield from _waiting_on(centre, place)


def _waiting_on(centre: Centre, place: Place) -> Iterator[dict[str, Any]]:
    question, me = centre.alerts.questions[place], centre.party
    frame = question.entry.frame
    assert frame is not None
    told = (frame.status, frame.precedence, frame.subject)
    if me in frame.to:
        running = {c.name for c in clocks_of(centre.alerts, question) if c.party == me and c.stopped is None}
        answered = bool(question.answers.get(me))
        if not question.acknowledgements.get(me) and not answered:
            yield _waits("open", str(place), *told)
        elif acknowledgement(question, me, ("accepted", "rejected")) is None and not answered:
            yield _waits("acknowledge", str(place), *told)
        if "answer" in running:
            yield _waits("answer", str(place), *told)
    elif place.party == me:
        for answers in question.answers.values():
            for answer in answers:
                if assessment(question, answer) is None:
                    yield _waits("assess", str(answer.place), *told)


def _waits(what: str, entry: str, status: str, precedence: str, subject: str) -> dict[str, Any]:
    return {"what": what, "entry": entry, "status": status, "precedence": precedence, "subject": subject}


def _undelivered(centre: Centre) -> Iterator[dict[str, Any]]:
    """Entries of ours that a counterpart has not receipted, the oldest first, with what delivery says of its line."""
    waiting: dict[str, list[dict[str, Any]]] = {}
    for item in linework.undelivered(centre):
        named = waiting.setdefault(item.party, [])
        if len(named) < ENTRIES_SHOWN:
            named.append(
                {
                    "entry": item.entry,
                    "age-seconds": max(0, item.age or 0),
                    "status": item.status or "actual",
                    "precedence": item.precedence or "routine",
                }
            )
    for watched in linework.watch(centre):
        if watched.undelivered:
            yield {
                "party": watched.party,
                "count": watched.undelivered,
                "entries": waiting[watched.party],
                "reason": watched.reason,
                "alarm": watched.alarm,
            }


COMMANDS = {
    "alerts": _alerts,
    "case": _case,
    "opened": _opened,
    "contacts": _contacts,
    "watch": _watch,
}
CHANGING = frozenset({"opened"})
"""Commands after which deliveries have something to do."""
