"""Those who send messages die at each step, stand still, are rung twice, and forget everything they were told."""

import asyncio
import time
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlencode

import psycopg
import redis

from core.processes import wait_until
from tests.faults.asking import CSRF, Request, ask
from tests.faults.kinds.registry import DidNotBiteError, Fault, Stage, fault
from tests.faults.mailing import hasten

PATIENCE = 40.0
MAIL_SECONDS = 20.0  # a doctor waits for a sign-in e-mail no longer, whatever else goes out
MANY = 40
GATE = 4713
TOUCHES = "sender worker beat postgresql valkey"  # none of them may be broken while messages are counted
CLOSE = f"""
CREATE FUNCTION wait_at_the_gate() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_advisory_xact_lock_shared({GATE}); RETURN NEW; END $$;
CREATE TRIGGER gate BEFORE UPDATE ON reminders_delivery FOR EACH ROW WHEN (%s) EXECUTE FUNCTION wait_at_the_gate()
"""
WAITING = f"""
SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = {GATE} AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Sending(Fault):
    """With more due than one handful's worth, so that there is something in hand."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.office = stage.load.postmaster
        self.programme = int(stage.load.world["programme"])

    def begin(self, number: int = MANY) -> list[str]:
        keys = self.office.make_due(number)
        if len(keys) != number:
            raise DidNotBiteError("The database takes no messages.")
        self.office.bells.drain()
        return keys

    def until_ended(self, keys: list[str], what: str) -> None:
        deadline = time.monotonic() + PATIENCE * 2
        while self.office.left(keys):
            assert time.monotonic() < deadline, f"{self.office.left(keys)} messages have not ended after {what}"
            hasten(self.site, self.programme)
            time.sleep(0.5)


class KilledSenders(Sending):
    """All of them at one step: held there by a lock of the harness, then kill -9. In the end each message ended."""

    gate: ClassVar[str]  # the change of a row at which they stand

    def strike(self) -> None:
        self.before, self.names = self.site.table(), self.site.of("sender")
        with self.site.connect(autocommit=True) as holder, self.site.connect(autocommit=True) as database:
            holder.execute("SELECT pg_advisory_lock(%s)", [GATE])
            database.execute((CLOSE % self.gate).encode())
            try:
                self.keys = self.begin()
                if not wait_until(lambda: bool(_those_who_wait(database)), seconds=PATIENCE, every=0.05):
                    raise DidNotBiteError(f"Nobody came to {self.gate}.")
                self.site.kill(*self.names)
                # PostgreSQL does not notice that a client died while its statement waits: it would be carried out.
                wait_until(lambda: not _end(database), seconds=PATIENCE, every=0.1)
            finally:
                holder.execute("SELECT pg_advisory_unlock(%s)", [GATE])
                database.execute("DROP FUNCTION wait_at_the_gate() CASCADE")

    def mend(self) -> None:
        self.site.wait_for_new(self.before, self.names)
        self.office.bells.hand_out_again()
        self.until_ended(self.keys, self.name)


def _those_who_wait(database: "psycopg.Connection[tuple[int]]") -> list[int]:
    return [pid for (pid,) in database.execute(WAITING.encode())]


def _end(database: "psycopg.Connection[tuple[int]]") -> list[int]:
    waiting = _those_who_wait(database)
    for pid in waiting:
        database.execute("SELECT pg_terminate_backend(%s)", [pid])
    return waiting


@fault("kill senders before the claim", touches=TOUCHES, lasts=(3, 0))
class BeforeClaim(KilledSenders):
    gate = "NEW.state = 'claimed'"


@fault("kill senders after the claim", touches=TOUCHES, lasts=(3, 0))
class AfterClaim(KilledSenders):
    gate = "NEW.state = 'sending'"


@fault("kill senders after the hand-over", touches=TOUCHES, lasts=(3, 0))
class AfterHandOver(KilledSenders):
    """The mail server has taken them, and nobody has written that down."""

    gate = "NEW.state = 'sent'"

    def mend(self) -> None:
        super().mend()
        taken = set(self.stage.load.mail()) & set(self.keys)
        if not taken:
            raise DidNotBiteError("The mail server has none of them.")


