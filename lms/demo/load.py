"""The demonstration put together: in one transaction, so that a start that was interrupted leaves nothing behind."""

import secrets
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.urls import reverse

from accounts.domain.invitations import invite
from accounts.models import User
from courses.domain.enrolment import activate_enrolments, assign_cohort, enrol
from courses.models import Enrolment, Programme
from lms.demo import credit, lectures, messages, people, programmes, progress
from media.domain.videos import store_source
from media.models import Video
from webinars.enums import Phase
from webinars.models import WatchRecord


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the visitor needs and the database does not know: the password, and the raw token of one invitation."""

    password: str
    invitation_path: str


def is_loaded() -> bool:
    return Programme.objects.filter(slug=programmes.SLUG).exists()


def is_empty() -> bool:
    """Accounts alone do not count: the first operator may exist before anything else does."""
    return not Programme.objects.exists()


def load(*, now: datetime) -> Loaded:
    decks = programmes.lectures(lectures.read_decks())
    with tempfile.TemporaryDirectory(prefix="lms-demo-") as name:
        paths = [(deck, Path(name) / f"{deck.key}.mp4") for deck in decks]
        lectures.draw_all(paths)
        with transaction.atomic():
            return _write(paths, now)


def _write(paths: list[tuple[lectures.Lecture, Path]], now: datetime) -> Loaded:
    password = secrets.token_urlsafe(9)
    password_hash = make_password(password)
    programme = programmes.create_fertility(now=now)
    members = {
        one.name: people.create_member(one, programme=programme, password_hash=password_hash, now=now)
        for one in people.STAFF
    }
    operator, moderator = members["Sam Whitfield"], members["Nadia Rahman"]
    videos: dict[str, Video] = {
        deck.key: store_source(path=path, title=deck.title, created_by=moderator, now=now) for deck, path in paths
    }
    programmes.create_courses(programme=programme, videos=videos, speakers=members, now=now)
    enrolled = [(one, _enrol(one, programme, password_hash, now)) for one in people.DOCTORS]
    credit.create_template(programme=programme)
    doctors = {one.name: enrolment.user for one, enrolment in enrolled}
    credit.hold(lesson=programmes.with_credit(programme), staff=members, doctors=doctors, now=now)
    progress.watch(
        people=[(one, enrolment) for one, enrolment in enrolled if one.watched],
        webinars=programmes.webinars_by_deck(videos),
        seconds={deck.key: deck.seconds for deck, _ in paths},
        now=now,
    )
    credit.issue(programme=programme, now=now)
    messages.switch_on(programme=programme, moderator=moderator, now=now)
    other = programmes.create_other(now=now)
    people.create_member(people.OTHER_MODERATOR, programme=other, password_hash=password_hash, now=now)
    _enrol(people.OTHER_DOCTOR, other, password_hash, now)
    invited = next(enrolment.user for one, enrolment in enrolled if one.is_invited)
    _, token = invite(user=invited, created_by=operator, now=now)
    return Loaded(password, reverse("accounts:invitation", args=(token,)))


def _enrol(one: people.Doctor, programme: Programme, password_hash: str, now: datetime) -> Enrolment:
    at = now - timedelta(days=110)
    user = people.create_person(one, password_hash=password_hash, signed_in_at=None)
    enrolment = enrol(programme=programme, user=user, now=at)
    if one.cohort:
        assign_cohort(enrolment=enrolment, cohort=programme.cohorts.get(name=one.cohort))
    if not one.is_invited:
        first = at + timedelta(days=5)
        activate_enrolments(user=user, now=first)
        User.objects.filter(pk=user.pk).update(last_login=first, timezone_confirmed_at=first)
    return Enrolment.objects.select_related("user", "cohort").get(pk=enrolment.pk)


def counted() -> dict[str, int]:
    return {
        "programmes": Programme.objects.count(),
        "doctors": Enrolment.objects.count(),
        "lectures": Video.objects.count(),
        "watch records": WatchRecord.objects.filter(phase=Phase.ON_DEMAND).count(),
    }
