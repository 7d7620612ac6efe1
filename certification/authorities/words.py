"""One plain sentence for each line of a calculation, reason and problem. Codes never change: claims keep them."""

from datetime import date
from decimal import Decimal

from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from certification.authorities.base import Reason, Step

STEPS: dict[str, str | Promise] = {
    "watched_live": _("You watched %(watched)s of %(whole)s minutes live."),
    "watched_recording": _("You watched %(watched)s of %(whole)s minutes of the recording."),
    "stands_for": _(
        "With its test and reading it is accredited for %(minutes)s minutes, of which yours count as %(counted)s."
    ),
    "share_reached": _("At least %(percent)s %% of the minutes are asked for, and you have them."),
    "acknowledged": _("You acknowledged the disclosures before the start."),
    "number_known": _("Your council number is known."),
    "passed": _("You passed the test with %(best)s %% where %(least)s %% are needed."),
    "evaluated": _("The evaluation is done."),
    "grace": _("Up to %(minutes)s missing minutes are not counted against you: that makes %(counted)s minutes."),
    "all_of_it": _("You took part in all of it, which is worth all of the credit: %(credit)s."),
    "rounded_down": _("The step is %(step)s, rounded down: %(credit)s."),
    "rounded_nearest": _("The step is %(step)s, rounded to the nearest: %(credit)s."),
    "at_most": _("The activity gives at most %(credit)s."),
    "share_of": _("Of %(designated)s credits that share, in steps of %(step)s, is %(credit)s."),
    "whole_credit": _("Who attended has all of the credit: %(credit)s."),
    "waiting": _("%(credit)s is waiting until the rest is done."),
    "credit": _("%(unit)s: %(credit)s."),
    "attended": _("You attended."),
    "not_attended": _("The certificate of attendance is not given yet."),
}

CAPS: dict[str, str | Promise] = {
    "cap_day": _("At most %(most)s count in one day; you have %(used)s, so %(left)s is left."),
    "cap_event": _("At most %(most)s count for one event; you have %(used)s, so %(left)s is left."),
    "cap_year": _("At most %(most)s count in one year; you have %(used)s, so %(left)s is left."),
    "cap_online": _("At most %(most)s count online in one cycle; you have %(used)s, so %(left)s is left."),
}

REASONS: dict[str, str | Promise] = {
    "not_watched": _("You have not watched any of it yet."),
    "below_share": _("At least %(percent)s %% of it is asked for: watch %(minutes)s minutes."),
    "too_short": _("Credit begins at %(minutes)s minutes, with %(credit)s."),
    "part": _("From %(minutes)s minutes on it is %(credit)s."),
    "not_acknowledged": _("The disclosures have not been acknowledged."),
    "no_number": _("Your council number is missing."),
    "no_assessment": _("This activity has no test, and the rules ask for one."),
    "no_test_taken": _("The test is still to be taken; %(least)s %% are needed."),
    "not_passed": _("Your best result in the test is %(best)s %%; %(least)s %% are needed."),
    "not_evaluated": _("The evaluation is still to be filled in."),
    "nothing_designated": _("This activity gives no credit."),
    "other_activity": _("What you watched is another activity than the accredited one."),
    "before_start": _("The accreditation begins on %(date)s, after you took part."),
    "after_end": _("The accreditation ended on %(date)s, before you took part."),
    "tested_late": _("The test had to be passed by %(date)s, and yours came later."),
    "evaluated_late": _("The evaluation had to be filled in by %(date)s, and yours came later."),
    "too_late": _("What is missing could be done until %(date)s."),
    "other_format": _("You already have %(credit)s for the other format of this webinar; it counts only once."),
    "copy": _("You already have %(credit)s for the same content in another place; it counts only once."),
    "other_council": _("This credit is for doctors of the %(council)s."),
    "no_own_council": _("Your medical council is missing: a council grants credit hours to its own doctors only."),
    "unknown_council": _(
        "“%(council)s”, which stands in your profile as your council, is not known here. Please write its full name."
    ),
    "watched_first": _(
        "You began to watch before you had read the disclosures. The rules ask for the other order, so this brings no"
        " credit here."
    ),
}

# Reasons that go when the doctor does something. Where another one refuses the credit, they only distract.
TO_DO = frozenset(
    {
        "not_watched",
        "below_share",
        "too_short",
        "part",
        "not_acknowledged",
        "no_number",
        "no_test_taken",
        "not_passed",
        "not_evaluated",
    }
)

# For who opens an accreditation. Those that a doctor may meet too are here as well.
PROBLEMS: dict[str, str | Promise] = {
    "review_too_old": _("The last review is more than %(years)s years old: it was good until %(date)s."),
    "online_not_taken": _("The %(council)s takes no online activities."),
    "no_council": _("The council is missing, or it is not in the table."),
    "no_start": _("Say from which day the accreditation holds."),
    "no_end": _("Say on which day the recording's accreditation ends."),
    "ends_first": _("The accreditation ends before it begins."),
    "no_minutes": _("Say how many minutes are accredited."),
    "format_not_taken": _("The authority does not accredit this format."),
    "bad_parameter": _("The setting %(name)s cannot be used: %(why)s"),
    "test_without_assessment": _("A passed test is asked for, but there is no test."),
    "enduring_without_assessment": _("A recording needs a test with a least result."),
    "no_credits": _("Say how many credits are designated."),
    "not_in_steps": _("%(credit)s credits are not a multiple of %(step)s."),
    "above_minutes": _("%(minutes)s minutes carry at most %(limit)s credits, not %(credit)s."),
    "no_approval_code": _("The approval code is missing."),
    "above_event": _("At most %(most)s credits count for one event."),
    "no_release": _("Say on which day the recording was first released."),
    "reviewed_first": _("The review is before the release."),
    "ends_after_review": _("The end is more than %(years)s years after the last review: it is good until %(date)s."),
    "no_figure_here": _("A certificate of attendance has no credits: leave them at 0."),
}

TEXTS = {"unit", "council", "name", "why"}
WORDS = {**STEPS, **CAPS, **REASONS, **PROBLEMS}


def words_of(one: Step | Reason) -> str:
    """In the language of the reader, with their decimal point and dates. Raises KeyError for an unknown code."""
    return str(WORDS[one.code]) % {name: _shown(name, value) for name, value in one.values.items()}


def _shown(name: str, value: str | int) -> str | int:
    if name == "date":
        return date_format(date.fromisoformat(str(value)), "j M Y")
    return value if name in TEXTS else number_format(Decimal(value))
