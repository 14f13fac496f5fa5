# SPDX-License-Identifier: Apache-2.0
"""One set of postings from a seed, written in the syntax of each program: the same accounts, days and amounts."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple, TextIO

ACCOUNTS, SEED, FIRST_DAY, DAYS = 4_000, 20131, date(2013, 1, 1), 365
COMMODITY = "EUR"


class Posting(NamedTuple):
    """One posting: its transaction and day, the account, and an amount in hundredths."""

    transaction: int
    day: str
    account: int
    amount: int


def postings(count: int) -> Iterator[Posting]:
    """`count` postings, two to a transaction, which add up to nothing."""
    chance = random.Random(SEED)
    for transaction in range(count // 2):
        day = (FIRST_DAY + timedelta(transaction * DAYS // max(1, count // 2))).isoformat()
        source, target = chance.sample(range(ACCOUNTS), 2)
        amount = chance.randrange(1, 10_000_000)
        yield Posting(transaction, day, target, amount)
        yield Posting(transaction, day, source, -amount)


def account_name(account: int) -> str:
    """The account as all programs know it."""
    return f"Assets:A{account % 40:02d}:B{account:04d}"


def decimal(amount: int) -> str:
    """An amount in hundredths with two decimals."""
    sign = "-" if amount < 0 else ""
    return f"{sign}{abs(amount) // 100}.{abs(amount) % 100:02d}"


def _transactions(count: int) -> Iterator[tuple[Posting, Posting]]:
    rows = postings(count)
    yield from zip(rows, rows, strict=True)


def _journal(file: TextIO, count: int) -> None:
    """For hledger and ledger."""
    for one, other in _transactions(count):
        file.write(f"{one.day} Transaction {one.transaction}\n")
        for posting in (one, other):
            file.write(f"    {account_name(posting.account)}  {decimal(posting.amount)} {COMMODITY}\n")
        file.write("\n")


def _beancount(file: TextIO, count: int) -> None:
    for account in range(ACCOUNTS):
        file.write(f"{FIRST_DAY} open {account_name(account)} {COMMODITY}\n")
    for one, other in _transactions(count):
        file.write(f'{one.day} * "Transaction {one.transaction}"\n')
        for posting in (one, other):
            file.write(f"  {account_name(posting.account)}  {decimal(posting.amount)} {COMMODITY}\n")
        file.write("\n")


def _csv(file: TextIO, count: int) -> None:
    """For us: whole hundredths, for nothing that is signed goes through decimals."""
    file.write("account,hundredths,commodity,day,transaction\n")
    for row in postings(count):
        file.write(f"{account_name(row.account)},{row.amount},{COMMODITY},{row.day},{row.transaction}\n")


WRITERS: dict[str, Callable[[TextIO, int], None]] = {
    "postings.journal": _journal,
    "postings.beancount": _beancount,
    "postings.csv": _csv,
}


def write_all(folder: Path, count: int) -> None:
    """Write the set in every syntax."""
    for name, write in WRITERS.items():
        with (folder / name).open("w", encoding="utf-8") as file:
            write(file, count)


def balances(count: int) -> dict[str, int]:
    """What every program must come to: the balance of each account in hundredths, those of nothing left out."""
    sums: dict[int, int] = {}
    for row in postings(count):
        sums[row.account] = sums.get(row.account, 0) + row.amount
    return {account_name(account): amount for account, amount in sums.items() if amount}
