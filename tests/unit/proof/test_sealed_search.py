# SPDX-License-Identifier: Apache-2.0
"""A sealed declaration of a million rows withstands whoever knows every coordinate and serial that there can be.

The searcher knows the kinds, the places, the serials, the order of the rows, the whole tree, and the openings of some
rows: everything but the secret. What is tried is each row that can be; the same search finds every row of a table
whose salts are known, so that it would find them here if there were anything to find.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from servanda.proof.merkle import leaf_hash
from servanda.proof.tables import row_hashes, row_leaf, row_salt

ROWS = 1_000_000
PLACES = [b"%d.%02d,%d.%02d" % (33 + i // 40, i % 40, 36 + i % 7, i % 60) for i in range(40)]
SECRET = hashlib.sha256(b"known to the declarer alone").digest()
NO_SALT = b""
"""What a declaration without salts would put before each row."""


def space() -> Iterator[bytes]:
    """Every row that there can be, in the order of the declaration: place after place, serial by serial."""
    each = ROWS // len(PLACES)
    for number in range(ROWS):
        yield b'{"kind":"shell","place":"%s","serial":"S-%07d"}' % (PLACES[number // each], number)


@pytest.fixture(scope="module")
def texts() -> list[bytes]:
    return list(space())


@pytest.fixture(scope="module")
def declared(texts: list[bytes]) -> list[bytes]:
    """The leaf hashes of the sealed declaration: every row of the space, so each guess is a right one."""
    return row_hashes(SECRET, 0, texts)


def test_without_salts_the_search_would_find_every_row_and_with_them_it_finds_none(
    texts: list[bytes], declared: list[bytes]
) -> None:
    sha256 = hashlib.sha256
    searched = {sha256(b"\0" + NO_SALT + text).digest() for text in texts}
    bare = [sha256(b"\0" + NO_SALT + text).digest() for text in texts[::10]]
    assert len(searched) == ROWS
    assert searched.issuperset(bare)
    assert searched.isdisjoint(declared)


@pytest.mark.parametrize(
    "guess",
    [bytes(32), b"\xff" * 32, hashlib.sha256(b"").digest(), hashlib.sha256(b"servanda/table-row/v1").digest()],
    ids=["zeros", "ones", "empty", "label"],
)
def test_a_guessed_secret_finds_nothing(guess: bytes, texts: list[bytes], declared: list[bytes]) -> None:
    guessed = [sha for n in range(0, ROWS, 250) for sha in row_hashes(guess, n, [texts[n]])]
    assert set(guessed).isdisjoint(declared)


def test_salts_of_opened_rows_say_nothing_of_the_others(texts: list[bytes], declared: list[bytes]) -> None:
    opened = {number: row_salt(SECRET, number) for number in range(0, 500, 2)}
    for number, salt in opened.items():
        row = {"kind": "shell", "place": PLACES[0].decode(), "serial": f"S-{number:07d}"}
        assert leaf_hash(row_leaf(salt, row)) == declared[number]
    tried = [
        hashlib.sha256(b"\0" + salt + texts[number]).digest()
        for salt in list(opened.values())[:50]
        for number in range(1, 2000, 2)
    ]
    assert set(tried).isdisjoint(declared)
    assert len({row_salt(SECRET, number) for number in range(0, ROWS, 97)}) == len(range(0, ROWS, 97))


def test_the_search_succeeds_where_the_secret_is_known(texts: list[bytes], declared: list[bytes]) -> None:
    numbers = range(0, ROWS, 9973)
    found = [hashlib.sha256(b"\0" + row_salt(SECRET, n) + texts[n]).digest() == declared[n] for n in numbers]
    assert all(found)
