"""Statements: asked for by a link, signed, kept as they were signed, reviewed."""

import re
import threading
from collections.abc import Callable
from datetime import date, timedelta
from smtplib import SMTPDataError, SMTPRecipientsRefused
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils.timezone import now
from pytest_django import DjangoAssertNumQueries

from accounts.domain.mail import refusal_of
from accounts.domain.secrets import hash_token
from accounts.models import AuditEvent
from certification.authorities.cycles import add_months
from certification.domain import disclosures
from certification.domain.disclosers import DiscloserError, save_person, standings, take_over
from certification.domain.disclosure_mail import BATCH, CLAIM_LASTS, send_queued
from certification.domain.disclosures import Interest, ask, find, state, withdraw
from certification.domain.reviews import (
    NothingDoneError,
    NothingToMitigateError,
    NotNewestError,
    OwnStatementError,
    StillTeachesError,
    review,
)
from certification.enums import ContributorRole, DisclosureStanding, ReviewDecision
from certification.models import Contributor, Discloser, Disclosure, DisclosureRequest, DisclosureReview
from courses.models import Programme
from tests.factories.accounts import UserFactory
from tests.factories.certification import PAID, ActivityFactory, ContributorFactory, DiscloserFactory, disclose
from tests.factories.courses import LessonFactory, ProgrammeFactory
from tests.factories.webinars import LiveWebinarFactory

pytestmark = pytest.mark.django_db
LINK = re.compile(r"/disclosures/([\w-]{43})/")
ACME = Interest("Acme  Pharma ", "speaking", ended=False)


def token_in(message: EmailMessage) -> str:
    found = LINK.search(str(message.body))
    assert found, message.body
    return found.group(1)


def asked(mailoutbox: list[EmailMessage], person: Discloser | None = None, **given: Any) -> str:
    """The token of a link that was sent."""
    ask(person=person or DiscloserFactory.create(), actor=None, now=given.get("now") or now())
    assert send_queued(now=now()) == 1
    return token_in(mailoutbox[-1])


def signed(token: str, *interests: Interest, name: str = "Ana Ribeiro", **given: Any) -> Disclosure:
    at = given.get("now") or now()
    return state(token=token, interests=interests, signed_name=name, address="192.0.2.1", now=at)


