# SPDX-License-Identifier: Apache-2.0
"""What an entry must keep to have effect in the agreements register (spec/dialogue.md, Rules, Agreements 1 to 4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from servanda.journal.named import Item
from servanda.journal.refusal import Refused
from servanda.journal.state import Entry
from servanda.journal.threads import within

if TYPE_CHECKING:
    from servanda.registers.agreements.fold import AgreementsRegister, Document

Rule = Callable[["AgreementsRegister", "Document", Entry, Item], None]


# 1. Text.
def _text(register: AgreementsRegister, document: Document, entry: Entry, item: Item) -> None:
    content = item.content
    _check_languages(content)
    if "from" in content and "until" in content and content["until"] < content["from"]:
        raise Refused("term", f"it would end on {content['until']}, before it begins on {content['from']}")
    thread = item.frame.thread
    first = register.record.entry(thread.place) if thread is not None else None
    if first is not None and first.frame is not None and first.frame.content.get("document") != content["document"]:
        raise Refused("other-document", f"its thread is about {first.frame.content.get('document')}")
    concluded = register.concluded(document, entry.past)
    amended = [register.text_with(document, digest, entry.past) for digest in content["amends"]]
    places = {text.place for text in concluded}
    for digest, text in zip(content["amends"], amended, strict=True):
        if text is None or text.place not in places:
            raise Refused("unknown-text", f"{digest[:12]}… is no text of {document.name} that has effect")
    if not concluded:
        return
    if not amended:
        raise Refused("concluded", f"{document.name} is concluded; `amends` names the text that this one replaces")
    _check_all(register, document, entry, item)


def _check_languages(content: dict[str, Any]) -> None:
    texts: dict[str, dict[str, Any]] = {}
    for text in content["texts"]:
        if text["language"] in texts:
            raise Refused("language-twice", f"{text['language']} stands twice; one text for each language")
        texts[text["language"]] = text
    authentic = {language for language, text in texts.items() if text["status"] == "authentic"}
    for language in sorted(authentic ^ set(content["authentic"])):
        where = "named authentic and has no text that is" if language not in authentic else "not named authentic"
        raise Refused("language-without-text", f"{language} is {where}; `authentic` lists the languages of such texts")
    ids = [[clause["id"] for clause in text["clauses"]] for text in content["texts"]]
    for row, text in zip(ids, content["texts"], strict=True):
        if len(set(row)) != len(row):
            twice = next(name for name in row if row.count(name) > 1)
            raise Refused("clause-twice", f"clause {twice} stands twice in {text['language']}")
        if row != ids[0]:
            raise Refused("clauses-differ", f"the clauses in {text['language']} are not those of the first text")


def _check_all(register: AgreementsRegister, document: Document, entry: Entry, item: Item) -> None:
    parties = register.parties(document, entry.past)
    signing = {item.party, *(item.frame.named or ())}
    if signing != parties:
        raise Refused("not-all-parties", f"author and named are the parties of it: {', '.join(sorted(parties))}")


# 2. Extend, terminate, accede.
def _change(register: AgreementsRegister, document: Document, entry: Entry, item: Item) -> None:
    _concluded(register, document, entry)
    _check_all(register, document, entry, item)


def _accede(register: AgreementsRegister, document: Document, entry: Entry, item: Item) -> None:
    _concluded(register, document, entry)
    parties = register.parties(document, entry.past)
    if item.party in parties:
        raise Refused("already-party", f"{item.party} is a party of {document.name} already")
    if set(item.frame.named or ()) != parties:
        raise Refused("not-all-parties", f"whom it names are the parties of it: {', '.join(sorted(parties))}")


def _concluded(register: AgreementsRegister, document: Document, entry: Entry) -> None:
    if not register.concluded(document, entry.past):
        raise Refused("not-concluded", f"no text of {document.name} has effect")


# 3. Suspend, withdraw, declare.
def _notice(register: AgreementsRegister, document: Document, entry: Entry, item: Item) -> None:
    if item.party not in register.parties(document, entry.past):
        raise Refused("not-a-party", f"{item.party} is no party of {document.name}")
    _check_clauses(document, entry, item)


def _declare(register: AgreementsRegister, document: Document, entry: Entry, item: Item) -> None:
    offers = [register.record.threads.offers[place] for place in document.texts if within(entry.past, place)]
    if not any(item.party in offer.signatories for offer in offers):
        _notice(register, document, entry, item)
    _check_clauses(document, entry, item)


def _check_clauses(document: Document, entry: Entry, item: Item) -> None:
    known = {
        clause["id"]
        for place, text in document.texts.items()
        if within(entry.past, place)
        for clause in text.content["texts"][0]["clauses"]
    }
    for name in item.content.get("clauses", ()):
        if name not in known:
            raise Refused("unknown-clause", f"no clause {name} in {document.name}")


# 4. Translation.
def _translation(register: AgreementsRegister, document: Document, entry: Entry, item: Item) -> None:
    text = register.text_with(document, item.content["digest"], entry.past)
    if text is None:
        raise Refused("unknown-text", f"no text of {document.name} has that digest")
    if _ids(item.content["clauses"]) != _ids(text.content["texts"][0]["clauses"]):
        raise Refused("clauses-differ", "the clauses are not those of the text translated, in its order")


def _ids(clauses: Sequence[dict[str, Any]]) -> list[str]:
    return [clause["id"] for clause in clauses]


RULES: dict[str, Rule] = {
    "agreement.text": _text,
    "agreement.extend": _change,
    "agreement.terminate": _change,
    "agreement.accede": _accede,
    "agreement.suspend": _notice,
    "agreement.withdraw": _notice,
    "agreement.declare": _declare,
    "agreement.translation": _translation,
}
