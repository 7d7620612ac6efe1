"""A doctor, players and beats by the second; and what may be said of them, found out the slow way from who did what.

Nothing here reads the rows of the product: what was seen is a set of seconds, and a beat's player is whoever could have
sent it without the clock showing more.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.models import Device, User
from analytics.models import Statement
from tests.webinars.on_air import make_live
from tests.webinars.watching import at, make_device, make_enrolment, make_webinar, send
from webinars.domain.watching import start_play_session
from webinars.models import Broadcast, PlaySession, Webinar

LENGTH, PERCENT = 600, 50
QUIET = 600
Said = tuple[Any, ...]


@dataclass
class Player:
    session: PlaySession
    began: int
    heard: int
    ended: int | None = None


@dataclass
class Stage:
    """`told`: all that was ever to be said, by what it says; what was said once is not said again."""

    is_live: bool
    now: int = 0
    over: int | None = None
    players: list[Player] = field(default_factory=list)
    beats: list[tuple[int, Player, float]] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    reached: int | None = None
    told: dict[Said, Said] = field(default_factory=dict)

    def __post_init__(self) -> None:
        enrolment = make_enrolment()
        self.user: User = enrolment.user
        self.webinar: Webinar = make_webinar(enrolment, seconds=float(LENGTH), percent=PERCENT)
        if self.is_live:
            make_live(webinar=self.webinar, completion_percent=PERCENT)

    def open(self, _which: int, _where: int) -> None:
        if len(self.players) == 4 or (self.is_live and self.over is not None):
            return
        device = make_device(self.user, now=at(self.now))
        Device.objects.filter(user=self.user, ended_reason="replaced").update(ended_at=None, ended_reason="")
        session = start_play_session(webinar=self.webinar, user=self.user, device=device, now=at(self.now))
        self.players.append(Player(session, self.now, self.now))

    def beat(self, which: int, where: int) -> None:
        alive = [one for one in self.players if one.ended is None]
        if not alive:
            return
        player = alive[which % len(alive)]
        end = self.now if self.is_live else LENGTH
        length = min((self.now - player.heard) // 2, end)
        start = where % (end - length + 1)
        assert send(player.session, (start, start + length), after=self.now).refusal is None
        player.heard = self.now
        self.beats.append((self.now, player, float(start + length)))
        self.seen |= set(range(start, start + length))
        if not self.is_live and self.reached is None and len(self.seen) * 100 >= LENGTH * PERCENT:
            self.reached = self.now

    def end(self, which: int, where: int) -> None:
        """By itself, or with its device."""
        alive = [one for one in self.players if one.ended is None]
        if not alive:
            return
        player = alive[which % len(alive)]
        player.ended = self.now
        if where % 2:
            PlaySession.objects.filter(pk=player.session.pk).update(ended_at=at(self.now))
        else:
            ending = {"ended_at": at(self.now), "ended_reason": "signed_out"}
            Device.objects.filter(pk=player.session.device_id).update(**ending)

    def close(self, _which: int, _where: int) -> None:
        """The event is over; of a recording nothing is ever over."""
        if self.is_live and self.over is None and self.now:
            self.over = self.now
            Webinar.objects.filter(pk=self.webinar.pk).update(ended_at=at(self.now))
            Broadcast.objects.filter(webinar=self.webinar).update(
                program_seconds=float(self.now), ended_at=at(self.now)
            )

    def could_have_sent(self, when: int) -> list[Player]:
        shown = {second for then, player, _ in self.beats for second in range(player.began, then)}
        return [
            one
            for one in self.players
            if one.began <= when
            and (one.ended is None or one.ended >= when)
            and set(range(one.began, when)) <= shown
            and when - 1 in shown
        ]

    def player_of(self, when: int) -> Player | None:
        if self.over is not None and when > self.over + QUIET:
            return None
        could = self.could_have_sent(when)
        return could[0] if len(could) == 1 else None

    def look(self) -> None:
        """What is to be said at this moment, besides what was said before."""
        if self.is_live and (self.over is None or self.now - self.over < QUIET):
            return
        length = self.over if self.is_live else LENGTH
        assert length is not None
        for player in self.players:
            self.say("initialized", player.session.pk, at(player.began), player.session.pk, length)
        if not self.beats or self.now - self.beats[-1][0] < QUIET:
            return
        seen = sorted(second for second in self.seen if second < length)
        if not seen:
            return
        last, truth, position = self.beats[-1]
        state = (min(position, float(length)), round(len(seen) / length, 3), tuple(seen))
        theirs = self.player_of(last)
        assert theirs is None or theirs is truth
        session = theirs.session.pk if theirs else None
        self.say("paused", last, at(last), session, length, *state)
        if self.reached is not None:
            then = self.player_of(self.reached)
            self.say("completed", None, at(self.reached), then.session.pk if then else None, length, *state, len(seen))
        if theirs is None:
            return
        ends = [] if theirs.ended is None else [theirs.ended]
        if self.over is not None:
            ends.append(max(self.over, last))
        if ends:
            self.say("terminated", session, at(min(ends)), session, length, *state)

    def say(self, verb: str, key: Any, when: datetime, session: UUID | None, *state: Any) -> None:
        self.told.setdefault((verb, key), (verb, when, session and str(session), *state))


def said(statement: Statement) -> Said:
    """As the reference has it, of JSON as it was kept."""
    start = "https://w3id.org/xapi/video/extensions/"
    context, result = statement.body["context"]["extensions"], statement.body.get("result", {})
    assert context[f"{start}completion-threshold"] == PERCENT / 100
    found: list[Any] = [
        statement.verb, statement.happened_at, context.get(f"{start}session-id"), context[f"{start}length"]
    ]  # fmt: skip
    if extensions := result.get("extensions"):
        seconds = [
            second
            for part in extensions[f"{start}played-segments"].split("[,]")
            for second in range(*map(int, part.split("[.]")))
        ]
        found += [extensions[f"{start}time"], extensions[f"{start}progress"], tuple(seconds)]
    if "duration" in result:
        found.append(int(result["duration"].removeprefix("PT").removesuffix("S")))
    return tuple(found)
