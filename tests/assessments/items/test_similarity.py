"""`similarity` of `items.short.trigrams` beside PostgreSQL's own."""

import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import psycopg
import pytest
from django.db import connection
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assessments.items.short.trigrams import similarity

pytestmark = pytest.mark.django_db  # without it there is no database to ask
Postgres = psycopg.Connection[tuple[float]]
# Letters and digits that every C library and Python call so, with their case pairs, and what separates words.
ALPHABET = "abcdefghijkxyzABCXYZ0123456789 -_.,;/()'µßäöüÄÖÜéèñçøåłőžşğабвгджяАБЖЯαβγδωΑΒΩةابتثج中文字日本語"
TEXTS = st.text(ALPHABET, max_size=24)
ASCII = st.text(st.characters(min_codepoint=1, max_codepoint=127), max_size=24)
PAIRS = st.lists(
    st.one_of(
        st.tuples(TEXTS, TEXTS),
        TEXTS.map(lambda text: (text, text[: len(text) // 2] + "x" + text[len(text) // 2 :])),
        TEXTS.map(lambda text: (text, text[:-1].upper())),
    ),
    min_size=1,
    max_size=40,
)


@pytest.fixture(scope="module")
def server(django_db_setup: None) -> dict[str, Any]:
    made = connection.get_connection_params()
    return {name: made[name] for name in ("host", "port", "user", "password") if made.get(name)}


@pytest.fixture(scope="module")
def postgres(server: dict[str, Any]) -> Iterator[Postgres]:
    """A database of the same server whose letters are those of UTF-8, as every hosted one's are."""
    name = f"{connection.settings_dict['NAME']}_letters"
    with psycopg.connect(**server, dbname="postgres", autocommit=True) as maintenance:
        maintenance.execute(f'DROP DATABASE IF EXISTS "{name}"')
        how = "TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER libc LOCALE 'C.UTF-8'"
        maintenance.execute(f'CREATE DATABASE "{name}" {how}')
        try:
            with psycopg.connect(**server, dbname=name, autocommit=True) as found:
                found.execute("CREATE EXTENSION pg_trgm")
                yield found
        finally:
            maintenance.execute(f'DROP DATABASE "{name}"')


@pytest.fixture(scope="module")
def product(server: dict[str, Any]) -> Iterator[Postgres]:
    """The database of these tests, whose letters are those of ASCII."""
    with psycopg.connect(**server, dbname=connection.settings_dict["NAME"], autocommit=True) as found:
        yield found


def of_postgres(postgres: Postgres, pairs: list[tuple[str, str]]) -> list[float]:
    ones, twos = zip(*pairs, strict=True)
    asked = "SELECT similarity(one, two)::float8 FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS t(one, two, n)"
    return [row[0] for row in postgres.execute(f"{asked} ORDER BY n", (list(ones), list(twos)))]


def as_real(share: Fraction) -> float:
    """In the four bytes that PostgreSQL computes in: both numbers are exact there, and the division rounds once."""
    return float(struct.unpack("f", struct.pack("f", share.numerator / share.denominator))[0])


@settings(max_examples=60)
@given(pairs=PAIRS)
@example(pairs=[("", ""), ("a", "a"), ("...", "..."), ("follicle", "folicle"), ("ÄÖ ß", "äö ß"), ("word word", "word")])
def test_it_is_what_postgresql_says(postgres: Postgres, pairs: list[tuple[str, str]]) -> None:
    assert [as_real(similarity(one, two)) for one, two in pairs] == of_postgres(postgres, pairs)


@settings(max_examples=60)
@given(pairs=st.lists(st.tuples(ASCII, ASCII), min_size=1))
def test_of_ascii_it_is_that_in_any_database(product: Postgres, pairs: list[tuple[str, str]]) -> None:
    assert [as_real(similarity(one, two)) for one, two in pairs] == of_postgres(product, pairs)


@given(one=TEXTS, two=TEXTS)
def test_it_lies_between_0_and_1_and_knows_no_direction(one: str, two: str) -> None:
    assert 0 <= similarity(one, two) == similarity(two, one) <= 1
    assert similarity(one, one) == (1 if any(character.isalnum() for character in one) else 0)
