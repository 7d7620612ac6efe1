"""After a meeting elsewhere: an operator chooses the uploaded recording, and the page becomes the recorded one."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils.timezone import now

from accounts.enums import Role
from tests.factories.courses import RoleGrantFactory
from tests.factories.media import VideoFactory
from tests.signing_in import signed_in
from tests.webinars.test_authoring import lesson_form
from tests.webinars.watching import make_device, make_enrolment, make_webinar
from webinars.domain.recording import open_recordings
from webinars.domain.schedule import end_webinar, release_recording, state_of
from webinars.domain.visits import join, leave
from webinars.domain.watching import NotPlayableError, start_play_session
from webinars.enums import IngestKind, Phase, RecordingPolicy, WebinarState
from webinars.models import RoomEvent, Webinar

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("policy", [RecordingPolicy.AUTOMATIC, RecordingPolicy.ON_RELEASE])
def test_a_recording_uploaded_after_a_meeting_elsewhere_opens(policy: RecordingPolicy) -> None:
    enrolment = make_enrolment()
    webinar, began = make_webinar(enrolment), now() - timedelta(hours=1)
    Webinar.objects.filter(pk=webinar.pk).update(
        video=None,
        starts_at=began,
        live_at=began,
        ingest=IngestKind.EXTERNAL,
        external_url="https://zoom.example/j/1",
        recording_policy=policy,
    )
    webinar.refresh_from_db()
    join(webinar=webinar, user=enrolment.user, now=began)
    leave(webinar=webinar, user=enrolment.user, now=began + timedelta(minutes=50))
    end_webinar(webinar_id=webinar.pk, actor=None, now=began + timedelta(minutes=55))
    webinar.refresh_from_db()
    device = make_device(enrolment.user)
    with pytest.raises(NotPlayableError):
        start_play_session(webinar=webinar, user=enrolment.user, device=device, now=now())
    operator = RoleGrantFactory.create(role=Role.OPERATOR, programme=None).user
    video = VideoFactory.create(created_by=operator, duration_seconds=3000.0)
    address = reverse("admin:courses_lesson_change", args=(webinar.lesson_id,))
    response = signed_in(operator).post(address, lesson_form(webinar, video=video.pk))
    assert response.status_code == 302, response.context["errors"]
    if policy == RecordingPolicy.ON_RELEASE:
        assert open_recordings(now=now()) == 0
        release_recording(webinar_id=webinar.pk, actor=operator, now=now())
    else:
        assert open_recordings(now=now()) == 1
    assert open_recordings(now=now()) == 0
    webinar = Webinar.objects.select_related("video").get(pk=webinar.pk)
    assert state_of(webinar, now=now()) is WebinarState.RECORDING_READY
    told = RoomEvent.objects.filter(kind="state").order_by("number").values_list("payload__state", flat=True)
    assert list(told) == ["ended", "recording_ready"]
    session = start_play_session(webinar=webinar, user=enrolment.user, device=device, now=now())
    assert (session.phase, session.media_seconds) == (Phase.ON_DEMAND, 3000)
