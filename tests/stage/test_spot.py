"""Asking at the door and being let in: the domain."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import RequestFactory
from django.utils.timezone import now

from accounts.models import AuditEvent, Invitation, SignInRequest, User
from courses.domain.enrolment import withdraw
from courses.enums import EnrolmentStatus
from courses.models import Enrolment
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory
from tests.stage.doors import ASKER, ask, live_webinar, moderator_of, open_door, programme_of
from webinars.domain import spot
from webinars.domain.spot_windows import WindowError, change_window, close_window, open_window
from webinars.enums import EventKind, SpotApproval, SpotState
from webinars.models import Registration, RoomEvent, SpotRequest, SpotWindow

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_limits() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def approve(request: SpotRequest, actor: User | None = None) -> SpotRequest:
    return spot.approve(request=request, actor=actor or moderator_of(programme_of(request.window)), now=now())


class TestLettingIn:
    def test_an_approved_doctor_has_an_account_and_a_place(self) -> None:
        window = open_door(live_webinar(needs_registration=True, capacity=1))

        request = approve(ask(window, time_zone="Asia/Calcutta"))

        user = User.objects.get(email="asha@clinic.example")
        assert (request.state, request.user) == (SpotState.APPROVED, user)
        assert (user.get_full_name(), user.timezone, str(user.country)) == ("Asha Menon", "Asia/Kolkata", "IN")
        assert not user.has_usable_password()
        assert Enrolment.objects.get(user=user).programme == programme_of(window)
        assert Registration.objects.filter(user=user, cancelled_at=None).exists()

    def test_approving_twice_counts_once(self) -> None:
        window = open_door()
        request = ask(window)

        approve(request)
        approve(request)

        window.refresh_from_db()
        assert (window.approved_count, User.objects.filter(email=ASKER["email"]).count()) == (1, 1)

    def test_sec_03_no_account_exists_before_somebody_decided(self) -> None:
        ask(open_door())

        assert not User.objects.filter(email=ASKER["email"]).exists()

    def test_who_was_denied_gets_no_account_and_cannot_be_approved_any_more(self) -> None:
        request = ask(open_door())
        spot.deny(request=request, actor=moderator_of(programme_of(request.window)), note="No such number", now=now())

        with pytest.raises(spot.DecidedError):
            approve(request)
        assert not User.objects.filter(email=ASKER["email"]).exists()

    def test_whom_one_lets_in_another_cannot_deny(self) -> None:
        request = approve(ask(open_door()))

        with pytest.raises(spot.DecidedError):
            spot.deny(request=request, actor=moderator_of(programme_of(request.window)), now=now())

    def test_who_lost_their_place_is_not_let_in_by_the_door(self) -> None:
        window = open_door()
        enrolment = EnrolmentFactory.create(user__email=ASKER["email"], programme=programme_of(window))
        withdraw(enrolment=enrolment, now=now())
        request = ask(window)

        with pytest.raises(spot.DisabledAccountError):
            approve(request)

        request.refresh_from_db()
        window.refresh_from_db()
        assert (request.state, window.approved_count) == (SpotState.PENDING, 0)

    def test_sec_03_everything_is_recorded(self) -> None:
        request = approve(ask(open_door()))

        actions = set(AuditEvent.objects.values_list("action", flat=True))

        assert {"spot.asked", "spot.approved", "person.added"} <= actions
        assert AuditEvent.objects.get(action="spot.approved").actor == request.decided_by

    def test_the_address_of_who_decided_is_recorded(self) -> None:
        window = open_door()
        one, two = ask(window), ask(window, email="b@clinic.example", registration_number="9", last_name="B")
        http = RequestFactory().post("/", REMOTE_ADDR="198.51.100.7")
        actor = moderator_of(programme_of(window))

        spot.approve_many(requests=[one], actor=actor, http=http, now=now())
        spot.deny(request=two, actor=actor, http=http, now=now())

        decided = AuditEvent.objects.filter(action__in=("person.added", "spot.approved", "spot.denied"))
        assert set(decided.values_list("action", "address")) == {
            (action, "198.51.100.7") for action in ("person.added", "spot.approved", "spot.denied")
        }

    def test_sec_03_the_number_of_places_holds(self) -> None:
        window = open_door(capacity=1)
        first, second = ask(window), ask(window, email="b@clinic.example", registration_number="9", last_name="B")
        approve(first)

        with pytest.raises(spot.FullError):
            approve(second)

    def test_sec_03_a_country_has_no_more_than_its_places(self) -> None:
        window = open_door(country_quota={"IN": 1})
        approve(ask(window))

        with pytest.raises(spot.QuotaError):
            approve(ask(window, email="b@clinic.example", registration_number="9", last_name="B"))
        kenyan = ask(window, email="c@clinic.example", registration_number="8", last_name="C", country="KE")
        assert approve(kenyan).state == SpotState.APPROVED

    def test_of_many_the_earliest_are_let_in_and_the_others_told(self) -> None:
        window = open_door(capacity=2)
        requests = [
            ask(window, email=f"{n}@clinic.example", registration_number=str(n), last_name=str(n)) for n in range(3)
        ]

        many = spot.approve_many(requests=reversed(requests), actor=moderator_of(programme_of(window)), now=now())

        assert many.approved == 2
        assert [(one.pk, text) for one, text in many.refused] == [(requests[2].pk, "All places at the door are taken.")]


class TestRules:
    def test_everybody_is_let_in_while_there_is_room(self) -> None:
        window = open_door(approval=SpotApproval.EVERYBODY, capacity=1)

        first = ask(window)
        window.refresh_from_db()

        assert (first.state, window.approved_count) == (SpotState.APPROVED, 1)
        with pytest.raises(spot.DoorClosedError):
            ask(window, email="b@clinic.example", registration_number="9", last_name="B")

    def test_a_listed_domain_is_let_in_another_waits(self) -> None:
        window = open_door(approval=SpotApproval.DOMAIN, email_domains=["clinic.example"])

        assert ask(window).state == SpotState.APPROVED
        other = ask(window, email="x@notclinic.example", registration_number="9", last_name="B")
        assert other.state == SpotState.PENDING

    def test_a_possible_double_waits_for_a_person(self) -> None:
        UserFactory.create(medical_council="kmc", registration_number="48-213")
        window = open_door(approval=SpotApproval.EVERYBODY)

        request = ask(window)

        assert request.state == SpotState.PENDING
        assert "Same council and registration number" in request.duplicate_reason

    def test_sec_03_whom_a_rule_let_in_enters_by_their_mailbox(self) -> None:
        """Nobody has looked: the address itself is all there is, so it has to be theirs."""
        window = open_door(approval=SpotApproval.EVERYBODY)
        ticket = spot.ask_to_be_let_in(window=window, asker=spot.Asker(**ASKER), address="192.0.2.7", now=now())

        with pytest.raises(spot.TicketError):
            spot.enter_with_ticket(window=window, ticket=ticket, now=now())
        assert Invitation.objects.unsent().filter(user__email=ASKER["email"]).count() == 1


class TestDoubles:
    @pytest.mark.parametrize(
        ("known", "words"),
        [
            ({"email": ASKER["email"]}, "Has an account with this e-mail address."),
            ({"medical_council": "K.M.C.", "registration_number": "48213"}, "Same council and registration number as"),
            ({"first_name": "ASHA", "last_name": "menon", "country": "IN"}, "Same name and country as"),
        ],
    )
    def test_a_known_person_is_named_in_words(self, known: dict[str, Any], words: str) -> None:
        user = UserFactory.create(**{"country": "KE"} | known)

        request = ask(open_door())

        assert request.duplicate_of == user
        assert words in request.duplicate_reason

    def test_somebody_else_in_the_queue_is_named(self) -> None:
        window = open_door()
        ask(window)

        request = ask(window, email="other@clinic.example", first_name="Another")

        assert "as another request: asha@clinic.example" in request.duplicate_reason

    def test_a_stranger_is_nobodys_double(self) -> None:
        UserFactory.create(first_name="Asha", last_name="Menon", country="KE", registration_number="48213")

        request = ask(open_door())

        assert (request.duplicate_of, request.duplicate_reason) == (None, "")


class TestTickets:
    def test_sec_03_the_ticket_opens_once_and_only_after_a_person_decided(self) -> None:
        window = open_door()
        ticket = spot.ask_to_be_let_in(window=window, asker=spot.Asker(**ASKER), address="192.0.2.7", now=now())
        with pytest.raises(spot.TicketError):
            spot.enter_with_ticket(window=window, ticket=ticket, now=now())
        request = spot.find_ticket(window=window, ticket=ticket)
        assert request is not None
        approve(request)

        assert spot.enter_with_ticket(window=window, ticket=ticket, now=now()).email == ASKER["email"]

        with pytest.raises(spot.TicketError):
            spot.enter_with_ticket(window=window, ticket=ticket, now=now())

    def test_sec_04_a_ticket_never_opens_an_account_that_was_there_before(self) -> None:
        UserFactory.create(email=ASKER["email"])
        window = open_door()
        ticket = spot.ask_to_be_let_in(window=window, asker=spot.Asker(**ASKER), address="192.0.2.7", now=now())
        request = spot.find_ticket(window=window, ticket=ticket)
        assert request is not None
        approve(request)

        with pytest.raises(spot.TicketError):
            spot.enter_with_ticket(window=window, ticket=ticket, now=now())

    def test_sec_04_nor_one_that_somebody_made_while_the_request_waited(self) -> None:
        """An import, or another door: it was made for its owner, not for whoever waits in this browser."""
        window = open_door()
        ticket = spot.ask_to_be_let_in(window=window, asker=spot.Asker(**ASKER), address="192.0.2.7", now=now())
        UserFactory.create(email=ASKER["email"])
        request = spot.find_ticket(window=window, ticket=ticket)
        assert request is not None
        approve(request)

        with pytest.raises(spot.TicketError):
            spot.enter_with_ticket(window=window, ticket=ticket, now=now())

    def test_asking_again_goes_on_waiting_and_the_old_ticket_ends(self) -> None:
        window = open_door()
        asker = spot.Asker(**ASKER)
        old = spot.ask_to_be_let_in(window=window, asker=asker, address="192.0.2.7", now=now())

        new = spot.ask_to_be_let_in(window=window, asker=asker, address="192.0.2.7", now=now())

        assert spot.find_ticket(window=window, ticket=old) is None
        assert spot.find_ticket(window=window, ticket=new) == SpotRequest.objects.get()

    def test_asking_for_somebodys_address_with_other_particulars_waits_for_nothing(self) -> None:
        window = open_door()
        mine = ask(window)

        theirs = spot.ask_to_be_let_in(
            window=window, asker=spot.Asker(**ASKER | {"registration_number": "666"}), address="192.0.2.8", now=now()
        )

        mine.refresh_from_db()
        assert spot.find_ticket(window=window, ticket=theirs) is None
        assert "asked again for this address" in mine.duplicate_reason

    def test_sec_03_the_ticket_of_one_door_opens_no_other(self) -> None:
        window, other = open_door(), open_door()
        ticket = spot.ask_to_be_let_in(window=window, asker=spot.Asker(**ASKER), address="192.0.2.7", now=now())

        assert spot.find_ticket(window=other, ticket=ticket) is None

    def test_sec_04_known_and_unknown_addresses_leave_the_same_traces(self) -> None:
        UserFactory.create(email="known@clinic.example", first_name="Ka", registration_number="1")
        window = open_door()

        def traces(email: str) -> tuple[int, int, int]:
            before = (SpotRequest.objects.count(), SignInRequest.objects.count(), AuditEvent.objects.count())
            ask(window, email=email, registration_number=email, last_name=email)
            after = (SpotRequest.objects.count(), SignInRequest.objects.count(), AuditEvent.objects.count())
            return after[0] - before[0], after[1] - before[1], after[2] - before[2]

        assert traces("known@clinic.example") == traces("nobody@clinic.example") == (1, 1, 2)


class TestLimits:
    def test_sec_33_one_address_cannot_fill_the_queue_and_a_hall_can_ask(self) -> None:
        window = open_door(capacity=5_000)
        asker = spot.Asker(**ASKER)
        for _ in range(600):
            assert spot.ASKS_PER_ADDRESS.hit(f"{window.pk}:192.0.2.7")

        with pytest.raises(spot.DoorBusyError) as busy:
            spot.ask_to_be_let_in(window=window, asker=asker, address="192.0.2.7", now=now())

        assert busy.value.retry_after_seconds > 60
        spot.ask_to_be_let_in(window=window, asker=asker, address="192.0.2.8", now=now())

    def test_one_mailbox_is_written_to_five_times_at_most(self) -> None:
        window = open_door()
        for _ in range(5):
            ask(window)

        with pytest.raises(spot.DoorBusyError):
            ask(window)


class TestWindows:
    def window(self, **given: Any) -> SpotWindow:
        values: dict[str, Any] = {
            "opens_at": now() + timedelta(hours=1),
            "closes_at": now() + timedelta(hours=3),
            "capacity": 50,
        } | given
        return SpotWindow(webinar=values.pop("webinar", None) or live_webinar(), **values)

    def test_sec_03_a_door_opens_and_closes_by_itself(self) -> None:
        window = open_window(window=self.window(), actor=UserFactory.create(), now=now())

        doors = [spot.door_of(window, now=now() + timedelta(hours=hours)) for hours in (0, 2, 4)]

        assert doors == [spot.Door.NOT_YET, spot.Door.OPEN, spot.Door.CLOSED]
        assert len(window.slug) >= 16

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({"closes_at": now() + timedelta(minutes=30)}, "closes_at"),
            ({"opens_at": now() - timedelta(hours=3), "closes_at": now() - timedelta(hours=2)}, "closes_at"),
            ({"capacity": 0}, "capacity"),
            ({"country_quota": {"XX": 3}}, "country_quota"),
            ({"country_quota": {"IN": -1}}, "country_quota"),
            ({"email_domains": ["@clinic"]}, "email_domains"),
        ],
    )
    def test_nonsense_is_refused_in_words(self, given: dict[str, Any], field: str) -> None:
        with pytest.raises(WindowError) as refused:
            open_window(window=self.window(**given), actor=None, now=now())

        assert list(refused.value.problems) == [field]

    def test_there_are_never_fewer_places_than_people_who_were_let_in(self) -> None:
        window = open_door()
        approve(ask(window))
        window.refresh_from_db()
        window.capacity = 0

        with pytest.raises(WindowError):
            change_window(window=window, actor=None, now=now())

    def test_a_door_is_closed_at_once_and_that_is_recorded(self) -> None:
        window = open_door()

        closed = close_window(window=window, actor=UserFactory.create(), now=now())

        assert spot.door_of(closed, now=now()) == spot.Door.CLOSED
        with pytest.raises(spot.DoorClosedError):
            ask(closed)
        assert AuditEvent.objects.filter(action="spot.window_closed").exists()

    def test_a_door_that_was_not_open_yet_can_be_closed(self) -> None:
        window = open_window(window=self.window(), actor=None, now=now())

        assert spot.door_of(close_window(window=window, actor=None, now=now()), now=now()) == spot.Door.CLOSED


@pytest.mark.django_db(transaction=True)
class TestTogether:
    def test_moderators_hear_the_length_of_the_queue(self) -> None:
        window = open_door(capacity=7)

        ask(window)

        event = RoomEvent.objects.get(webinar=window.webinar, kind=EventKind.SPOT_QUEUE)
        assert (event.audience, event.payload) == ("moderators", {"pending": 1, "approved": 0, "capacity": 7})

    def test_sec_03_many_moderators_at_the_last_place_let_one_in(self) -> None:
        window = open_door(capacity=1)
        requests = [
            ask(window, email=f"{n}@clinic.example", registration_number=str(n), last_name=str(n)) for n in range(12)
        ]
        actor = moderator_of(programme_of(window))
        start, outcomes = threading.Barrier(len(requests)), []

        def decide(request: SpotRequest) -> None:
            try:
                start.wait(30)
                spot.approve(request=request, actor=actor, now=now())
                outcomes.append("in")
            except spot.FullError:
                outcomes.append("full")
            finally:
                connection.close()

        threads = [threading.Thread(target=decide, args=(one,)) for one in requests]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)

        window.refresh_from_db()
        assert sorted(outcomes) == ["full"] * 11 + ["in"]
        assert (window.approved_count, SpotRequest.objects.filter(state=SpotState.APPROVED).count()) == (1, 1)
        assert Enrolment.objects.filter(status=EnrolmentStatus.INVITED).count() == 1

    def test_one_address_asked_for_by_many_at_once_is_one_request(self) -> None:
        window = open_door()
        start = threading.Barrier(4)

        def try_it() -> None:
            try:
                start.wait(30)
                spot.ask_to_be_let_in(window=window, asker=spot.Asker(**ASKER), address="192.0.2.7", now=now())
            finally:
                connection.close()

        threads = [threading.Thread(target=try_it) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)

        assert SpotRequest.objects.filter(window=window).count() == 1
