"""The audit trail in words: what the codes mean, and what the rows are about.

A code without words is shown as it is: rows outlive the code that wrote them.
"""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import AuditEvent, User

ACTIONS: dict[str, Any] = {
    "sign_in.requested": _("Asked for a sign-in e-mail"),
    "sign_in.done": _("Signed in"),
    "sign_in.refused": _("Sign-in refused"),
    "sign_out": _("Signed out"),
    "device.revoked": _("Device signed out"),
    "password.changed": _("Password changed"),
    "second_step.added": _("Second step set up"),
    "second_step.removed": _("Second step removed"),
    "second_step.refused": _("Second step refused"),
    "second_step.reset": _("Second step removed by staff"),
    "person.viewed": _("Person looked at"),
    "person.added": _("Person added"),
    "person.changed": _("Person changed"),
    "person.disabled": _("Account disabled"),
    "person.enabled": _("Account enabled again"),
    "person.signed_out": _("Signed out everywhere"),
    "person.muted": _("Muted in a webinar"),
    "person.unmuted": _("No longer muted in a webinar"),
    "person.removed": _("Removed from a webinar"),
    "person.let_back": _("Let back into a webinar"),
    "people.listed": _("List of people looked at"),
    "people.imported": _("People imported"),
    "invitation.created": _("Invitation made"),
    "invitation.queued": _("Invitations on their way"),
    "invitation.released": _("Held invitations sent"),
    "invitation.resent": _("Invitation sent again"),
    "invitation.revoked": _("Invitation withdrawn"),
    "invitation.used": _("Invitation used"),
    "enrolment.bulk": _("Doctors enrolled"),
    "enrolment.suspended": _("Enrolment suspended"),
    "enrolment.withdrawn": _("Enrolment withdrawn"),
    "enrolment.reinstated": _("Enrolment brought back"),
    "role.granted": _("Role given"),
    "role.revoked": _("Role taken away"),
    "lesson.deleted": _("Lesson deleted"),
    "video.previewed": _("Video looked at"),
    "video.deleted": _("Video deleted"),
    "webinar.changed": _("Webinar changed"),
    "webinar.scheduled": _("Webinar planned"),
    "webinar.rehearsal": _("Rehearsal switched on or off"),
    "webinar.went_live": _("Webinar went live"),
    "webinar.ended": _("Webinar ended"),
    "webinar.cancelled": _("Webinar cancelled"),
    "webinar.recording_released": _("Recording released"),
    "webinar.registered": _("Registered for a webinar"),
    "webinar.registration_cancelled": _("Registration cancelled"),
    "recording.cut": _("Recording cut"),
    "recording.chapters": _("Chapters changed"),
    "stream_key.made": _("Stream key made"),
    "stream_key.revoked": _("Stream key withdrawn"),
    "spot.window_opened": _("Door opened for uninvited doctors"),
    "spot.window_changed": _("Door for uninvited doctors changed"),
    "spot.window_closed": _("Door for uninvited doctors closed"),
    "spot.asked": _("Asked to be let in"),
    "spot.approved": _("Let in at the door"),
    "spot.denied": _("Turned away at the door"),
    "spot.put_back": _("Put back into the queue at the door"),
    "spot.entered": _("Came in through the door"),
    "spot.queue_read": _("Queue at the door looked at"),
    "attendance.read": _("Attendance looked at"),
    "attendance.exported": _("Attendance exported"),
    "desk.opened": _("Moderator’s desk opened"),
    "question.claim": _("Question taken on"),
    "question.release": _("Question given back"),
    "question.forward": _("Question forwarded"),
    "question.answer": _("Question answered"),
    "question.answer-live": _("Question answered live"),
    "question.publish": _("Question published"),
    "question.unpublish": _("Question taken back from public"),
    "question.dismiss": _("Question put aside"),
    "question.restore": _("Question brought back"),
    "question.merge": _("Questions merged"),
    "question.say": _("Message about a question"),
    "lanes.set": _("Changed who may write or read"),
    "poll.prepared": _("Poll prepared"),
    "poll.opened": _("Poll opened"),
    "poll.closed": _("Poll closed"),
    "poll.shown": _("Results of a poll shown"),
    "poll.hidden": _("Results of a poll hidden"),
    "poll.deleted": _("Poll deleted"),
    "room.announced": _("Announcement made"),
    "room.pinned": _("Message pinned"),
    "room.unpinned": _("Message unpinned"),
}
PEOPLE = "accounts.user"
LONGEST_NUMBER = 18  # digits; anything longer is no bigint


def words_of(action: str) -> str:
    return str(ACTIONS.get(action, action))


def kind_of(event: AuditEvent) -> str:
    """'programme'; the label itself where the model is gone."""
    try:
        return str(apps.get_model(event.subject_type)._meta.verbose_name)
    except (LookupError, ValueError):
        return event.subject_type


def subject_in_words(event: AuditEvent, names: dict[str, str]) -> str:
    """'person: Meera Nair', 'programme 3', or 'device': a UUID tells nobody anything in a list."""
    if not event.subject_type:
        return "–"
    kind = kind_of(event)
    if event.subject_type == PEOPLE and event.subject_id in names:
        return str(pgettext_lazy("object of an audit event", "%(kind)s: %(name)s")) % {
            "kind": kind,
            "name": names[event.subject_id],
        }
    return f"{kind} {event.subject_id}" if event.subject_id.isdecimal() else kind


def names_of_people(events: Iterable[AuditEvent]) -> dict[str, str]:
    """One query for a whole page, by the number as the trail has it."""
    ids = {one.subject_id for one in events if one.subject_type == PEOPLE and _is_number(one.subject_id)}
    return {str(person.pk): person.get_full_name() for person in User.objects.filter(pk__in=ids)}


def find_subject(event: AuditEvent) -> str:
    """What the object is called today; empty when it is gone."""
    try:
        rows: QuerySet[Any] = QuerySet(apps.get_model(event.subject_type))
        found = rows.filter(pk=event.subject_id).first()
    except (LookupError, ValueError, ValidationError):
        return ""
    return str(found or "")


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) <= LONGEST_NUMBER
