from datetime import UTC, datetime

import pytest

from accounts.enums import Role
from accounts.models import AuditEvent, User
from courses.domain.bulk import UnreadableFileError, addresses_of_csv, enrol_planned, plan_enrolment
from courses.enums import EnrolmentStatus
from courses.models import Enrolment, Programme
from tests.factories.accounts import UserFactory
from tests.factories.courses import CohortFactory, EnrolmentFactory, ProgrammeFactory, RoleGrantFactory

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def programme() -> Programme:
    one: Programme = ProgrammeFactory()
    return one


@pytest.fixture
def operator() -> User:
    user: User = RoleGrantFactory(role=Role.OPERATOR, programme=None).user
    return user


@pytest.mark.django_db
def test_every_address_ends_up_in_exactly_one_list(programme: Programme, operator: User) -> None:
    new = UserFactory(email="new@example.org")
    enrolled = EnrolmentFactory(programme=programme, user__email="enrolled@example.org")
    elsewhere = EnrolmentFactory(user__email="elsewhere@example.org")
    UserFactory(email="disabled@example.org", is_active=False)
    UserFactory(email="bystander@example.org")
    text = """Dr New <NEW@example.org>, enrolled@example.org; elsewhere@example.org
        new@example.org  disabled@example.org\tunknown@example.org
        not@an@address  half@  (unknown@example.org)."""
    plan = plan_enrolment(programme=programme, text=text, actor=operator)
    assert set(plan.new) == {new, elsewhere.user}
    assert plan.enrolled == (enrolled,)
    assert plan.unknown == ("unknown@example.org",)
    assert plan.inactive == ("disabled@example.org",)
    assert plan.unreadable == ("half@", "not@an@address")


@pytest.mark.django_db
def test_what_was_planned_is_done_to_nobody_else(programme: Programme, operator: User) -> None:
    cohort = CohortFactory(programme=programme)
    new, other = UserFactory(), UserFactory()
    known = EnrolmentFactory(programme=programme, status=EnrolmentStatus.SUSPENDED)
    enrolled = enrol_planned(
        programme=programme,
        text=f"{new.email} {known.user.email} nobody@example.org",
        cohort=cohort,
        status=EnrolmentStatus.INVITED,
        actor=operator,
        now=NOW,
    )
    assert enrolled.created == {new.pk}
    rows = set(Enrolment.objects.values_list("user_id", "status", "cohort_id"))
    assert rows == {(new.pk, "invited", cohort.pk), (known.user_id, "suspended", None)}
    assert other.pk not in {row[0] for row in rows}


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.MODERATOR, Role.OPERATOR])
def test_sec_19_staff_of_one_programme_find_only_the_people_of_theirs(programme: Programme, role: str) -> None:
    second = ProgrammeFactory()
    actor = RoleGrantFactory(programme=programme, role=role).user
    RoleGrantFactory(programme=second, role=role, user=actor)
    here = EnrolmentFactory(programme=programme)
    colleague = EnrolmentFactory(programme=second).user
    presenter = RoleGrantFactory(programme=second, role=Role.PRESENTER).user
    gone = EnrolmentFactory(programme=second, user__is_active=False).user
    strangers = [
        EnrolmentFactory().user,
        RoleGrantFactory(role=Role.PRESENTER).user,
        RoleGrantFactory(role=Role.AUDITOR, programme=None).user,
        UserFactory(is_active=False),
        UserFactory(),
    ]
    addresses = {one.email for one in strangers} | {"absent@example.org"}
    text = "\n".join([*addresses, here.user.email, colleague.email, presenter.email, gone.email])
    plan = plan_enrolment(programme=programme, text=text, actor=actor)
    assert set(plan.new) == {colleague, presenter}
    assert plan.enrolled == (here,)
    assert plan.inactive == (gone.email,)
    assert set(plan.unknown) == addresses
    enrolled = enrol_planned(programme=programme, text=text, cohort=None, status="invited", actor=actor, now=NOW)
    assert enrolled.created == {colleague.pk, presenter.pk}
    event = AuditEvent.objects.get(action="enrolment.bulk")
    assert (event.actor, event.details["created"]) == (actor, 2)


@pytest.mark.django_db
def test_the_plan_costs_the_same_for_one_and_for_many(
    programme: Programme, operator: User, django_assert_num_queries: object
) -> None:
    assert callable(django_assert_num_queries)
    people = [EnrolmentFactory(programme=programme).user for _ in range(3)] + [UserFactory() for _ in range(3)]
    for number in (1, 6):
        with django_assert_num_queries(3):
            text = "\n".join(user.email for user in people[:number])
            plan_enrolment(programme=programme, text=text, actor=operator)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"email\na@x.org\nb@x.org\n", ["a@x.org", "b@x.org"]),
        (b"\xef\xbb\xbfName;E-Mail\r\nNair;a@x.org\r\n", ["a@x.org"]),
        (b'Name,Email\n"Nair, Meera",a@x.org\n"short row"\n', ["a@x.org"]),
        (b"a@x.org\nb@x.org", ["a@x.org", "b@x.org"]),
        (b"email\n", []),
    ],
)
def test_csv_as_spreadsheets_save_it(content: bytes, found: list[str]) -> None:
    assert addresses_of_csv(content).split() == found


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"Name,Phone\nNair,123\n", "name a column"),
        (b"", "name a column"),
        ("email\nJosé@x.org".encode("latin-1"), "not UTF-8"),
        (b"PK\x03\x04\x00\x00email", "not a CSV"),
        (b"email\n" + b'"' + b"x" * 200_000, "cannot be read"),
    ],
)
def test_an_unreadable_file_says_why(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFileError, match=reason):
        addresses_of_csv(content)
