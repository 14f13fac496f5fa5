# SPDX-License-Identifier: Apache-2.0
"""Cases of effects: the shape of content that each needs, for dialogue, agreements and commitments."""

from __future__ import annotations

from typing import Any

from making.case import Case, Cases, shown

_PERSON = {"office": "Foreign Minister"}
_NAMES = [{"language": "en", "text": "Fishing"}, {"language": "zh-Hant", "text": "\u6f01\u696d"}]
_CLAUSES = [{"id": "1", "text": "The parties fish."}, {"id": "2.a", "text": "Not at night."}]
_TEXT = {"language": "en", "status": "authentic", "clauses": _CLAUSES}
_HASH = "0" * 64
_STATEMENT = {
    "speaker": {**_PERSON, "name": "N. N.", "party": "ash"},
    "manner": "unnamed-official",
    "medium": "telephone",
    "words": "We spoke of it in spring.",
    "quoted": True,
    "on": "2013-09-05/2013-09-06",
    "stated": {"text": "last Friday (Sept. 5)", "weekday": "friday", "date": "2013-09-05"},
    "topics": ["fish"],
    "source": "paper",
    "contact": "corner",
    "position": "ash",
    "links": [{"relation": "corroborates", "to": "birch/12"}],
}
_CONTACT = {
    "contact": "corner",
    "kind": "conversation",
    "state": "held",
    "participants": [_PERSON],
    "agenda": ["fish"],
    "outcomes": [{"topic": "fish", "outcome": "agreed-in-part", "text": ""}],
    "body": "commission",
    "place": "In a corner",
    "minutes": {"from": 20, "to": 30},
}
_OFFERED = {
    "document": "pact",
    "kind": "agreement",
    "title": _NAMES,
    "authentic": ["en"],
    "texts": [_TEXT],
    "amends": [_HASH],
    "topics": ["fish"],
    "from": "2013-06-17",
    "until": "2016-02-29",
    "warn-days": [30, 90],
    "contact": "corner",
}
_TASK = {
    "task": "follow-up",
    "text": "Follow up.",
    "by": _PERSON,
    "to": [],
    "topics": [],
    "due": "2013-09-12",
    "contact": "corner",
    "serves": ["O17"],
    "after-tasks": ["other"],
    "after-obligations": ["o18"],
}
_MARK = {
    "commitment": "promise",
    "mark": -1,
    "as-of": "2013-12-31",
    "text": "Not yet.",
    "evidence": [{"text": "a list", "place": "ash/3", "sha256": _HASH}],
    "recalibrates": "birch/7",
}
_NOTICE = {"document": "pact", "clauses": ["1"], "state": "suspended", "since": "2014-01-01", "reason": "Ice."}
_GOOD: dict[str, dict[str, Any]] = {
    "dialogue.topic": {"topic": "nets", "names": _NAMES, "within": "fish"},
    "dialogue.position": {"topic": "fish", "kind": "common-ground", "words": "We both fish.", "contact": "corner"},
    "dialogue.issue": {"topic": "fish", "issue": "night", "state": "not-agreed", "text": "At night."},
    "dialogue.contact": _CONTACT,
    "dialogue.task": _TASK,
    "dialogue.progress": {"task": "follow-up", "state": "done", "text": ""},
    "dialogue.consequence": {"consequence": "fine", "text": "A fine.", "forum": "the Council", "topics": []},
    "dialogue.stance": {"consequence": "fine", "who": "Ash", "stance": "refuses", "party": "ash", "words": ""},
    "dialogue.request": {"text": "A list.", "topics": [], "answer-by": "2013-09-12", "body": "commission"},
    "dialogue.response": {"outcome": "more-time", "text": ""},
    "dialogue.source": {
        "source": "paper",
        "title": "An article",
        "medium": "a paper",
        "published": "2013-06-17",
        "stated": {"text": "09.17.13", "date": "2013-09-17"},
        "file": {"sha256": _HASH, "size": 0},
        "text": "We spoke of it in spring.",
    },
    "dialogue.statement": _STATEMENT,
    "dialogue.link": {"from": "ash/3", "relation": "bears-on", "to": "birch/12", "text": ""},
    "agreement.text": _OFFERED,
    "agreement.extend": {"document": "pact", "until": "2020-06-16"},
    "agreement.accede": {"document": "pact"},
    "agreement.terminate": {"document": "pact", "on": "2020-06-16", "reason": "Done."},
    "agreement.suspend": _NOTICE,
    "agreement.withdraw": {"document": "pact", "on": "2020-06-16", "reason": "Done."},
    "agreement.declare": {"document": "pact", "kind": "reservation", "clauses": [], "text": "Not at night."},
    "agreement.translation": {
        "document": "pact",
        "digest": _HASH,
        "language": "ru",
        "status": "machine",
        "clauses": _CLAUSES,
    },
    "commitments.enter": {
        "commitment": "promise",
        "text": "A list every year.",
        "owners": ["ash"],
        "scale": "implementation",
        "due": "2013-12-31",
        "document": "pact",
        "clause": "2.a",
    },
    "commitments.mark": _MARK,
    "commitments.reply": {"mark": "birch/7", "text": "It was sent."},
}
_BAD: list[tuple[str, str, str, dict[str, Any]]] = [
    ("task-due-unreal", "A task is due on a day that does not exist.", "dialogue.task", {"due": "2013-02-30"}),
    ("on-no-date", "A statement is of a time that is no date expression.", "dialogue.statement", {"on": "spring"}),
    ("manner-other", "A manner of attribution that there is not.", "dialogue.statement", {"manner": "rumour"}),
    ("no-topic", "A statement about nothing.", "dialogue.statement", {"topics": []}),
    ("link-to-nothing", "A link to what is no place.", "dialogue.link", {"to": "birch/0"}),
    (
        "outcome-other",
        "An outcome that there is not.",
        "dialogue.contact",
        {"outcomes": [{"topic": "a", "outcome": "x"}]},
    ),
    ("minutes-zero", "A contact of no duration.", "dialogue.contact", {"minutes": {"from": 0, "to": 1}}),
    (
        "clause-id",
        "A clause whose id begins with a full stop.",
        "agreement.text",
        {"texts": [{**_TEXT, "clauses": [{"id": ".a", "text": "x"}]}]},
    ),
    (
        "clause-empty",
        "A clause without words.",
        "agreement.text",
        {"texts": [{**_TEXT, "clauses": [{"id": "a", "text": ""}]}]},
    ),
    ("amends-no-digest", "It amends what is no digest.", "agreement.text", {"amends": ["0" * 63]}),
    ("until-null", "A day that is null: what has no value is left out.", "agreement.text", {"until": None}),
    (
        "status-authentic",
        "A translation that calls itself authentic.",
        "agreement.translation",
        {"status": "authentic"},
    ),
    ("mark-out-of-bounds", "A mark beyond 1,000.", "commitments.mark", {"mark": 1001}),
    ("owners-none", "A commitment of nobody.", "commitments.enter", {"owners": []}),
]
_LACKS: dict[str, str] = {
    "dialogue.topic": "names",
    "dialogue.position": "kind",
    "dialogue.issue": "state",
    "dialogue.contact": "outcomes",
    "dialogue.task": "by",
    "dialogue.progress": "text",
    "dialogue.consequence": "forum",
    "dialogue.stance": "who",
    "dialogue.request": "topics",
    "dialogue.response": "outcome",
    "dialogue.source": "published",
    "dialogue.statement": "links",
    "dialogue.link": "from",
    "agreement.text": "authentic",
    "agreement.extend": "until",
    "agreement.accede": "document",
    "agreement.terminate": "reason",
    "agreement.suspend": "since",
    "agreement.withdraw": "on",
    "agreement.declare": "clauses",
    "agreement.translation": "digest",
    "commitments.enter": "owners",
    "commitments.mark": "evidence",
    "commitments.reply": "mark",
}
"""A member of each effect that may not be left out."""


