# SPDX-License-Identifier: Apache-2.0
"""The watch's screen as lines of at most 80 columns, understood without colour.

A line about anything that is not actual begins with its status in full. The layers of a question stand in columns of
their own: that a centre has it, that a person opened it, and that the party agreed are never one fact.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any
from unicodedata import east_asian_width

from servanda.cli.printing import plain

WIDTH = 80
WAITS_SHOWN, QUESTIONS_SHOWN = 20, 10
"""How many lines of what waits, and questions of one case, the screen has room for: none may push the rest off it."""
NOT_YET = "-"
LAYERS = ("rel", "ctr", "opn", "acc/rej", "ans", "assess", "cls")
_WIDTHS = (6, 6, 6, 10, 6, 10, 6)
LEGEND = (
    "rel released | ctr at their centre (a machine) | opn opened by a person",
    "acc for action, REJ rejected | ans answered | assess suf, INS, IRR | cls closed",
)


def marked(status: str, words: str) -> str:
    """A line with the status in front, if it is not actual, cut to the width of the screen."""
    mark = "" if status == "actual" else f"{status.upper()} "
    return fitted(f"{mark}{plain(words)}")


def fitted(line: str) -> str:
    """A line cut to the width of the screen, with a sign that it was.

    Some characters are two columns wide: a line that wraps would begin anew with words of a counterpart.
    """
    if len(line) <= WIDTH and line.isascii():
        return line
    ends = list(accumulate(2 if east_asian_width(character) in "WF" else 1 for character in line[: WIDTH + 1]))
    if not ends or ends[-1] <= WIDTH:
        return line
    return line[: sum(end < WIDTH for end in ends)] + "…"


def whole(words: str, mark: str = "") -> list[str]:
    """Words that must not be cut, as lines of the screen; each begins with the mark."""
    lines = textwrap.wrap(words, WIDTH - len(mark), subsequent_indent="  ")
    return [f"{mark}{line}" for line in lines]


def span_text(seconds: int) -> str:
    """A length of time: `08:12`, `3:08:12`, `2 d 03:08`."""
    minutes, rest = divmod(abs(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours:02}:{minutes:02}"
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def moment(at: str | None, now: str) -> str:
    """A time in five characters: `09:14` of today, `11-27` of another day; a dash if there is none."""
    if at is None:
        return NOT_YET
    return at[11:16] if at[:10] == now[:10] else at[5:10]


def screen(view: Mapping[str, Any]) -> list[str]:
    """Every line of the screen. What is broken comes first: a small window shows only the top."""
    rest = ["", *_waits(view), "", *_cases(view), "", *_undelivered(view), *_lines(view), *_nobody(view)]
    return [fitted(line) for line in (*_head(view), *_alarms(view), *_pages(view), *rest)]


def within(lines: Sequence[str], height: int) -> list[str]:
    """The lines that a window of `height` rows has room for; the last row says how many it has not."""
    if len(lines) <= height:
        return list(lines)
    shown = max(height - 1, 0)
    return [*lines[:shown], f"… {len(lines) - shown} more lines: a taller window, or `servanda watch --once`"]


def _head(view: Mapping[str, Any]) -> Iterator[str]:
    exercise, duty = view["exercise"], view["duty"]
    if exercise:
        yield f"EXERCISE EXERCISE: clock {exercise['pace']} times as fast since {exercise['epoch'][:19]}Z EXERCISE"
    yield f"Centre of {view['party']}   {view['at']}"
    if "lines" not in view:
        yield "This centre is OFF DUTY: nothing is sent or received."
    officer = duty["officer"] or "NOBODY"
    since = f" since {duty['since'][:16]}Z" if duty["since"] else ""
    yield plain(f"On duty: {officer}{since}")
    if duty["unfit"]:
        yield plain(f"UNFIT: {officer} is {duty['unfit']}")
    if duty["hand-over-due"]:
        yield plain(f"HAND OVER: by the roster it is {duty['by-roster']}'s watch")
    if duty["next-hand-over"]:
        after = f" to {duty['next-officer']}" if duty["next-officer"] else " to NOBODY ON THE ROSTER"
        yield plain(f"Next hand-over: {duty['next-hand-over']}{after}")
    if duty["gap"]:
        gap = duty["gap"]
        yield f"ROSTER GAP: nobody from {gap['from'] or 'now'} to {gap['to'] or 'further notice'}"
    if duty["trouble"]:
        yield plain(f"ROSTER CANNOT BE READ: {duty['trouble']}")
    elif not duty["roster"]:
        yield "No roster is set: `servanda roster set FILE`"
    if view["contacts-stale"]:
        yield plain(f"Contacts are stale: {', '.join(view['contacts-stale'])}")


def _waits(view: Mapping[str, Any]) -> Iterator[str]:
    yield "WAITS FOR YOU" if view["waits"] else "Nothing waits for you."
    for item in view["waits"][:WAITS_SHOWN]:
        words = f"{item['what']:<12}{item['entry']:<18} {item['precedence'].upper():<10} {item['subject']}"
        yield marked(item["status"], words)
    if len(view["waits"]) > WAITS_SHOWN:
        yield f"… and {len(view['waits']) - WAITS_SHOWN:,} more; `servanda watch --json` shows all"


def _cases(view: Mapping[str, Any]) -> Iterator[str]:
    cases, more = view["cases"], view["open-cases"] - len(view["cases"])
    if not cases:
        yield "No case is open."
        return
    yield f"OPEN CASES: {view['open-cases']}"
    yield from LEGEND
    for case in cases:
        yield from case_lines(case, view["at"], QUESTIONS_SHOWN)
    if more > 0:
        yield f"… and {more} more; `servanda alerts` shows all"


def case_lines(case: Mapping[str, Any], at: str, most: int | None = None) -> Iterator[str]:
    """One case: its subject, a row of layers for each question and party, and the clocks that are not stopped.

    At most so many questions are shown, the newest; all if it is None.
    """
    status = case["status"]
    yield marked(status, f"{case['case']} {case['class']}, {case['state']}: {case['subject']}")
    closed = moment(case["closed"]["at"], at) if case["closed"] else NOT_YET
    left = 0 if most is None else max(0, len(case["questions"]) - most)
    clocks: dict[str, list[Mapping[str, Any]]] = {}
    for clock in case["clocks"]:
        if clock["state"] in ("running", "overdue"):
            clocks.setdefault(clock["entry"], []).append(clock)
    for question in case["questions"][left:]:
        yield marked(status, f" {_name(question['entry'] + ' to', 17)}{_row(LAYERS)}")
        for layer in question["layers"]:
            yield marked(status, f" {_name('  ' + layer['party'], 17)}{_row((*layer_cells(layer, at), closed))}")
        for clock in clocks.get(question["entry"], ()):
            yield marked(status, f"   {clock_text(clock, at)}")
    if left:
        yield marked(status, f" … and {left:,} more questions before these; `servanda case {case['case']}` shows all")


def clock_text(clock: Mapping[str, Any], at: str) -> str:
    """A clock as it counts down, or since when it is overdue, and how often that was said."""
    left = int((datetime.fromisoformat(clock["due"]) - datetime.fromisoformat(at)).total_seconds())
    words = f"{span_text(left)} left" if left >= 0 else f"OVERDUE by {span_text(left)}"
    said = f", escalated {len(clock['escalations'])}x" if clock["escalations"] else ""
    return f"{clock['clock']} by {clock['party']}: {words}{said}, due {clock['due']}"


def _name(text: str, width: int) -> str:
    return f"{text if len(text) < width else text[: width - 2] + '…':<{width}}"


def _row(cells: Iterable[str]) -> str:
    return "".join(f"{cell:<{width}}" for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()


def layer_cells(layer: Mapping[str, Any], at: str) -> tuple[str, ...]:
    """What one party has done about a question, in the order of `LAYERS` without the last."""

    def told(name: str) -> str:
        return moment(layer[name]["at"], at) if layer[name] else NOT_YET

    read, assessed = layer["acknowledged"], layer["assessed"]
    word = {"accepted": "acc ", "rejected": "REJ "}[read["disposition"]] if read else ""
    judged = {"sufficient": "suf ", "insufficient": "INS ", "irrelevant": "IRR "}
    return (
        moment(layer["released"], at),
        moment(layer["received"], at),
        told("opened"),
        word + told("acknowledged"),
        told("answered"),
        (judged[assessed["assessment"]] if assessed else "") + told("assessed"),
    )


def _undelivered(view: Mapping[str, Any]) -> Iterator[str]:
    if not view["undelivered"]:
        yield "Everything of ours is receipted by every counterpart."
    for item in view["undelivered"]:
        yield marked(_status(item), f"UNDELIVERED to {item['party']}: {item['count']}; {item['reason']}")
        for entry in item["entries"]:
            age = span_text(entry["age-seconds"])
            yield marked(entry["status"], f"  {entry['entry']:<18} {entry['precedence']:<10} for {age}")
        if item["count"] > len(item["entries"]):
            yield f"  … and {item['count'] - len(item['entries'])} more"


def _alarms(view: Mapping[str, Any]) -> Iterator[str]:
    """Lines that are down, in whole words, and what has been undelivered for too long."""
    for party, line in view.get("lines", {}).items():
        if not line["up"]:
            yield from whole(plain(f"Line to {party}: DOWN {line['trouble']}".rstrip()))
    for item in view["undelivered"]:
        if item["alarm"]:
            yield marked(_status(item), f"ALARM: UNDELIVERED to {item['party']}: {item['count']}")


def _status(item: Mapping[str, Any]) -> str:
    """The status of all that is undelivered to a party; actual if they differ, or if not all of them are named."""
    found = {entry["status"] for entry in item["entries"]}
    return found.pop() if len(found) == 1 and item["count"] == len(item["entries"]) else "actual"


def _lines(view: Mapping[str, Any]) -> Iterator[str]:
    """The lines that are up. A relay that answers does not say that its counterpart would."""
    for party, line in view.get("lines", {}).items():
        if line["up"]:
            way = "up as far as" if line["route"].startswith("relay ") else "up, by"
            yield plain(f"Line to {party}: {way} {line['route']} {line['trouble']}".rstrip())


def _pages(view: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with paging, and the pages that have not gone out."""
    paging = view.get("paging")
    if paging is None:
        return
    if paging["trouble"]:
        yield from whole(plain(f"PAGING CANNOT BE USED: {paging['trouble']}"))
    for page in paging["pages"]:
        state = f"PAGE NOT DELIVERED, {page['tries']} tries" if page["tries"] else "page on its way"
        mark = "" if page["status"] == "actual" else f"{page['status'].upper()} "
        words = f"{state}: to {page['contact']} since {page['since'][:19]}Z {page['trouble']}".rstrip()
        yield from whole(plain(words), mark)


def _nobody(view: Mapping[str, Any]) -> Iterator[str]:
    paging = view.get("paging")
    if paging is not None and not paging["trouble"] and not paging["contacts"]:
        yield "Nobody is paged: there is no paging.toml in the home"
