"""Activities, accreditations and claims. An activity is open, two days long and has an hour of education."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import factory
from django.utils.timezone import now

from certification.authorities import pack_of
from certification.domain.chain import NewEntry, append, lock_chain
from certification.enums import ActivityState, AuthorityKey, EntryKind, Format
from certification.models import (
    Accreditation,
    Activity,
    CertificateTemplate,
    Claim,
    Contributor,
    Discloser,
    Disclosure,
    DisclosureReview,
    LedgerEntry,
)
from tests.factories.accounts import UserFactory
from tests.factories.courses import LessonFactory, ProgrammeFactory


class ActivityFactory(factory.django.DjangoModelFactory[Activity]):
    class Meta:
        model = Activity

    lesson = factory.SubFactory(LessonFactory)
    format = Format.LIVE
    title = factory.LazyAttribute(lambda activity: f"{activity.lesson.title}, accredited")
    state = ActivityState.OPEN
    starts_at = factory.LazyFunction(lambda: now() - timedelta(days=1))
    ends_at = factory.LazyAttribute(lambda activity: activity.starts_at + timedelta(days=2))
    opened_at = factory.LazyAttribute(lambda activity: activity.starts_at - timedelta(days=30))
    minutes = 60


class AccreditationFactory(factory.django.DjangoModelFactory[Accreditation]):
    class Meta:
        model = Accreditation

    activity = factory.SubFactory(ActivityFactory)
    authority = AuthorityKey.ACCME
    version = factory.LazyAttribute(
        lambda one: pack_of(one.authority, on=(one.activity.starts_at or now()).date()).version
    )
    credits = Decimal("1.00")
    approval_code = "APPROVAL-1"


class DiscloserFactory(factory.django.DjangoModelFactory[Discloser]):
    class Meta:
        model = Discloser

    programme = factory.SubFactory(ProgrammeFactory)
    name = factory.Sequence(lambda n: f"Dr Presenter {n}")
    email = factory.Sequence(lambda n: f"presenter{n}@hospital.example")


class ContributorFactory(factory.django.DjangoModelFactory[Contributor]):
    class Meta:
        model = Contributor

    activity = factory.SubFactory(ActivityFactory)
    person = factory.LazyAttribute(lambda one: DiscloserFactory.create(programme=one.activity.lesson.course.programme))


class ClaimFactory(factory.django.DjangoModelFactory[Claim]):
    """Without a line of the ledger; `grant` makes both."""

    class Meta:
        model = Claim

    accreditation = factory.SubFactory(AccreditationFactory)
    user = factory.SubFactory(UserFactory)
    lesson = factory.LazyAttribute(lambda claim: claim.accreditation.activity.lesson)
    programme = factory.LazyAttribute(lambda claim: claim.lesson.course.programme)
    authority = factory.LazyAttribute(lambda claim: claim.accreditation.authority)
    council = factory.LazyAttribute(lambda claim: claim.accreditation.council)
    took_part_on = factory.LazyFunction(lambda: now().date())
    made_at = factory.LazyFunction(now)


class CertificateTemplateFactory(factory.django.DjangoModelFactory[CertificateTemplate]):
    class Meta:
        model = CertificateTemplate

    programme = factory.SubFactory(ProgrammeFactory)
    version = factory.LazyAttribute(lambda template: template.programme.certificate_templates.count() + 1)
    heading = "Certificate"


PAID = [{"company": "Acme Pharma", "relationship": "speaking", "ended": False}]


def disclose(
    person: Discloser, *, interests: Any = (), decision: str = "", mitigation: str = "", days: int = 1
) -> Disclosure:
    """A statement signed so many days ago, and reviewed where there is a decision."""
    at = now() - timedelta(days=days)
    made: Disclosure = Disclosure.objects.create(
        person=person,
        interests=list(interests),
        covers_from=(at - timedelta(days=730)).date(),
        covers_until=at.date(),
        signed_name=person.name,
        made_at=at,
    )
    if decision:
        DisclosureReview.objects.create(disclosure=made, decision=decision, mitigation=mitigation, reviewed_at=at)
    return made


def grant(*, credit: str = "0.75", at: datetime | None = None, **claim: Any) -> LedgerEntry:
    """A claim and its line; now unless said otherwise."""
    made = ClaimFactory.create(**claim)
    entry = NewEntry(
        kind=EntryKind.CREDIT_GRANTED, user_id=made.user_id, claim_id=made.pk, credits=Decimal(credit), details={"n": 1}
    )
    return append(chain=lock_chain(made.programme), entries=[entry], now=at or now())[0]