def cases() -> list[Case]:
    """`input.json` is an effect and the content of an entry of a format with that effect."""
    made = Cases("effect", "dialogue")
    offers = {"text", "extend", "accede", "terminate"}
    acts = {"dialogue.request": "inquire", "dialogue.response": "answer"}
    for effect, content in _GOOD.items():
        act = "offer" if effect.startswith("agreement.") and effect.partition(".")[2] in offers else "notify"
        files = {"input.json": shown({"content": content, "effect": effect})}
        made.good(
            effect.replace(".", "-"), f"Everything that `{effect}` may say.", files, {"act": acts.get(effect, act)}
        )
        lost = _LACKS[effect]
        rest = {member: value for member, value in content.items() if member != lost}
        files = {"input.json": shown({"content": rest, "effect": effect})}
        made.bad(f"{effect.replace('.', '-')}-lacks-{lost}", f"`{effect}` without `{lost}`.", files)
    for name, sentence, effect, change in _BAD:
        files = {"input.json": shown({"content": {**_GOOD[effect], **change}, "effect": effect})}
        made.bad(name, sentence, files)
    unreal = {**_STATEMENT, "on": "2013-02-30"}
    made.good(
        "on-unreal",
        "A statement of a day that does not exist: it is kept, and flagged.",
        {"input.json": shown({"content": unreal, "effect": "dialogue.statement"})},
        {"act": "notify"},
    )
    return made.made
