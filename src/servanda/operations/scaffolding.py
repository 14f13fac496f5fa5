# SPDX-License-Identifier: Apache-2.0
"""The first files of a pack, from a few answers: what `servanda new agreement` writes, and its author goes on from.

The pack that it makes passes `servanda check` at once. What is still to be written or translated stands in it as a text
that says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from servanda.agreement.effects import EFFECTS, PERFORMS
from servanda.operations.errors import Refusal

LICENCE = "# SPDX-License-Identifier: Apache-2.0\n"
_ID = re.compile(r"[a-z][a-z0-9-]{0,31}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_KEPT = ("pattern", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems")


class Form(NamedTuple):
    """A format of a kit: its effect gives act and particulars; without one it is a notice with a text."""

    identifier: str
    effect: str | None
    name: str
    purpose: str
    performs: bool = False


KITS: dict[str, tuple[Form, ...]] = {
    "notices": (Form("notice", None, "Notice", "States something; may say that an obligation is met.", True),),
    "questions": (
        Form("question", "alerts.inquiry", "Question", "Asks, with the clocks of its class."),
        Form("answer", "alerts.answer", "Answer", "Answers a question."),
        Form("assessment", "alerts.assessment", "Assessment", "Says whether an answer suffices."),
        Form("closure", "alerts.closure", "Closure", "Closes a case. It says nothing of agreement."),
    ),
    "texts": (
        Form("joint-text", "agreement.text", "Joint text", "Offers a text; no effect until all named have accepted."),
        Form("term-extension", "agreement.extend", "Extension", "Offers to extend the term of a text."),
        Form("termination", "agreement.terminate", "Termination", "Offers to end a text."),
        Form("declaration", "agreement.declare", "Declaration", "A reservation, declaration or objection."),
        Form("translation", "agreement.translation", "Translation", "A translation of a text, with its state."),
    ),
    "meetings": (
        Form("topic", "dialogue.topic", "Topic", "Opens a topic."),
        Form("position", "dialogue.position", "Position", "The sender's position, in its own words."),
        Form("open-issue", "dialogue.issue", "Open issue", "Marks an issue as not agreed, or closed."),
        Form("contact", "dialogue.contact", "Contact", "A meeting, call or other contact, planned or held."),
        Form("task", "dialogue.task", "Task", "Who was told to do what."),
        Form("progress", "dialogue.progress", "Progress", "What became of a task."),
    ),
    "accounts": (
        Form("source", "dialogue.source", "Source", "Where accounts are taken from."),
        Form("account", "dialogue.statement", "Attributed account", "Who said what, and how it is attributed."),
        Form("account-link", "dialogue.link", "Link between accounts", "Corroborates, repeats, differs, contradicts."),
    ),
    "commitments": (
        Form("commitment", "commitments.enter", "Commitment", "Enters what a text promises."),
        Form("mark", "commitments.mark", "Mark", "The sender's mark for a commitment."),
        Form("mark-reply", "commitments.reply", "Reply to a mark", "The owner's reply."),
    ),
}
"""What an agreement may want to keep, to the formats that keep it."""


class Answers(NamedTuple):
    """What the author was asked."""

    identifier: str
    title: str
    parties: Mapping[str, str]
    """Id to name, in the first language."""
    languages: Sequence[str]
    kits: Sequence[str]


def scaffold(answers: Answers) -> dict[str, str]:
    """The files of the folder, by name.

    Raises:
        Refusal: an answer that no pack can have (`usage`); it says which, and what it should look like.
    """
    _check(answers)
    forms = [form for kit in answers.kits for form in KITS[kit]]
    files = {
        "pack.toml": _pack(answers),
        "parties.toml": _parties(answers),
        "formats.toml": _formats(answers, forms),
        "obligations.toml": _obligations(answers),
        "bodies.toml": _bodies(answers),
        "README.md": _page(answers),
    }
    if "questions" in answers.kits:
        files["alerts.toml"] = _alerts(answers)
    return files | {f"fields/{form.identifier}.json": _fields(form) for form in forms}


def _check(answers: Answers) -> None:
    names = {"id": [answers.identifier], "party": list(answers.parties)}
    for what, identifiers in names.items():
        for identifier in identifiers:
            if not _ID.fullmatch(identifier):
                rule = "a small letter, then small letters, digits and hyphens, 32 at most"
                raise Refusal(f"{what} {identifier!r}: an id is {rule}", "usage")
    if len(answers.parties) < 2:
        raise Refusal("an agreement has at least two parties: --party id=name for each", "usage")
    if not answers.languages or len(set(answers.languages)) != len(answers.languages):
        raise Refusal("give each language once: --language en", "usage")
    for language in answers.languages:
        if not _LANGUAGE.fullmatch(language):
            raise Refusal(f"language {language!r}: its tag is two or three letters, such as en", "usage")
    for kit in answers.kits:
        if kit not in KITS:
            raise Refusal(f"there is nothing called {kit!r} to keep; there are {', '.join(KITS)}", "usage")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _texts(answers: Answers, text: str) -> str:
    """One text for each language; those after the first say that they are to be translated."""
    first, *others = answers.languages
    rows = {first: text, **{language: f"[{language}: to be translated] {text}" for language in others}}
    return "{ " + ", ".join(f"{_quoted_key(tag)} = {_quoted(words)}" for tag, words in rows.items()) + " }"


def _quoted_key(tag: str) -> str:
    return tag if tag.isalpha() else _quoted(tag)


def _pack(answers: Answers) -> str:
    return (
        f"{LICENCE}id = {_quoted(answers.identifier)}\n"
        'edition = "1"\n'
        f"languages = [{', '.join(map(_quoted, answers.languages))}]\n"
        f"title = {_texts(answers, answers.title)}\n\n"
        '# Deadlines are judged by "receipt", when the other centre had the entry, or "event", as its author attests.\n'
        '[time]\nzone = "UTC"\ndays = "calendar"\nholidays = []\nbasis = "receipt"\n\n'
        '[settlement]\nquorum = "all"\nliars = 0\n'
    )


def _parties(answers: Answers) -> str:
    rows = [
        f"[[parties]]\nid = {_quoted(party)}\nnames = {_texts(answers, name)}\n"
        f"role = {_texts(answers, 'What it does under the agreement: to be written')}\n"
        for party, name in answers.parties.items()
    ]
    return LICENCE + "\n" + "\n".join(rows)


def _formats(answers: Answers, forms: Sequence[Form]) -> str:
    parts = [LICENCE + "# The particulars of each format are in fields/<id>.json. May-send left out: every party.\n"]
    for form in forms:
        act = EFFECTS[form.effect].act if form.effect else "notify"
        effect = f"effect = {_quoted(form.effect)}\n" if form.effect else ""
        performs = "performs = true\n" if form.performs else ""
        parts.append(
            f"[[formats]]\nid = {_quoted(form.identifier)}\nact = {_quoted(act)}\n{effect}{performs}"
            f"names = {_texts(answers, form.name)}\npurpose = {_texts(answers, form.purpose)}\n"
        )
    return "\n".join(parts)


def _obligations(answers: Answers) -> str:
    return (
        f"{LICENCE}# One table for each thing that is owed. Take the # away, and write what the text says.\n"
        "# [[obligations]]\n"
        '# id = "FIRST"\n'
        f"# obligors = [{_quoted(next(iter(answers.parties)))}]\n"
        '# instrument = "Article …"\n'
        '# source = "where it stands"\n'
        '# due = { rule = "fixed", date = "2030-01-31" }\n'
        f"# names = {_texts(answers, 'Short name')}\n"
        f"# text = {_texts(answers, 'What is owed, in the words of the agreement')}\n"
    )


def _bodies(answers: Answers) -> str:
    members = ", ".join(map(_quoted, sorted(answers.parties)))
    return (
        f"{LICENCE}# One table for each body in which the parties meet. Take the # away.\n"
        "# [[bodies]]\n"
        '# id = "commission"\n'
        f"# members = [{members}]\n"
        f"# names = {_texts(answers, 'Commission')}\n"
        f"# cadence = {_texts(answers, 'How often, in the words of the agreement')}\n"
    )


def _alerts(answers: Answers) -> str:
    name = _texts(answers, "Question (clocks chosen for exercises)")
    return (
        f"{LICENCE}# The clocks of a question, in minutes. Chosen: put what the agreement says in their place.\n"
        '[[alerts]]\nid = "question"\nprecedence = "priority"\nacknowledge-minutes = 240\nanswer-minutes = 2880\n'
        f"names = {name}\n"
    )


def _page(answers: Answers) -> str:
    others = ", ".join(answers.languages[1:]) or "none"
    return (
        f"# Pack: {answers.title}\n\nTo be written: what it is, and for whom.\n\n"
        "## Sources\n\n| key | grade | source | what it is used for |\n|---|---|---|---|\n\n"
        "## Fact, and choice for exercises\n\n| in the pack | ground |\n|---|---|\n\n"
        "## Left out\n\n"
        f"## Translation\n\nWritten in {answers.languages[0]}. "
        f"To be translated, and read by a competent reader: {others}.\n"
    )


def _fields(form: Form) -> str:
    if form.effect is None:
        schema: dict[str, Any] = _object({"text": {"type": "string", "minLength": 1, "maxLength": 4000}}, ["text"])
    else:
        shape = EFFECTS[form.effect].shape
        schema = _narrowed(shape)
        schema["properties"].setdefault("text", {"type": "string", "minLength": 1, "maxLength": 4000})
    if form.performs:
        full = _narrowed(PERFORMS["items"]["oneOf"][0])
        schema["properties"]["performs"] = {"type": "array", "items": full, "minItems": 1, "maxItems": 50}
    for name, member in schema["properties"].items():
        member["title"] = name.replace("-", " ").capitalize()
    return json.dumps({"title": form.name, **schema}, indent=2, ensure_ascii=False) + "\n"


def _object(properties: dict[str, Any], required: Sequence[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _narrowed(shape: Mapping[str, Any]) -> dict[str, Any]:
    """The shape of an effect in the words that a field schema of a pack may use (spec/pack.md)."""
    if "const" in shape:
        return {"type": "string", "const": shape["const"]}
    if "enum" in shape:
        return {"type": "string", "enum": list(shape["enum"])}
    if shape["type"] == "object":
        return _object({name: _narrowed(member) for name, member in shape["properties"].items()}, shape["required"])
    found = {"type": shape["type"], **{name: shape[name] for name in _KEPT if name in shape}}
    if shape["type"] == "array":
        found["items"] = _narrowed(shape["items"])
    return found


__all__ = ["KITS", "Answers", "scaffold"]
