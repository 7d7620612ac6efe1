"""The admin as a whole: what its sidebar and its first page show to whom."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import Count, F, Min, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.enums import Role
from accounts.models import Invitation
from accounts.rules import person_of
from assessments.domain.marking_desk import desks_of
from assessments.rules import marked_quizzes_for
from certification.domain.standing import unknown_keys
from courses import rules
from courses.admin.base import ScopedAdmin, allowed_programmes
from courses.enums import OPEN_ENROLMENTS, EnrolmentStatus, LessonKind, PublishStatus
from courses.models import Course, Enrolment, Lesson, Programme
from media.enums import VideoStatus
from media.rules import videos_for

SOON = timedelta(days=14)
WAITING = timedelta(days=7)
SHOWN = 5
SHOWN_PROGRAMMES = 12

PROGRAMMES = _("Programmes")
PEOPLE = _("People")
QUESTIONS = _("Questions")
CREDIT = _("Credit")
MESSAGES = _("Messages")
# (model, icon, title or nothing for the model's own name)
GROUPS: tuple[tuple[Any, tuple[tuple[str, str, Any], ...]], ...] = (
    (
        PROGRAMMES,
        (
            ("courses.Programme", "school", None),
            ("courses.Course", "menu_book", None),
            ("courses.Lesson", "play_lesson", None),
            ("webinars.Webinar", "podcasts", _("Live webinars")),
            ("webinars.SpotWindow", "door_front", _("At the door")),
            ("media.Video", "video_library", _("Videos")),
        ),
    ),
    (
        QUESTIONS,
        (
            ("assessments.Quiz", "assignment", None),
            ("assessments.Bank", "library_books", None),
            ("assessments.Item", "quiz", None),
            ("assessments.Board", "account_tree", None),
            ("assessments.AnalysisReport", "monitoring", _("Figures of tests")),
            ("assessments.EvaluationForm", "rate_review", _("Feedback forms")),
            ("assessments.Evaluation", "reviews", _("Feedback")),
        ),
    ),
    (
        CREDIT,
        (
            ("certification.Activity", "workspace_premium", _("Accredited activities")),
            ("certification.Discloser", "handshake", _("Disclosures")),
            ("certification.Certificate", "license", None),
            ("certification.CertificateTemplate", "palette", None),
        ),
    ),
    (
        MESSAGES,
        (
            ("reminders.MessagePolicy", "schedule_send", _("Messages of programmes")),
            ("reminders.Campaign", "campaign", None),
            ("reminders.TemplateSet", "edit_note", _("Words of messages")),
            ("reminders.Delivery", "outbox", _("What was sent")),
            ("reminders.ConsentRecord", "rule", _("Who wants what")),
            ("reminders.Suppression", "unsubscribe", _("Addresses that take nothing")),
        ),
    ),
    (
        PEOPLE,
        (
            ("courses.Enrolment", "how_to_reg", None),
            ("accounts.User", "group", None),
            ("accounts.Invitation", "mail", None),
            ("courses.RoleGrant", "badge", None),
            ("accounts.Device", "devices", None),
        ),
    ),
    (
        _("Evidence"),
        (
            ("accounts.AuditEvent", "policy", None),
            ("webinars.WatchRecord", "visibility", None),
            ("certification.Claim", "verified", _("Credits")),
            ("certification.LedgerEntry", "receipt_long", _("Ledger")),
        ),
    ),
    (_("Status page"), (("operations.Incident", "campaign", None),)),
)


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to look at. `tone` is danger, warning or info."""

    tone: str
    icon: str
    title: str
    details: tuple[str, ...]
    address: str
    action: str


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Only what this person may see: an entry that answers 403 is no help."""
    home = {"title": _("Overview"), "icon": "home", "link": reverse("admin:index")}
    groups: list[dict[str, Any]] = [{"title": None, "items": [home]}]
    for title, entries in GROUPS:
        items = [item for label, icon, name in entries if (item := _item(request, label, icon, name))]
        if title == PROGRAMMES and allowed_programmes(request, ScopedAdmin.roles):
            items.append({"title": _("Webinars to moderate"), "icon": "forum", "link": reverse("desk:list")})
        if title == QUESTIONS and items:
            items.append({"title": _("Answers to mark"), "icon": "grading", "link": reverse("assessments:marking")})
        if title == PEOPLE and rules.programmes_with_role(request.user, Role.OPERATOR).exists():
            items.append({"title": _("Invite people"), "icon": "group_add", "link": reverse("people_import")})
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    return groups


def _item(request: HttpRequest, label: str, icon: str, name: Any) -> dict[str, Any] | None:
    model = apps.get_model(label)
    if not admin.site.is_registered(model):
        return None
    options = model._meta
    if not admin.site.get_model_admin(model).has_view_permission(request):
        return None
    address = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
    return {"title": name or str(options.verbose_name_plural).capitalize(), "icon": icon, "link": address}


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    staffed = rules.programmes_staffed_by(request.user)
    return context | {
        "title": _("Overview"),
        "notices": [notice for look in LOOKS if (notice := look(request, staffed))],
        "programmes": _at_a_glance(staffed),
        "audited": rules.programmes_with_role(request.user, Role.AUDITOR).order_by("title")[:SHOWN_PROGRAMMES],
        "busy_videos": videos_for(request.user).filter(status__in=(VideoStatus.QUEUED, VideoStatus.TRANSCODING))[
            :SHOWN
        ],
    }


def _at_a_glance(staffed: QuerySet[Programme]) -> list[dict[str, Any]]:
    """Three queries, whatever the number of programmes and doctors."""
    now = timezone.now()
    programmes = list(staffed.exclude(status=PublishStatus.ARCHIVED).order_by("-status", "title")[:SHOWN_PROGRAMMES])
    is_open = Q(status__in=OPEN_ENROLMENTS)
    doctors = {
        row["programme"]: row
        for row in Enrolment.objects.filter(programme__in=programmes)
        .values("programme")
        .annotate(
            active=Count("pk", filter=is_open),
            invited=Count("pk", filter=Q(status=EnrolmentStatus.INVITED)),
            completed=Count("pk", filter=Q(status=EnrolmentStatus.COMPLETED)),
        )
        .order_by()
    }
    upcoming = Q(status=PublishStatus.PUBLISHED, opens_at__gt=now)
    courses = {
        row["programme"]: row
        for row in Course.objects.filter(programme__in=programmes)
        .values("programme")
        .annotate(
            published=Count("pk", filter=Q(status=PublishStatus.PUBLISHED)),
            next_opens_at=Min("opens_at", filter=upcoming),
        )
        .order_by()
    }
    return [
        {"programme": one, "doctors": doctors.get(one.pk, {}), "courses": courses.get(one.pk, {})} for one in programmes
    ]


def _failed_videos(request: HttpRequest, staffed: QuerySet[Programme]) -> Notice | None:
    failed = list(videos_for(request.user).filter(status=VideoStatus.FAILED).order_by("-updated_at")[: SHOWN + 1])
    if not failed:
        return None
    return Notice(
        "danger",
        "error",
        ngettext("A video could not be prepared", "Videos could not be prepared", len(failed)),
        tuple(f"{video.title}: {video.error_message}" for video in failed[:SHOWN]),
        f"{reverse('admin:media_video_changelist')}?status__exact={VideoStatus.FAILED}",
        str(_("See what to do")),
    )


def _missing_videos(request: HttpRequest, staffed: QuerySet[Programme]) -> Notice | None:
    """Lessons that doctors can open now or within two weeks, and would find empty."""
    soon = timezone.now() + SOON
    lessons = (
        Lesson.objects.filter(
            Q(course__opens_at=None) | Q(course__opens_at__lte=soon),
            Q(opens_at=None) | Q(opens_at__lte=soon),
            Q(webinar=None) | Q(webinar__video=None) | Q(webinar__video__status=VideoStatus.EMPTY),
            Q(webinar=None) | Q(webinar__starts_at=None),  # a live webinar gets its recording afterwards
            kind=LessonKind.WEBINAR,
            course__status=PublishStatus.PUBLISHED,
            course__programme__in=staffed.filter(status=PublishStatus.PUBLISHED),
        )
        .select_related("course")
        .order_by(F("course__opens_at").asc(nulls_first=True), "course__position", "position")
    )
    found = list(lessons[:SHOWN])
    if not found:
        return None
    number = lessons.count()
    title = ngettext("%(n)d lesson still needs its video", "%(n)d lessons still need their video", number)
    return Notice(
        "warning",
        "videocam_off",
        title % {"n": number},
        tuple(lesson.title for lesson in found),
        reverse("admin:courses_lesson_change", args=(found[0].pk,)),
        str(_("Choose the video of the first one")),
    )


def _drafts(request: HttpRequest, staffed: QuerySet[Programme]) -> Notice | None:
    courses = Course.objects.filter(programme__in=staffed, status=PublishStatus.DRAFT).select_related("programme")
    found = list(courses.order_by("programme", "position")[:SHOWN])
    if not found:
        return None
    number = courses.count()
    return Notice(
        "info",
        "edit_note",
        ngettext("%(n)d course is a draft", "%(n)d courses are drafts", number) % {"n": number},
        tuple(f"{course.title} · {course.programme}" for course in found),
        f"{reverse('admin:courses_course_changelist')}?status__exact={PublishStatus.DRAFT}",
        str(_("See the drafts")),
    )


def _not_signed_in(request: HttpRequest, staffed: QuerySet[Programme]) -> Notice | None:
    waiting = Enrolment.objects.filter(
        programme__in=staffed, status=EnrolmentStatus.INVITED, enrolled_at__lt=timezone.now() - WAITING
    )
    number = waiting.count()
    if not number:
        return None
    expired = (
        Invitation.objects.filter(
            user__in=waiting.values("user"), used_at=None, revoked_at=None, expires_at__lt=timezone.now()
        )
        .values("user")
        .distinct()
        .count()
    )
    details = ngettext("%(n)d of their invitations has expired", "%(n)d of their invitations have expired", expired)
    title = ngettext(
        "%(n)d invited doctor has not signed in for a week",
        "%(n)d invited doctors have not signed in for a week",
        number,
    )
    return Notice(
        "warning",
        "mark_email_unread",
        title % {"n": number},
        (details % {"n": expired},) if expired else (),
        f"{reverse('admin:courses_enrolment_changelist')}?status__exact={EnrolmentStatus.INVITED}",
        str(_("See who")),
    )


def _unmarked_answers(request: HttpRequest, staffed: QuerySet[Programme]) -> Notice | None:
    desks = desks_of(marker=person_of(request), quizzes=marked_quizzes_for(request.user))
    waiting = [desk for desk in desks if desk.mine or desk.disputed]
    if not waiting:
        return None
    number = sum(desk.mine + desk.disputed for desk in waiting)
    title = ngettext("%(n)d answer waits for a mark", "%(n)d answers wait for a mark", number)
    return Notice(
        "info",
        "grading",
        title % {"n": number},
        tuple(f"{desk.quiz} · {desk.mine + desk.disputed}" for desk in waiting[:SHOWN]),
        reverse("assessments:marking"),
        str(_("Mark them")),
    )


def _unknown_keys(request: HttpRequest, staffed: QuerySet[Programme]) -> Notice | None:
    """For whoever can do something about it."""
    if not rules.is_operator(request.user):
        return None
    number = len(unknown_keys())
    if not number:
        return None
    title = ngettext(
        "A key that sealed certificates is not known any more",
        "%(n)d keys that sealed certificates are not known any more",
        number,
    )
    return Notice(
        "danger",
        "key_off",
        title % {"n": number},
        (str(_("Nobody can confirm these certificates until the key is back in CERTIFICATE_KEYS.")),),
        reverse("admin:certification_certificate_changelist"),
        str(_("See the certificates")),
    )


LOOKS: tuple[Callable[[HttpRequest, QuerySet[Programme]], Notice | None], ...] = (
    _unknown_keys,
    _failed_videos,
    _missing_videos,
    _unmarked_answers,
    _not_signed_in,
    _drafts,
)