@fault("kill senders after the mark", touches=TOUCHES, lasts=(3, 0))
class AfterMark(Sending):
    """As soon as some are known to be sent; the task that sent them is handed out again."""

    def strike(self) -> None:
        self.before, self.names = self.site.table(), self.site.of("sender")
        self.keys = self.begin()
        if not wait_until(lambda: self.office.left(self.keys) < MANY, seconds=PATIENCE, every=0.01):
            raise DidNotBiteError("None of them was sent.")
        self.site.kill(*self.names)

    def mend(self) -> None:
        self.site.wait_for_new(self.before, self.names)
        self.office.bells.hand_out_again()
        self.until_ended(self.keys, self.name)


@fault("messages rung twice", touches=TOUCHES, lasts=(1, 0))
class RungTwice(Sending):
    """The same task of the same chain several times at once, and as many of others."""

    def strike(self) -> None:
        self.keys = self.begin()
        until = time.time() + 30
        for name in ("once", "again"):
            self.office.bells.ring("reminders.send", "email", until, name, queue="reminders", times=4, task=name)

    def mend(self) -> None:
        self.until_ended(self.keys, self.name)


@fault("two schedulers of messages", touches=TOUCHES, lasts=(1, 0))
class TwoSchedulers(Sending):
    """A journey is switched on, and several plan it at once: one message for each doctor."""

    def strike(self) -> None:
        with self.site.connect() as database:
            database.execute(
                "UPDATE reminders_journey SET is_on = true WHERE id = %s", [self.stage.load.world["journey"]]
            )
        self.office.bells.ring("reminders.plan", queue="reminders", times=4)

    def mend(self) -> None:
        expected = len(self.stage.load.world["doctors"])
        assert wait_until(lambda: self._planned() >= expected, seconds=PATIENCE), f"{self._planned()} of {expected}"
        assert self._planned() == expected

    def _planned(self) -> int:
        query = "SELECT count(*) FROM reminders_delivery WHERE programme_id = %s AND kind = 'week_before'"
        with self.site.connect() as database:
            (count,) = database.execute(query, [self.programme]).fetchone() or (0,)
        return int(count)


@fault("valkey flushed", touches=TOUCHES, lasts=(1, 0))
class Flushed(Sending):
    """Bells, rates and places are gone in the middle of a burst."""

    def strike(self) -> None:
        self.keys = self.begin(MANY * 6)
        wait_until(lambda: self.office.left(self.keys) < len(self.keys), seconds=PATIENCE, every=0.01)
        with redis.Redis.from_url(self.site.environment["REDIS_URL"]) as client:
            client.flushall()

    def mend(self) -> None:
        self.until_ended(self.keys, self.name)


@fault("provider that hangs", touches=TOUCHES, lasts=(10, 0))
class Hanging(Sending):
    """It takes each message and answers nothing. A doctor who wants to sign in gets the e-mail all the same."""

    def strike(self) -> None:
        box = self.site.mail
        self.heard = len(box.messages)
        box.after_dot = "stall"
        self.keys = self.begin()
        if not wait_until(lambda: len(box.messages) > self.heard, seconds=PATIENCE, every=0.05):
            raise DidNotBiteError("Nothing was handed to the mail server.")

    def mend(self) -> None:
        box = self.site.mail
        try:
            self._sign_in()
        finally:
            box.after_dot = ""
        self.until_ended(self.keys, self.name)

    def _sign_in(self) -> None:
        with self.site.connect() as database:
            person = self.rng.choice(self.stage.load.world["doctors"])["user"]
            (email,) = database.execute("SELECT email FROM accounts_user WHERE id = %s", [person]).fetchone() or ("",)
        folder = Path(self.site.environment["VAR_DIR"]) / "mail"
        body = urlencode({"csrfmiddlewaretoken": CSRF, "email": email})
        before = set(folder.glob("*.eml"))
        answer = asyncio.run(ask(self.site.port, Request("POST", "/sign-in/", body, is_form=True)))
        assert answer.status == 302, answer.status

        def came() -> bool:
            return any(email in path.read_text() for path in set(folder.glob("*.eml")) - before)

        assert wait_until(came, seconds=MAIL_SECONDS), "a sign-in e-mail waits for a provider that hangs"
