"""Where doctors stopped on the way from the invitation to the certificate. Each step counts only those who took the one
before, as the funnel of a programme's numbers does (`analytics.domain.operating.funnel`); tests hold the two together.
"""

from django.db.models import Exists, OuterRef, Q

from certification.enums import CertificateKind, EntryKind
from certification.models import Certificate, LedgerEntry
from courses.models import Programme
from reminders.enums import Step
from webinars.models import Visit, WatchRecord


def stopped_at(step: Step, programme: Programme) -> Q:
    """Of places in this programme: those whose last step was this one."""
    if step is Step.INVITED:
        return Q(activated_at=None)
    joined = Q(activated_at__isnull=False)
    if step is Step.JOINED:
        return joined & ~_attended(programme)
    attended = joined & _attended(programme)
    if step is Step.ATTENDED:
        return attended & Q(completed_at=None)
    return attended & Q(completed_at__isnull=False) & ~_certified(programme)


def _attended(programme: Programme) -> Q:
    """Was at a lecture with at least one second, or went to a meeting elsewhere from here."""
    mine = {"user": OuterRef("user"), "webinar__lesson__course__programme": programme}
    watched = WatchRecord.objects.filter(**mine).exclude(coverage=())
    return Q(Exists(watched)) | Q(Exists(Visit.objects.filter(**mine)))


def _certified(programme: Programme) -> Q:
    """Has the programme's own certificate, whose newest edition was not revoked."""
    revoked = LedgerEntry.objects.filter(certificate=OuterRef("pk"), kind=EntryKind.CERTIFICATE_REVOKED)
    newest = Certificate.objects.filter(
        user=OuterRef("user"), programme=programme, kind=CertificateKind.PROGRAMME, replaced_by=None
    )
    return Q(Exists(newest.filter(~Exists(revoked))))
