"""How many people are in a room: each process writes its own number every few seconds, and they are added up."""

import json
import os
import secrets
import socket
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

from django.db import connection

from webinars.models import Presence

FRESH = timedelta(seconds=9)  # three reports: a process that died is counted no longer
FORGOTTEN = timedelta(minutes=1)

# Rooms that are gone are left out. The SELECT sees the table as it was before, so it leaves out the own rows.
_REPORT = """
WITH mine AS (
    SELECT v.webinar_id, v.people, v.countries::jsonb AS countries
    FROM unnest(%(rooms)s::int8[], %(people)s::int4[], %(countries)s::text[]) AS v (webinar_id, people, countries)
    JOIN webinars_webinar w ON w.id = v.webinar_id
), written AS (
    INSERT INTO webinars_presence (webinar_id, process, people, countries, at)
    SELECT webinar_id, %(process)s, people, countries, %(now)s FROM mine
    ON CONFLICT (webinar_id, process)
    DO UPDATE SET people = EXCLUDED.people, countries = EXCLUDED.countries, at = EXCLUDED.at
), forgotten AS (
    DELETE FROM webinars_presence
    WHERE process <> %(process)s AND webinar_id = ANY (%(rooms)s::int8[]) AND at < %(forgotten)s
)
SELECT m.webinar_id, m.people + coalesce(sum(p.people), 0)
FROM mine m
LEFT JOIN webinars_presence p ON p.webinar_id = m.webinar_id AND p.process <> %(process)s AND p.at > %(fresh)s
GROUP BY m.webinar_id, m.people
"""


@dataclass(frozen=True, slots=True)
class People:
    """`countries` has the number of people by ISO code; those without one are missing there."""

    number: int = 0
    countries: Mapping[str, int] = field(default_factory=dict)


@cache
def _name_of(process_id: int) -> str:
    return f"{socket.gethostname()[:20]}:{process_id}:{secrets.token_hex(3)}"


def process_name() -> str:
    """Of this process: not of the one it was forked from, nor of an earlier one with its number."""
    return _name_of(os.getpid())


def report(present: Mapping[int, Mapping[int, str]], *, process: str, now: datetime) -> dict[int, int]:
    """`present` has the people of this process by room, with their countries. Returns everybody's number by room.

    An empty room is reported as well, once: its row would count on until it is too old. One statement.
    """
    rooms = list(present)
    countries = [json.dumps(Counter(country for country in present[one].values() if country)) for one in rooms]
    with connection.cursor() as cursor:
        cursor.execute(
            _REPORT,
            {
                "rooms": rooms,
                "people": [len(present[one]) for one in rooms],
                "countries": countries,
                "process": process,
                "now": now,
                "fresh": now - FRESH,
                "forgotten": now - FORGOTTEN,
            },
        )
        return {webinar_id: int(people) for webinar_id, people in cursor.fetchall()}


def people_in(webinar_id: int, *, now: datetime) -> People:
    """For pages: who is watching now, and from where. One query."""
    countries: Counter[str] = Counter()
    number = 0
    rows = Presence.objects.filter(webinar=webinar_id, at__gt=now - FRESH).values_list("people", "countries")
    for people, by_country in rows:
        number += people
        countries.update(by_country)
    return People(number, dict(countries.most_common()))