class TestAsking:
    def test_the_mail_names_person_and_programme_and_only_a_hash_is_kept(self, mailoutbox: list[EmailMessage]) -> None:
        person = DiscloserFactory.create(name="Dr Ribeiro", email="ana@hospital.example", programme__title="Fertility")
        token = asked(mailoutbox, person)
        (message,) = mailoutbox
        assert message.to == ["ana@hospital.example"]
        assert message.subject == "Your disclosure for Fertility: one question"
        assert "Dr Ribeiro" in str(message.body)
        row = DisclosureRequest.objects.get()
        assert bytes(row.token_hash or b"") == hash_token(token)
        assert row.expires_at - row.created_at == timedelta(days=60)
        with connection.cursor() as cursor:
            cursor.execute("SELECT row_to_json(r)::text FROM certification_disclosurerequest r")
            assert not [text for (text,) in cursor.fetchall() if token in text]
        assert list(AuditEvent.objects.values_list("action", flat=True)) == ["disclosure.asked"]
        assert token not in str(list(AuditEvent.objects.values()))

    def test_a_new_link_ends_the_earlier_ones_also_those_that_were_used(self, mailoutbox: list[EmailMessage]) -> None:
        person = DiscloserFactory.create()
        first = asked(mailoutbox, person)
        signed(first)
        second = asked(mailoutbox, person)
        third = asked(mailoutbox, person)
        for old in (first, second):
            with pytest.raises(disclosures.LinkWithdrawnError):
                find(token=old, now=now())
        assert find(token=third, now=now()).person == person

    def test_withdrawn_expired_and_unknown_links(self, mailoutbox: list[EmailMessage]) -> None:
        person = DiscloserFactory.create()
        token = asked(mailoutbox, person)
        find(token=token, now=now() + timedelta(days=59))
        with pytest.raises(disclosures.LinkExpiredError):
            find(token=token, now=now() + timedelta(days=60))
        assert withdraw(person=person, actor=None, now=now()) is True
        assert withdraw(person=person, actor=None, now=now()) is False
        with pytest.raises(disclosures.LinkWithdrawnError):
            find(token=token, now=now())
        for unknown in ("", "x", "a" * 43, "a" * 5000):
            with pytest.raises(disclosures.LinkUnknownError):
                find(token=unknown, now=now())

    def test_a_withdrawn_request_is_never_sent(self, mailoutbox: list[EmailMessage]) -> None:
        person = DiscloserFactory.create()
        ask(person=person, actor=None, now=now())
        withdraw(person=person, actor=None, now=now())
        assert send_queued(now=now()) == 0
        assert mailoutbox == []

    def test_what_a_crash_left_claimed_is_sent_again_with_another_token(self, mailoutbox: list[EmailMessage]) -> None:
        ask(person=DiscloserFactory.create(), actor=None, now=now())
        DisclosureRequest.objects.update(claimed_at=now(), token_hash=b"x" * 32)
        assert send_queued(now=now()) == 0
        assert send_queued(now=now() + CLAIM_LASTS + timedelta(seconds=1)) == 1
        find(token=token_in(mailoutbox[0]), now=now())

    def test_one_batch_at_a_time(self, mailoutbox: list[EmailMessage]) -> None:
        programme = ProgrammeFactory.create()
        for person in DiscloserFactory.create_batch(BATCH + 2, programme=programme):
            ask(person=person, actor=None, now=now())
        assert [send_queued(now=now()) for _ in range(3)] == [BATCH, 2, 0]
        assert len({message.to[0] for message in mailoutbox}) == BATCH + 2

    def test_a_refused_address_stands_in_no_log(self) -> None:
        """The server's answer names it; kind and code are what an operator needs."""
        refused = SMTPRecipientsRefused({"ana@hospital.example": (550, b"<ana@hospital.example>: no such user")})
        assert refusal_of(refused) == {"error": "SMTPRecipientsRefused", "codes": "550"}
        assert refusal_of(SMTPDataError(552, b"ana@hospital.example")) == {"error": "SMTPDataError", "codes": "552"}

    @pytest.mark.django_db(transaction=True)
    def test_two_workers_send_each_request_once(self, mailoutbox: list[EmailMessage]) -> None:
        programme = ProgrammeFactory.create()
        for person in DiscloserFactory.create_batch(20, programme=programme):
            ask(person=person, actor=None, now=now())
        in_parallel(lambda: send_queued(now=now()))
        assert len(mailoutbox) == 20
        assert not DisclosureRequest.objects.filter(sent_at=None).exists()

    @pytest.mark.django_db(transaction=True)
    def test_two_clicks_at_once_leave_one_open_request(self) -> None:
        person = DiscloserFactory.create()
        in_parallel(lambda: ask(person=person, actor=None, now=now()))
        assert DisclosureRequest.objects.filter(revoked_at=None).count() == 1


