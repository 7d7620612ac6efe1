from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    """What a person is in a programme. A doctor is an active enrolment; the others are role grants."""

    DOCTOR = "doctor", _("Doctor")
    PRESENTER = "presenter", _("Presenter")
    MODERATOR = "moderator", _("Moderator")
    OPERATOR = "operator", _("Operator")
    SPONSOR = "sponsor", _("Sponsor")
    AUDITOR = "auditor", _("Auditor")


STAFF_ROLES = frozenset({Role.MODERATOR, Role.OPERATOR})
# Who may open the admin: staff to work, auditors to read credit. What stands there for whom, each page asks anew.
OFFICE_ROLES = STAFF_ROLES | {Role.AUDITOR}
# Who sees programmes and lectures without being enrolled; the others get figures and evidence, never the content.
CONTENT_ROLES = STAFF_ROLES | {Role.PRESENTER}
REPORT_ROLES = frozenset({Role.SPONSOR, Role.AUDITOR})


class DeviceEnd(TextChoices):
    """Why a device's session ended; the page it shows next depends on it."""

    SIGNED_OUT = "signed_out", _("Signed out")
    REPLACED = "replaced", _("A newer device took its place")
    REVOKED = "revoked", _("Signed out from another device")
    DISABLED = "disabled", _("Account disabled")
    PASSWORD = "password", _("Password changed")
    EXPIRED = "expired", _("Expired")


class SignInMethod(TextChoices):
    INVITATION = "invitation", _("Invitation")
    LINK = "link", _("One-tap link")
    CODE = "code", _("E-mailed code")
    PASSWORD = "password", _("Password")
    PASSKEY = "passkey", _("Passkey")


class InvitationState(TextChoices):
    """Where an invitation stands; worked out from its dates."""

    HELD = "held", _("Not sent yet")
    QUEUED = "queued", _("Waiting to be sent")
    SENT = "sent", _("Sent")
    USED = "used", _("Used")
    EXPIRED = "expired", _("Expired")
    REVOKED = "revoked", _("Withdrawn")


class ImportState(TextChoices):
    """Where an uploaded list of people stands. The first and the third wait for work to be done."""

    REHEARSING = "rehearsing", _("Being looked through")
    REHEARSED = "rehearsed", _("Waits for a decision")
    IMPORTING = "importing", _("Being written")
    DONE = "done", _("Written")
    FAILED = "failed", _("Could not be used")


