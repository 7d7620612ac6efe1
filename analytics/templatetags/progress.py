"""Progress in plain words. Python rather than templates, because these stand in every row and have many cases."""

import math
from datetime import date, datetime

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from analytics.domain.progress import CourseProgress, LessonProgress, ProgrammeProgress
from analytics.enums import State, Step
from core.templatetags.ui import duration_left, local_day
from courses.enums import CompletionRule

register = template.Library()


@register.filter
def roughly(seconds: int) -> str:
    """A length to go with "about": full five minutes once it is more than twenty."""
    return duration_left(math.ceil(seconds / 300) * 300 if seconds > 1200 else seconds)


@register.filter
def in_words(number: int) -> str:
    """'three', as running text has it; figures from eleven on.

    Not Django's `apnumber`: that one speaks languages which these sentences may not be translated to yet.
    """
    words = (
        pgettext("number", "no"),
        pgettext("number", "one"),
        pgettext("number", "two"),
        pgettext("number", "three"),
        pgettext("number", "four"),
        pgettext("number", "five"),
        pgettext("number", "six"),
        pgettext("number", "seven"),
        pgettext("number", "eight"),
        pgettext("number", "nine"),
        pgettext("number", "ten"),
    )
    return words[number] if 0 <= number < len(words) else str(number)


@register.simple_tag
def headline(programme: ProgrammeProgress | None, running: int) -> str:
    """Where they stand, in one sentence."""
    if programme is None:
        return _("You are not in a programme yet")
    if running > 1:
        return _("You have %(number)s programmes under way") % {"number": in_words(running)}
    title = {"title": programme.title}
    if programme.step is Step.BEGINS_LATER and programme.availability.opens_at:
        return _("%(title)s begins on %(day)s") % {**title, "day": local_day(programme.availability.opens_at)}
    if programme.step is Step.FINISHED:
        return _("You have finished %(title)s") % title
    if programme.step is Step.ENDED:
        return _("%(title)s has ended") % title
    if not programme.courses:
        return _("%(title)s is being prepared") % title
    number = {"number": in_words(programme.remaining)}
    if not programme.is_started:
        return (
            ngettext(
                "Welcome. Your certificate is %(number)s course away",
                "Welcome. Your certificate is %(number)s courses away",
                programme.remaining,
            )
            % number
        )
    return (
        ngettext(
            "You are %(number)s course from your certificate",
            "You are %(number)s courses from your certificate",
            programme.remaining,
        )
        % number
    )


@register.simple_tag
def state_text(part: CourseProgress | LessonProgress) -> str:
    """'Completed', '24 of 60 min', 'Opens 3 March', 'Locked: finish “X” first', 'Not started' …"""
    if part.state is State.UNDER_WAY:
        return _under_way(part)
    if part.state is State.LATER:
        return _("Opens %(day)s") % {"day": _day(part.availability.opens_at)}
    if part.state is State.LOCKED:
        titles = [missing.title for missing in part.availability.missing]
        return _locked(titles if isinstance(part, CourseProgress) else titles[:1])
    if part.state is State.CLOSED and part.availability.closes_at:
        return _("Closed on %(day)s") % {"day": _day(part.availability.closes_at)}
    return str(part.state.label)


def _under_way(part: CourseProgress | LessonProgress) -> str:
    if part.seen_seconds:
        return _("%(seen)d of %(total)d min") % {
            "seen": part.seen_seconds // 60,
            "total": max(1, round(part.total_seconds / 60)),
        }
    if isinstance(part, CourseProgress):
        total = len(part.lessons)
        return ngettext("%(done)d of %(total)d lesson", "%(done)d of %(total)d lessons", total) % {
            "done": part.lessons_done,
            "total": total,
        }
    return str(part.state.label)


def _locked(titles: list[str]) -> str:
    if len(titles) == 1:
        return _("Locked: finish “%(title)s” first") % {"title": titles[0]}
    return ngettext(
        "Locked: finish “%(title)s” and %(more)d more first",
        "Locked: finish “%(title)s” and %(more)d more first",
        len(titles) - 1,
    ) % {"title": titles[0], "more": len(titles) - 1}


def _day(at: datetime | None) -> str:
    return local_day(at) if at else ""


@register.simple_tag
def calendar_day(on: date) -> SafeString:
    """'12 March', with the year where it is another one: of a day that is one in the reader's own calendar already."""
    this_year = on.year == timezone.localdate().year
    shape = pgettext("date format", "j F") if this_year else pgettext("date format with year", "j F Y")
    return format_html('<time datetime="{}">{}</time>', on.isoformat(), date_format(on, shape))


@register.simple_tag
def rule_text(part: ProgrammeProgress | CourseProgress) -> str:
    """The completion rule: 'Finish 8 of these 10 courses'."""
    if isinstance(part, ProgrammeProgress):
        total = len(part.counted)
        if part.rule == CompletionRule.N_OF_M:
            return ngettext(
                "Finish %(needed)d of this %(total)d course", "Finish %(needed)d of these %(total)d courses", total
            ) % {"needed": part.needed, "total": total}
        if total < len(part.courses):
            return ngettext(
                "Finish the %(total)d course that counts", "Finish the %(total)d courses that count", total
            ) % {"total": total}
        return ngettext("Finish the course", "Finish all %(total)d courses", total) % {"total": total}
    if part.is_single_lecture:
        return _("Watch %(percent)d %% of the lecture") % {"percent": part.lessons[0].completion_percent}
    total = len(part.counted)
    if part.rule == CompletionRule.N_OF_M:
        return ngettext(
            "Finish %(needed)d of this %(total)d lesson", "Finish %(needed)d of these %(total)d lessons", total
        ) % {"needed": part.required_count or total, "total": total}
    if total < len(part.lessons):
        return ngettext("Finish the %(total)d lesson that counts", "Finish the %(total)d lessons that count", total) % {
            "total": total
        }
    return ngettext("Finish the lesson", "Finish all %(total)d lessons", total) % {"total": total}


@register.simple_tag
def course_url(programme: ProgrammeProgress, course: CourseProgress) -> str:
    """A course of one lecture opens that lecture at once; others open at their place in the programme."""
    if course.only_webinar_id:
        return reverse("webinars:watch", args=[course.only_webinar_id])
    return f"{reverse('programme', args=[programme.slug])}#course-{course.position}"


@register.simple_tag
def start_url(programme: ProgrammeProgress, course: CourseProgress) -> str:
    """For the one big button: straight into the first lecture that is open."""
    if course.start_webinar_id:
        return reverse("webinars:watch", args=[course.start_webinar_id])
    return course_url(programme, course)