def in_parallel(work: Callable[[], object]) -> None:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class TestStating:
    def test_it_covers_the_24_months_up_to_today_where_the_programme_is(self, mailoutbox: list[EmailMessage]) -> None:
        person = DiscloserFactory.create(programme__timezone="Asia/Kolkata")
        token = asked(mailoutbox, person)
        late = (now() + timedelta(days=1)).replace(hour=20, minute=0)  # the next day in Kolkata
        made = signed(token, ACME, now=late)
        assert made.covers_until == late.date() + timedelta(days=1)
        assert made.covers_from == add_months(made.covers_until, -24)
        assert made.interests == [{"company": "Acme Pharma", "relationship": "speaking", "ended": False}]
        assert made.signed_name == "Ana Ribeiro"
        assert AuditEvent.objects.get(action="disclosure.stated").address == "192.0.2.1"

    def test_it_can_be_stated_anew_with_the_same_link_and_both_are_kept(self, mailoutbox: list[EmailMessage]) -> None:
        token = asked(mailoutbox)
        first, second = signed(token, ACME), signed(token)
        assert list(Disclosure.objects.order_by("pk")) == [first, second]
        assert second.interests == []
        actions = list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))
        assert actions == ["disclosure.asked", "disclosure.stated", "disclosure.stated"]

    def test_pressing_twice_states_it_once(self, mailoutbox: list[EmailMessage]) -> None:
        token = asked(mailoutbox)
        assert signed(token, ACME) == signed(token, ACME)
        assert Disclosure.objects.count() == 1

    def test_without_a_name_or_with_half_a_row_nothing_is_kept(self, mailoutbox: list[EmailMessage]) -> None:
        token = asked(mailoutbox)
        with pytest.raises(disclosures.UnsignedError):
            signed(token, name=" \t ")
        for half in (Interest(" ", "speaking", ended=False), Interest("Acme", "bribery", ended=False)):
            with pytest.raises(disclosures.InterestError):
                signed(token, half)
        with pytest.raises(disclosures.InterestError):
            signed(token, *([ACME] * 41))
        assert not Disclosure.objects.exists()

    def test_a_leaked_link_cannot_fill_the_database(self, mailoutbox: list[EmailMessage]) -> None:
        token = asked(mailoutbox)
        for number in range(disclosures.MOST_AN_HOUR):
            signed(token, name=f"Ana {number}")
        with pytest.raises(disclosures.TooOftenError):
            signed(token, name="Ana again")
        assert Disclosure.objects.count() == disclosures.MOST_AN_HOUR

    @pytest.mark.parametrize("what", ["UPDATE certification_disclosure SET signed_name = 'Other'",
                                      "DELETE FROM certification_disclosure",
                                      "UPDATE certification_disclosurereview SET mitigation = 'Other'",
                                      "DELETE FROM certification_disclosurereview"])  # fmt: skip
    def test_the_database_changes_neither_statements_nor_reviews(self, what: str) -> None:
        disclose(DiscloserFactory.create(), interests=PAID, decision="mitigated", mitigation="Slides reviewed")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(what)


class TestReviewing:
    def test_rows_are_added_and_the_newest_counts(self) -> None:
        person, editor = DiscloserFactory.create(), UserFactory.create()
        stated = disclose(person, interests=PAID)
        at = now()
        review(disclosure=stated, decision="mitigated", mitigation=" Slides reviewed ", actor=editor, now=at)
        review(disclosure=stated, decision="none", mitigation="", actor=editor, now=at + timedelta(seconds=1))
        rows = DisclosureReview.objects.order_by("pk").values_list("decision", "mitigation", "reviewed_by")
        assert list(rows) == [("mitigated", "Slides reviewed", editor.pk), ("none", "", editor.pk)]
        event = AuditEvent.objects.filter(action="disclosure.reviewed").earliest("pk")
        assert (event.actor, event.details["decision"]) == (editor, "mitigated")

    def test_what_is_refused(self) -> None:
        person, editor = DiscloserFactory.create(email="ana@hospital.example"), UserFactory.create()
        old, paid = disclose(person, days=3), disclose(person, interests=PAID)
        given: dict[str, Any] = {"mitigation": "", "actor": editor, "now": now()}
        with pytest.raises(NotNewestError):
            review(disclosure=old, decision="none", **given)
        with pytest.raises(NothingDoneError):
            review(disclosure=paid, decision="mitigated", **given)
        own = UserFactory.create(email="Ana@hospital.example")
        with pytest.raises(OwnStatementError):
            review(disclosure=paid, decision="none", **given | {"actor": own})
        none = disclose(person, days=0)
        with pytest.raises(NothingToMitigateError):
            review(disclosure=none, decision="mitigated", **given | {"mitigation": "Slides"})
        ContributorFactory.create(
            person=person, activity=ActivityFactory.create(lesson__course__programme=person.programme)
        )
        with pytest.raises(StillTeachesError):
            review(disclosure=none, decision="excluded", **given)
        assert not DisclosureReview.objects.exists()


