"""Messages of a round: a mail server that remembers what it got, rows of the outbox, and bells for those who send them.

What is done here by SQL is what a planner does: rows that are due. Everything after that is the product's own, by real
workers, on its way to a mail server of this process.
"""

import asyncio
import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import psycopg
import redis
from celery import Celery
from kombu.exceptions import OperationalError

from core.processes import wait_until
from tests.faults.doctors import Actor
from tests.faults.journal import Journal, Outcome
from tests.faults.replicas import Replicas
from tests.reminders.transports.servers import MailServer

RINGS, PATIENCE = 4, 3.0  # seconds for each: a bell may be lost, and beat looks by itself every ten seconds only
HANDFUL = 3
KEY = re.compile(rb"(?im)^Message-ID: <([0-9a-f]{32})@")
INSERT = """
INSERT INTO reminders_delivery (
    key, programme_id, user_id, kind, subject, slot, channel, campaign_id, is_urgent, due_at, expires_at, state,
    skip_reason, tries, error, transport, provider_id
)
SELECT v.key, %(programme)s, v.person, 'campaign', 'campaign/' || %(campaign)s, v.key::text, 'email', %(campaign)s,
    true, now(), now() + interval '2 hours', 'planned', '', 0, '', '', ''
FROM unnest(%(keys)s::uuid[], %(people)s::bigint[]) AS v (key, person)
"""
LEFT = """
SELECT count(*) FROM reminders_delivery WHERE key = ANY(%s) AND state IN ('planned', 'claimed', 'sending')
"""
# As if the minutes had passed after which a dead worker's messages are given back or in doubt, and a refusal is tried
# again. One of a worker that lives is harmed as little as by a sweep that thinks it dead.
HASTEN = """
UPDATE reminders_delivery SET
    claimed_at = CASE WHEN state = 'planned' THEN claimed_at ELSE claimed_at - interval '10 minutes' END,
    due_at = least(due_at, now())
WHERE programme_id = %(programme)s AND (
    state IN ('claimed', 'sending') AND claimed_at BETWEEN now() - interval '9 minutes' AND now() - interval '5 seconds'
    OR state = 'planned' AND tries > 0 AND due_at > now()
)
"""


def keys_in(box: MailServer) -> tuple[str, ...]:
    """Of all that it took, in the order in which it did; one that came twice twice."""
    found = (KEY.search(content) for _, content in list(box.messages))
    return tuple(str(UUID(one.group(1).decode())) for one in found if one)


class Bells:
    """Rings as the product does: a task, by its name. Without Valkey nobody hears it."""

    def __init__(self, site: Replicas) -> None:
        self.url = site.environment["REDIS_URL"]

    def ring(self, name: str, *arguments: Any, queue: str, times: int = 1, task: str = "") -> None:
        """`task`: the id of all of them; without one each is a task of its own."""
        app = Celery(broker=self.url, set_as_current=False)
        app.conf.update(broker_transport_options={"socket_timeout": 3, "socket_connect_timeout": 3, "max_retries": 0})
        try:
            with app.connection_for_write() as line:
                for _ in range(times):
                    app.send_task(
                        name, arguments, task_id=task or str(uuid4()), queue=queue, expires=30, connection=line,
                        retry=False,
                    )  # fmt: skip
        except (OSError, redis.RedisError, OperationalError):
            return
        finally:
            app.close()

    def drain(self) -> None:
        self.ring("reminders.drain", queue="default")

    def hand_out_again(self) -> int:
        """What workers that died had taken and not acknowledged: by itself Redis does this after twelve hours."""
        with redis.Redis.from_url(self.url, socket_timeout=5) as client:
            found = client.hgetall("unacked")
            for tag, content in found.items():
                message, _exchange, queue = json.loads(content)
                client.lpush(queue, json.dumps(message))
                client.hdel("unacked", tag)
                client.zrem("unacked_index", tag)
        return len(found)


@dataclass
class Postmaster(Actor):
    """Has a few messages become due, again and again. `done` counts the handfuls of which each found its end."""

    site: Replicas = field(kw_only=True)

    def __post_init__(self) -> None:
        self.people = [one["user"] for one in self.world["doctors"]]
        self.bells = Bells(self.site)

    async def act(self) -> None:
        self.done += await asyncio.to_thread(self._act)

    def _act(self) -> int:
        keys = self.make_due(HANDFUL)
        return int(bool(keys) and any(self._rang(keys) for _ in range(RINGS)))

    def _rang(self, keys: list[str]) -> bool:
        self.bells.drain()
        return wait_until(lambda: self.is_ending or not self.left(keys), seconds=PATIENCE, every=0.2)

    def make_due(self, number: int) -> list[str]:
        """Their keys, when the database said that it has them."""
        lines = {str(uuid4()): 0 for _ in range(number)}
        for key in lines:
            lines[key] = self.journal.invoke("message", key, who=0)
        values = {
            "programme": self.world["programme"],
            "campaign": self.world["campaign"],
            "keys": list(lines),
            "people": [self.rng.choice(self.people) for _ in lines],
        }
        outcome, why = Outcome.OK, ""
        try:
            with self.site.connect(options="-c statement_timeout=5000") as database:
                database.execute(INSERT, values)
        except psycopg.Error as error:
            outcome, why = Outcome.UNKNOWN, type(error).__name__
        for line in lines.values():
            self.journal.end(line, outcome, kind="message", why=why)
        return list(lines) if outcome is Outcome.OK else []

    def left(self, keys: Sequence[str]) -> int:
        """How many have not found their end."""
        try:
            with self.site.connect(options="-c statement_timeout=5000") as database:
                (count,) = database.execute(LEFT, [list(keys)]).fetchone() or (0,)
        except psycopg.Error:
            return len(keys)
        return int(count)


def hasten(site: Replicas, programme: int) -> None:
    with site.connect(autocommit=True) as database:
        database.execute(HASTEN, {"programme": programme})
    Bells(site).drain()


def make_mailing(*, programme: Any, webinar: Any) -> dict[str, Any]:
    """Within the site's environment: a programme that writes to its doctors, and a campaign under way."""
    from datetime import timedelta

    from django.utils.timezone import now

    from reminders.domain.revisions import notice_changes
    from reminders.enums import CampaignState
    from reminders.models import Journey
    from tests.reminders.factories import CampaignFactory, MessagePolicyFactory, MessageTemplateFactory

    policy = MessagePolicyFactory.create(programme=programme, template_set__title=f"Words of {programme.pk}")
    MessageTemplateFactory.create(template_set=policy.template_set, kind="week_before")
    campaign = CampaignFactory.create(
        programme=programme, state=CampaignState.RUNNING, made_at=now(), started_at=now(), title=f"News {programme.pk}"
    )
    notice_changes(now=now() - timedelta(hours=1))
    # Due in the moment in which the round began; switched on by the fault that wants it planned.
    journey = Journey.objects.create(
        programme=programme, kind="week_before", is_on=False, is_urgent=True, channels=["email"],
        offset_minutes=-round((webinar.starts_at - now()).total_seconds() / 60),
    )  # fmt: skip
    return {"programme": programme.pk, "campaign": campaign.pk, "journey": journey.pk}


def postmaster(journal: Journal, site: Replicas, world: dict[str, Any], rng: random.Random) -> Postmaster:
    return Postmaster(journal, site.port, world, rng, site=site)