# The codes of the audit trail in words. One without is shown as it is: rows outlive the code that wrote them.
AUDIT_ACTIONS: dict[str, Any] = {
    "sign_in.requested": _("Asked for a sign-in e-mail"),
    "sign_in.done": _("Signed in"),
    "sign_in.refused": _("Sign-in refused"),
    "sign_out": _("Signed out"),
    "device.revoked": _("Device signed out"),
    "password.changed": _("Password changed"),
    "phone.changed": _("Phone number changed"),
    "phone.code_asked": _("Code for a phone number asked for"),
    "phone.code_refused": _("Code for a phone number refused"),
    "phone.proved": _("Phone number confirmed by a code"),
    "phone.unproved": _("Phone number no longer confirmed"),
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
    "certificate.read": _("Certificate of somebody else looked at"),
    "certificate.reissued": _("Certificate issued anew"),
    "certificate.revoked": _("Certificate revoked"),
    "certificates.issued": _("Certificates that were due issued by hand"),
    "certificate_template.saved": _("Certificate template saved"),
    "message_template.saved": _("Words of a message saved"),
    "message_template.tested": _("Message sent to its author as a test"),
    "template_set.copied": _("Set of messages copied"),
    "bank.imported": _("Questions imported from a file"),
    "bank.exported": _("Questions exported to a file"),
    "answer.marked": _("Answer of a test marked"),
    "answer.mark_changed": _("Mark of an answer changed"),
    "answer.decided": _("Decided between two marks"),
    "key.corrected": _("Key of a question corrected"),
    "key.previewed": _("Effect of a corrected key looked at"),
    "quiz.changed": _("Test changed"),
    "quiz.held": _("Test held"),
    "quiz.resumed": _("Test let go on"),
    "candidate.extra_given": _("Extra time or attempts given"),
    "attempts.listed": _("List of attempts looked at"),
    "attempt.read": _("Attempt looked at"),
    "attempt.ended": _("Attempt ended by an operator"),
    "attempt.struck_out": _("Attempt struck out"),
    "credit.corrected": _("Credit corrected"),
    "credit.revoked": _("Credit revoked"),
    "credits.listed": _("List of credits looked at"),
    "credits.read": _("Credit of a doctor looked at"),
    "credits.exported": _("Credits exported"),
    "ledger.listed": _("Ledger looked at"),
    "ledger.read": _("Line of the ledger looked at"),
    "evaluation.read": _("Results of feedback looked at"),
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
    "check.opened": _("Check opened"),
    "check.closed": _("Check closed"),
    "poll.shown": _("Results of a poll shown"),
    "poll.hidden": _("Results of a poll hidden"),
    "poll.deleted": _("Poll deleted"),
    "evidence.asked": _("Evidence of an activity asked for"),
    "evidence.taken": _("Evidence of an activity taken"),
    "report.at_risk": _("Doctors at risk looked at"),
    "credit_report.taken": _("Report of credits taken"),
    "records.purged": _("Records removed after their time"),
    "person.erased": _("Person erased"),
    "erasure.asked": _("Asked to be erased"),
    "erasure.withdrawn": _("No longer asks to be erased"),
    "person.data_taken": _("Person’s own data taken"),
    "message.address_freed": _("Address allowed to receive messages again"),
    "room.announced": _("Announcement made"),
    "room.pinned": _("Message pinned"),
    "room.unpinned": _("Message unpinned"),
    "activity.made": _("Accreditation of a webinar begun"),
    "activity.changed": _("Accredited activity changed"),
    "activity.opened": _("Accredited activity opened"),
    "activity.closed": _("Accredited activity closed"),
    "discloser.added": _("Person added who discloses"),
    "discloser.changed": _("Person changed who discloses"),
    "disclosure.asked": _("Disclosure asked for"),
    "disclosure.withdrawn": _("Link to a disclosure withdrawn"),
    "disclosure.stated": _("Disclosure signed"),
    "disclosure.reviewed": _("Disclosure reviewed"),
    "report.exported": _("Numbers taken along"),
    "shared_figures.listed": _("List of shared figures looked at"),
    "shared_figures.read": _("Shared figures looked at"),
    "shared_figures.exported": _("Shared figures taken along"),
    "sharing.agreed": _("Agreed to be named to sponsors"),
    "sharing.withdrawn": _("No longer named to sponsors"),
    "campaign.saved": _("Campaign saved"),
    "campaign.scheduled": _("Campaign put on the clock"),
    "campaign.taken_back": _("Campaign taken off the clock"),
    "campaign.started": _("Campaign begun"),
    "campaign.stopped": _("Campaign stopped"),
    "campaign.exported": _("Results of a campaign taken along"),
    "campaign.copied": _("Campaign begun as a copy"),
    "campaign.deleted": _("Draft of a campaign deleted"),
    "messages.changed": _("What a programme sends changed"),
    "deliveries.listed": _("List of messages looked at"),
    "deliveries.read": _("Message to a person looked at"),
    "message_template.looked": _("Words of a message looked at as this person"),
    "campaign.looked": _("Doctors of a campaign looked at"),
    "campaign.doctor_looked": _("Campaign looked at as this person"),
    "suppressions.listed": _("List of addresses that take no messages looked at"),
    "suppressions.read": _("Address that takes no messages looked at"),
    "message.address_held": _("Address left alone again"),
    "consents.listed": _("List of answers about messages looked at"),
    "consents.read": _("Answers of a person about messages looked at"),
}