class TestStandings:
    def test_each_of_them(self) -> None:
        programme = ProgrammeFactory.create()
        names = ("missing", "to_review", "fine", "mitigated", "old", "excluded", "anew")
        people = {name: DiscloserFactory.create(programme=programme, name=name) for name in names}
        disclose(people["to_review"])
        disclose(people["fine"], decision="none")
        disclose(people["mitigated"], interests=PAID, decision="mitigated", mitigation="Slides")
        disclose(people["old"], decision="none", days=760)
        disclose(people["excluded"], interests=PAID, decision="excluded")
        disclose(people["anew"], interests=PAID, decision="excluded", days=9)
        disclose(people["anew"])
        found = standings(people=Discloser.objects.all(), on=now().date())
        S = DisclosureStanding  # noqa: N806
        assert {name: found[one.pk] for name, one in people.items()} == {
            "missing": S.MISSING, "to_review": S.TO_REVIEW, "fine": S.FINE, "mitigated": S.FINE, "old": S.OUT_OF_DATE,
            "excluded": S.EXCLUDED, "anew": S.TO_REVIEW,
        }  # fmt: skip

    @pytest.mark.parametrize(("months", "used_for"), [(None, 12), (12, 12), (3, 3)])
    def test_a_statement_is_good_for_the_programme_s_months_to_the_day(self, months: int | None, used_for: int) -> None:
        """What came after it, it does not know: an older one leaves out what the authorities ask about."""
        person = DiscloserFactory.create(programme__statement_months=months)
        made = disclose(person, decision="none")
        last = add_months(made.covers_until, used_for)
        found = [standings(people=Discloser.objects.all(), on=last + timedelta(days=days)) for days in (0, 1)]
        assert found == [{person.pk: DisclosureStanding.FINE}, {person.pk: DisclosureStanding.OUT_OF_DATE}]

    @pytest.mark.parametrize("months", [0, 1, 13])
    def test_the_database_refuses_other_months(self, months: int) -> None:
        programme = ProgrammeFactory.create(statement_months=2)
        wrong = pytest.raises(IntegrityError, match="courses_programme_statement_months")
        with wrong, transaction.atomic():
            Programme.objects.update(statement_months=months)
        programme.refresh_from_db()
        assert programme.statement_months == 2

    def test_each_person_by_the_months_of_their_programme_in_one_query(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        strict, usual = (DiscloserFactory.create(programme__statement_months=months) for months in (2, None))
        for one in (strict, usual):
            disclose(one, decision="none", days=100)
        with django_assert_num_queries(1):
            found = standings(people=Discloser.objects.all(), on=now().date())
        assert found == {strict.pk: DisclosureStanding.OUT_OF_DATE, usual.pk: DisclosureStanding.FINE}

    def test_months_are_counted_back_as_the_rules_count_them(self) -> None:
        days = [date(2027, 12, 1) + timedelta(days=number) for number in range(400)]
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT (day - make_interval(months => 12))::date FROM unnest(%s::date[]) AS day ORDER BY day", [days]
            )
            assert [day for (day,) in cursor.fetchall()] == [add_months(day, -12) for day in days]


class TestPeople:
    def test_presenters_and_moderators_are_taken_over_once(self) -> None:
        ana, ben = UserFactory.create(email="Ana@hospital.example"), UserFactory.create()
        lesson = LessonFactory.create()
        LiveWebinarFactory.create(lesson=lesson, presenters=[ana], moderators=[ana, ben])
        activity = ActivityFactory.create(lesson=lesson, state="draft")
        assert [take_over(activity=activity, now=now()) for _ in range(2)] == [3, 0]
        rows = Contributor.objects.order_by("pk").values_list("person__email", "role")
        assert list(rows) == [
            ("ana@hospital.example", ContributorRole.PRESENTER),
            ("ana@hospital.example", ContributorRole.MODERATOR),
            (ben.email, ContributorRole.MODERATOR),
        ]

    def test_an_address_belongs_to_one_person_of_a_programme(self) -> None:
        known = DiscloserFactory.create(email="ana@hospital.example")
        same = Discloser(programme=known.programme, name="Ana", email=" ANA@hospital.example")
        with pytest.raises(DiscloserError):
            save_person(person=same, actor=None, now=now())
        save_person(
            person=Discloser(programme=ProgrammeFactory.create(), name="Ana", email=known.email), actor=None, now=now()
        )
        assert Discloser.objects.count() == 2


def test_every_decision_has_a_meaning_for_the_standing() -> None:
    assert set(ReviewDecision.values) == {"none", "mitigated", "excluded"}
