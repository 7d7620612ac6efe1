"""The campaign desk in the office: who comes to it, what it counts and shows, and what happens only after a yes."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from django_redis import get_redis_connection

from accounts.enums import Role
from accounts.models import AuditEvent, User
from courses.models import Enrolment
from reminders.domain.campaigns import run_due
from reminders.enums import CampaignState, DeliveryState
from reminders.models import Campaign, Delivery
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory, RoleGrantFactory
from tests.reminders.factories import CampaignFactory, DeliveryFactory, Scene, scene
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db
DESK = "/admin/reminders/campaign/"
SUBJECT, BODY = "texts.en.email.subject", "texts.en.email.body"


@pytest.fixture(autouse=True)
def clean_redis() -> None:
    get_redis_connection("default").flushdb()


@pytest.fixture
def there() -> Scene:
    """Two doctors; three of another programme."""
    found = scene(doctors=2)
    User.objects.filter(pk=found.doctors[1].pk).update(country="KE")
    scene(doctors=3)
    return found


@pytest.fixture
def draft(there: Scene) -> Campaign:
    return CampaignFactory.create(programme=there.programme)


def staff(there: Scene, role: Role = Role.MODERATOR) -> Client:
    return signed_in(RoleGrantFactory.create(role=role, programme=there.programme).user)


def typed(**changed: Any) -> dict[str, Any]:
    given = {"title": "News", "path": "", "first": "email", SUBJECT: "News", BODY: "Dear {{ doctor.name }}."}
    return given | {"audience.places": ["active", "completed"]} | changed


def text_of(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


class TestWritten:
    def test_begun_for_a_programme_of_ones_own(self, there: Scene) -> None:
        other = scene().programme
        browser = staff(there)

        assert browser.post(f"{DESK}add/", {"title": "News", "programme": other.pk}).status_code == 200
        assert not Campaign.objects.exists()
        answer = browser.post(f"{DESK}add/", {"title": "News", "programme": there.programme.pk})
        made = Campaign.objects.get()
        assert answer["Location"] == f"{DESK}{made.pk}/change/"
        assert (made.programme, made.channels, made.state) == (there.programme, ["email"], "draft")

    def test_begun_for_those_who_stopped_at_a_step(self, there: Scene) -> None:
        late = EnrolmentFactory.create(programme=there.programme, status="invited", activated_at=None)
        Enrolment.objects.exclude(pk=late.pk).update(activated_at=now())
        browser, other = staff(there), scene().programme
        page = browser.get(f"{DESK}add/?programme={there.programme.pk}&step=invited").content.decode()
        for value in (there.programme.pk, "invited"):
            assert f'<option value="{value}" selected>' in page
        strange = browser.get(f"{DESK}add/?programme={other.pk}&step=nonsense").content.decode()
        assert "selected>" not in strange.replace('<option value="" selected>', "")
        given = {"title": "Come in", "programme": there.programme.pk}
        assert browser.post(f"{DESK}add/", given | {"step": "nonsense"}).status_code == 200
        browser.post(f"{DESK}add/", given | {"step": "invited"})
        made = Campaign.objects.get()
        assert made.audience == {"places": ["invited", "active", "completed"], "step": "invited"}
        page = text_of(browser.get(f"{DESK}{made.pk}/change/"))
        assert late.user.get_full_name() in page
        assert there.doctors[0].get_full_name() not in page

    @pytest.mark.parametrize("reason", ["any", "never_came"])
    def test_begun_for_those_at_risk(self, there: Scene, reason: str) -> None:
        late = EnrolmentFactory.create(
            programme=there.programme, status="invited", enrolled_at=now() - timedelta(days=20), activated_at=None
        )
        Enrolment.objects.exclude(pk=late.pk).update(activated_at=now())
        browser = staff(there)
        page = browser.get(f"{DESK}add/?programme={there.programme.pk}&risk={reason}").content.decode()
        assert f'<option value="{reason}" selected>' in page
        given = {"title": "Come in", "programme": there.programme.pk}
        assert browser.post(f"{DESK}add/", given | {"risk": "nonsense"}).status_code == 200
        browser.post(f"{DESK}add/", given | {"risk": reason, "step": "invited"})
        made = Campaign.objects.get()
        assert made.audience == {"places": ["invited", "active"], "step": "invited", "risk": reason}
        page = text_of(browser.get(f"{DESK}{made.pk}/change/"))
        assert late.user.get_full_name() in page
        assert there.doctors[0].get_full_name() not in page

    def test_saved(self, there: Scene, draft: Campaign) -> None:
        course = there.webinar.lesson.course
        given = typed(**{
            "audience.countries": ["KE"], "audience.webinar": there.webinar.pk, "audience.registered": "no",
            "audience.courses_not_completed": [course.pk], "audience.signed_in_within_days": "30", "second": "inbox",
            "texts.en.inbox.subject": "News", "texts.en.inbox.body": "News",
        })  # fmt: skip
        answer = staff(there).post(f"{DESK}{draft.pk}/change/", given)

        assert answer.status_code == 302
        draft.refresh_from_db()
        assert draft.audience == {
            "places": ["active", "completed"], "countries": ["KE"], "webinar": there.webinar.pk, "registered": "no",
            "courses_not_completed": [course.pk], "signed_in_within_days": 30,
        }  # fmt: skip
        assert draft.channels == ["email", "inbox"]
        assert draft.texts["en"]["email"] == {"subject": "News", "body": "Dear {{ doctor.name }}."}

    def test_what_was_saved_stands_in_the_form_again(self, there: Scene, draft: Campaign) -> None:
        browser = staff(there)
        browser.post(f"{DESK}{draft.pk}/change/", typed(**{"audience.countries": ["KE"]}))
        page = browser.get(f"{DESK}{draft.pk}/change/")

        boxes = {box.data["value"]: box.data["selected"] for box in page.context["form"]["audience.countries"]}
        assert boxes == {"IN": False, "KE": True}
        assert "Dear {{ doctor.name }}." in page.content.decode()

    def test_no_filter_that_holds_is_out_of_sight(self, there: Scene, draft: Campaign) -> None:
        browser = staff(there)
        page = browser.get(f"{DESK}{draft.pk}/change/")
        assert (page.context["form"].asks_webinar, page.context["form"].asks_learning) == (False, False)
        given = {"audience.webinar": there.webinar.pk, "audience.certificate": "no"}
        browser.post(f"{DESK}{draft.pk}/change/", typed(**given))
        page = browser.get(f"{DESK}{draft.pk}/change/")

        assert (page.context["form"].asks_webinar, page.context["form"].asks_learning) == (True, True)

    def test_a_placeholder_that_nobody_knows_is_told(self, there: Scene, draft: Campaign) -> None:
        answer = staff(there).post(f"{DESK}{draft.pk}/change/", typed(**{BODY: "{{ doctor.nane }}"}))

        assert answer.status_code == 200
        assert "Is it “doctor.name”?" in text_of(answer)
        draft.refresh_from_db()
        assert draft.title != "News"


class TestLook:
    def test_a_number_and_examples_of_this_programme_alone(self, there: Scene, draft: Campaign) -> None:
        answer = staff(there).post(f"{DESK}{draft.pk}/look/", typed(**{"audience.countries": ["KE"]}))

        assert answer.context["number"] == 1
        there.doctors[1].refresh_from_db()
        assert [one.name for one in answer.context["examples"]] == [there.doctors[1].get_full_name()]
        assert "1 doctor today" in text_of(answer)
        assert "There is news." not in text_of(answer)  # the typed words, not the saved ones

    def test_at_most_ten_examples(self, there: Scene, draft: Campaign) -> None:
        EnrolmentFactory.create_batch(12, programme=there.programme)
        answer = staff(there).get(f"{DESK}{draft.pk}/change/")

        assert answer.context["number"] == 14
        assert len(answer.context["examples"]) == 10

    def test_as_a_doctor_of_this_programme_and_of_no_other(self, there: Scene, draft: Campaign) -> None:
        browser = staff(there)
        mine = browser.post(f"{DESK}{draft.pk}/look/", typed(doctor=there.doctors[0].email))
        foreign = EnrolmentFactory.create().user
        other = browser.post(f"{DESK}{draft.pk}/look/", typed(doctor=foreign.email))
        absent = browser.post(f"{DESK}{draft.pk}/look/", typed(doctor="nobody@example.org"))

        assert there.doctors[0].get_full_name() in mine.content.decode()
        assert foreign.get_full_name() not in other.content.decode()
        assert text_of(other) == text_of(absent)

    def test_sec_32_whose_data_was_looked_at_is_on_record_once(self, there: Scene, draft: Campaign) -> None:
        browser = staff(there)
        for _ in range(2):
            browser.post(f"{DESK}{draft.pk}/look/", typed(doctor=there.doctors[0].email))
        events = AuditEvent.objects.filter(action__startswith="campaign.").exclude(action="campaign.saved")
        assert [(one.action, one.subject_id, one.details) for one in events.order_by("pk")] == [
            ("campaign.doctor_looked", str(there.doctors[0].pk), {"campaign": draft.pk}),
            ("campaign.looked", str(draft.pk), {"doctors": len(there.doctors)}),
        ]

    def test_things_of_another_programme_are_not_counted(self, there: Scene, draft: Campaign) -> None:
        other = scene(doctors=1)
        answer = staff(there).post(f"{DESK}{draft.pk}/look/", typed(**{"audience.webinar": other.webinar.pk}))

        assert "Select a valid choice" in text_of(answer)
        assert answer.context["number"] == 2  # of what is saved

    def test_who_asks_without_end_waits(self, there: Scene, draft: Campaign) -> None:
        browser = staff(there)
        told = [browser.post(f"{DESK}{draft.pk}/look/", {"title": ""}).status_code for _number in range(61)]

        assert told == [*[200] * 60, 429]


class TestSent:
    def test_only_after_a_sentence_and_a_yes(self, there: Scene, draft: Campaign) -> None:
        browser = staff(there)
        at = f"{now() + timedelta(days=3):%Y-%m-%d}T09:00"
        shown = browser.post(f"{DESK}{draft.pk}/schedule/", {"local_at": at, "_look": "1"})

        assert "03:30 UTC: 2 doctors." in text_of(shown)
        draft.refresh_from_db()
        assert draft.state == CampaignState.DRAFT
        answer = browser.post(f"{DESK}{draft.pk}/schedule/", {"local_at": at, "_confirm": "1"})
        draft.refresh_from_db()
        assert (answer.status_code, draft.state, draft.local_at) == (302, CampaignState.SCHEDULED, at)
        again = browser.post(f"{DESK}{draft.pk}/schedule/", {"local_at": "", "_confirm": "1"})
        assert again.status_code == 302
        draft.refresh_from_db()
        assert draft.local_at == at

    @pytest.mark.parametrize("local_at", ["2020-01-01T09:00", "tomorrow", "9999-12-31T23:59"])
    def test_an_hour_that_is_none(self, local_at: str, there: Scene, draft: Campaign) -> None:
        for button in ("_look", "_confirm"):
            answer = staff(there).post(f"{DESK}{draft.pk}/schedule/", {"local_at": local_at, button: "1"})
            assert answer.status_code == 200
        draft.refresh_from_db()
        assert draft.state == CampaignState.DRAFT

    def test_not_while_the_programme_sends_nothing(self, there: Scene, draft: Campaign) -> None:
        there.policy.is_on = False
        there.policy.save()
        answer = staff(there).post(f"{DESK}{draft.pk}/schedule/", {"local_at": "", "_confirm": "1"})

        assert "switch them on first" in text_of(answer)
        draft.refresh_from_db()
        assert draft.state == CampaignState.DRAFT

    def test_stopped_after_a_yes(self, there: Scene, draft: Campaign) -> None:
        browser = staff(there)
        browser.post(f"{DESK}{draft.pk}/schedule/", {"local_at": "", "_confirm": "1"})
        run_due(now=now())
        asked = browser.get(f"{DESK}{draft.pk}/stop/")

        assert "2 messages are planned" in text_of(asked)
        assert Delivery.objects.filter(state=DeliveryState.PLANNED).count() == 2
        browser.post(f"{DESK}{draft.pk}/stop/")
        draft.refresh_from_db()
        assert draft.state == CampaignState.STOPPED
        assert not Delivery.objects.exclude(state=DeliveryState.SKIPPED).exists()

    def test_back_to_the_draft(self, there: Scene, draft: Campaign) -> None:
        browser = staff(there)
        at = f"{now() + timedelta(days=30):%Y-%m-%d}T09:00"
        browser.post(f"{DESK}{draft.pk}/schedule/", {"local_at": at, "_confirm": "1"})
        browser.post(f"{DESK}{draft.pk}/take-back/")
        draft.refresh_from_db()

        assert draft.state == CampaignState.DRAFT

    def test_what_is_on_its_way_is_not_changed_by_an_old_tab(self, there: Scene, draft: Campaign) -> None:
        browser = staff(there)
        browser.post(f"{DESK}{draft.pk}/schedule/", {"local_at": "", "_confirm": "1"})
        browser.post(f"{DESK}{draft.pk}/change/", typed())
        draft.refresh_from_db()

        assert draft.title != "News"


class TestResults:
    def made(self, there: Scene, **values: Any) -> Campaign:
        row = CampaignFactory.create(
            programme=there.programme, state=CampaignState.DONE, started_at=now(), ended_at=now()
        )
        DeliveryFactory.create(
            programme=there.programme, campaign=row, state=DeliveryState.SENT, kind="campaign", **values
        )
        return row

    def test_what_is_not_known_is_said(self, there: Scene) -> None:
        row = self.made(there, user=there.doctors[0])
        page = text_of(staff(there).get(f"{DESK}{row.pk}/change/"))

        assert page.count("not told") >= 2
        assert "They may have come without it." in page

    def test_the_file_is_for_operators_and_on_record(self, there: Scene) -> None:
        odd = UserFactory.create(title="", first_name="=1+1", last_name="X")
        row = self.made(there, user=odd)

        assert staff(there).get(f"{DESK}{row.pk}/results/").status_code == 403
        answer = staff(there, Role.OPERATOR).get(f"{DESK}{row.pk}/results/")
        lines = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
        assert len(lines) == 2
        assert lines[1].startswith("'=1+1 X,")
        assert AuditEvent.objects.filter(action="campaign.exported").count() == 1

    @pytest.mark.parametrize("state", [one for one in CampaignState if one != CampaignState.DRAFT])
    def test_every_state_says_where_it_is(self, state: CampaignState, there: Scene) -> None:
        row = CampaignFactory.create(
            programme=there.programme, title="News", state=state, scheduled_at=now(), ended_at=now(),
            why_stopped="The programme is not published." if state == CampaignState.STOPPED else "",
        )  # fmt: skip
        if state not in {CampaignState.SCHEDULED, CampaignState.STOPPED}:
            left = DeliveryState.PLANNED if state == CampaignState.RUNNING else DeliveryState.SENT
            DeliveryFactory.create(programme=there.programme, campaign=row, state=left)
            DeliveryFactory.create(programme=there.programme, campaign=row, state=DeliveryState.SENT)
        page = text_of(staff(there).get(f"{DESK}{row.pk}/change/"))

        said = {
            CampaignState.SCHEDULED: "Scheduled. Nothing has left yet. At once: 2 doctors.",
            CampaignState.RUNNING: "Being sent. 1 doctor waits for the hour or the next channel.",
            CampaignState.DONE: "Meant when it began 2 Sent to 2",
            CampaignState.STOPPED: "nobody got it: The programme is not published.",
        }
        assert [one for one, words in said.items() if words in page] == [state]

    def test_what_would_stop_it_is_said_while_it_waits(self, there: Scene) -> None:
        row = CampaignFactory.create(programme=there.programme, state=CampaignState.SCHEDULED, scheduled_at=now())
        there.policy.is_on = False
        there.policy.save()
        page = text_of(staff(there).get(f"{DESK}{row.pk}/change/"))

        assert "it would be stopped instead of sent: The programme sends no messages" in page

    def test_the_page_asks_for_its_part(self, there: Scene) -> None:
        row = self.made(there, user=there.doctors[0])
        answer = staff(there).get(f"{DESK}{row.pk}/change/?part=1")

        assert next(one.name for one in answer.templates) == "admin/reminders/campaign/_results.html"
        assert "<html" not in answer.content.decode()
        assert "data-under-way" not in answer.content.decode()


class TestDrafts:
    def test_deleted_after_a_yes(self, there: Scene, draft: Campaign) -> None:
        browser = staff(there)
        asked = browser.get(f"{DESK}{draft.pk}/discard/")
        assert "Delete this draft?" in text_of(asked)
        assert Campaign.objects.filter(pk=draft.pk).exists()
        answer = browser.post(f"{DESK}{draft.pk}/discard/")
        assert answer["Location"] == DESK
        assert not Campaign.objects.filter(pk=draft.pk).exists()

    def test_what_was_sent_is_not_deleted(self, there: Scene) -> None:
        row = CampaignFactory.create(programme=there.programme, state=CampaignState.DONE, ended_at=now())
        browser = staff(there)
        page = f"{DESK}{row.pk}/change/"

        assert browser.get(f"{DESK}{row.pk}/discard/")["Location"] == page
        assert browser.post(f"{DESK}{row.pk}/discard/")["Location"] == page
        assert Campaign.objects.filter(pk=row.pk).exists()

    def test_copied_to_a_draft_that_is_open_then(self, there: Scene) -> None:
        row = CampaignFactory.create(programme=there.programme, title="News", state=CampaignState.DONE, ended_at=now())
        answer = staff(there).post(f"{DESK}{row.pk}/copy/")
        made = Campaign.objects.exclude(pk=row.pk).get()

        assert answer["Location"] == f"{DESK}{made.pk}/change/"
        assert (made.title, made.state, made.texts) == ("Copy of News", CampaignState.DRAFT, row.texts)

    def test_the_wait_for_the_next_channel_is_saved(self, there: Scene, draft: Campaign) -> None:
        browser = staff(there)
        given = typed(second="inbox", fallback_minutes="60", **{
            "texts.en.inbox.subject": "News", "texts.en.inbox.body": "News",
        })  # fmt: skip
        browser.post(f"{DESK}{draft.pk}/change/", given)
        draft.refresh_from_db()
        assert (draft.channels, draft.fallback_minutes) == (["email", "inbox"], 60)
        page = browser.get(f"{DESK}{draft.pk}/change/")
        assert page.context["form"]["fallback_minutes"].value() == 60
        refused = browser.post(f"{DESK}{draft.pk}/change/", typed(fallback_minutes="60"))
        assert "There is no next channel to wait for." in text_of(refused)


class TestForeign:
    @pytest.mark.parametrize("page", ["change", "look", "schedule", "stop", "take-back", "results", "copy", "discard"])
    def test_another_programmes_campaign_is_not_there(self, page: str, there: Scene, draft: Campaign) -> None:
        browser = staff(scene(), Role.OPERATOR)
        method = browser.post if page in {"look", "take-back", "copy"} else browser.get

        assert method(f"{DESK}{draft.pk}/{page}/").status_code == 404
        assert method(f"{DESK}{10**9}/{page}/").status_code == 404

    def test_the_list_shows_ones_own(self, there: Scene, draft: Campaign) -> None:
        CampaignFactory.create()
        answer = staff(there).get(DESK)

        assert list(answer.context["cl"].result_list) == [draft]


class TestQueries:
    def test_the_list_asks_as_much_for_three_as_for_one(self, there: Scene, draft: Campaign) -> None:
        browser = staff(there)
        browser.get(DESK)
        asked = []
        for _number in range(2):
            with CaptureQueriesContext(connection) as found:
                browser.get(DESK)
            asked.append(len(found))
            CampaignFactory.create_batch(2, programme=there.programme)

        assert asked[0] == asked[1]
