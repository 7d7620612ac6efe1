"""Drafts: thrown away after a yes, and begun from what was written before. What was sent stays known."""

from typing import Any

import pytest

from accounts.models import AuditEvent
from reminders.domain.campaign_drafts import copy, discard
from reminders.domain.campaigns import CampaignError, save_campaign
from reminders.enums import CampaignState
from reminders.models import Campaign
from tests.factories.accounts import UserFactory
from tests.reminders.factories import NOW, CampaignFactory, DeliveryFactory, Scene, scene

pytestmark = pytest.mark.django_db


@pytest.fixture
def there() -> Scene:
    return scene(doctors=1)


def test_a_draft_is_deleted_and_that_is_on_record(there: Scene) -> None:
    kept = CampaignFactory.create(programme=there.programme)
    row = CampaignFactory.create(programme=there.programme, title="Never sent")
    number, author = row.pk, UserFactory.create()
    discard(campaign=row, actor=author, now=NOW)

    assert list(Campaign.objects.all()) == [kept]
    event = AuditEvent.objects.get(action="campaign.deleted")
    assert (event.subject_id, event.actor, event.details) == (str(number), author, {"title": "Never sent"})


@pytest.mark.parametrize("state", [one for one in CampaignState if one != CampaignState.DRAFT])
def test_what_is_no_draft_stays(state: CampaignState, there: Scene) -> None:
    row = CampaignFactory.create(programme=there.programme, state=state, ended_at=NOW)
    with pytest.raises(CampaignError):
        discard(campaign=row, actor=UserFactory.create(), now=NOW)

    assert Campaign.objects.get() == row


def test_a_copy_says_the_same_to_the_same_and_has_no_hour(there: Scene) -> None:
    values: dict[str, Any] = {
        "audience": {"countries": ["IN"]}, "texts": {"en": {"sms": {"body": "News"}}}, "path": "/programmes/",
        "channels": ["sms", "inbox"], "fallback_minutes": 60,
    }  # fmt: skip
    old = CampaignFactory.create(
        programme=there.programme, title="x" * 118, state=CampaignState.STOPPED, local_at="2027-01-14T09:00",
        scheduled_at=NOW, started_at=NOW, ended_at=NOW, why_stopped="No programme.", **values,
    )  # fmt: skip
    DeliveryFactory.create(programme=there.programme, campaign=old)
    made = copy(campaign=old, actor=UserFactory.create(), now=NOW)

    made.refresh_from_db()
    assert {name: getattr(made, name) for name in values} == values
    assert (made.state, made.local_at, made.started_at, made.why_stopped) == ("draft", "", None, "")
    assert made.title == f"Copy of {'x' * 112}"
    assert not made.deliveries.exists()
    old.refresh_from_db()
    assert old.state == CampaignState.STOPPED


@pytest.mark.parametrize(
    ("channels", "minutes"), [(["email"], 60), (["email", "sms"], 7), (["email", "sms"], 0), (["email", "sms"], 10**9)]
)
def test_waits_that_are_none(channels: list[str], minutes: int, there: Scene) -> None:
    values = {"title": "News", "path": "", "channels": channels, "audience": {}, "texts": {}}
    with pytest.raises(CampaignError) as refused:
        save_campaign(
            campaign=None, programme=there.programme, values=values | {"fallback_minutes": minutes},
            actor=UserFactory.create(), now=NOW,
        )  # fmt: skip

    assert [field for field, _told in refused.value.problems] == ["fallback_minutes"]
