"""Django's model permissions, derived from roles: nobody keeps a second list of rights in step with the first.

Only the admin asks for model permissions. They say which *kinds* of things a person works on; which objects those are
is narrowed by each admin through `courses.rules`.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.models import AnonymousUser
from django.db.models import Model

from accounts.enums import Role
from accounts.models import User
from courses.models import RoleGrant

ALL = ("view", "add", "change", "delete")
AUTHORED = ("view", "add", "change")
READ = ("view",)
# Deleting is left to operators, except for what is only a place in a list.
MODERATOR: Mapping[str, Iterable[str]] = {
    "courses.programme": ("view", "change"),
    "courses.course": AUTHORED,
    "courses.lesson": ALL,
    "courses.cohort": ALL,
    "courses.enrolment": AUTHORED,
    "webinars.webinar": AUTHORED,
    "webinars.spotwindow": AUTHORED,
    "webinars.cannedreply": ALL,
    "media.video": AUTHORED,
    "media.caption": ALL,
    "assessments.evaluation": ("view", "change"),
    "assessments.evaluationform": AUTHORED,
    "assessments.evaluationquestion": ALL,
    "assessments.bank": AUTHORED,
    "assessments.item": AUTHORED,
    "assessments.itemtopic": ALL,
    "assessments.board": READ,
    "assessments.boardtopic": READ,
    "assessments.analysisreport": READ,
    "assessments.quiz": ("view", "change"),
    "assessments.section": ALL,
    "assessments.pick": ALL,
    "certification.activity": AUTHORED,
    "certification.accreditation": ALL,
    "certification.contributor": ALL,
    "certification.discloser": AUTHORED,
    "certification.certificate": READ,
    "certification.certificatetemplate": AUTHORED,
    "reminders.campaign": AUTHORED,
    "reminders.templateset": READ,
    "reminders.messagetemplate": READ,
    "reminders.messagepolicy": AUTHORED,
    "reminders.journey": ALL,
    "reminders.delivery": READ,
    "reminders.consentrecord": READ,
    "reminders.suppression": READ,
}
# Credit of the programme, to read.
AUDITOR: Mapping[str, Iterable[str]] = {
    "certification.claim": READ,
    "certification.ledgerentry": READ,
}
# An operator of one programme: also who works on it.
OPERATOR: Mapping[str, Iterable[str]] = {
    **MODERATOR,
    **AUDITOR,
    "courses.course": ALL,
    "courses.rolegrant": ("view", "add", "delete"),
    "courses.lessoncompletion": READ,
    "webinars.watchrecord": READ,
}
# An operator of all programmes: also people, whose accounts belong to no programme.
EVERYWHERE: Mapping[str, Iterable[str]] = {
    **OPERATOR,
    "courses.programme": ALL,
    "media.video": ALL,
    "accounts.user": AUTHORED,
    "accounts.invitation": AUTHORED,
    "accounts.device": ("view", "change"),
    "accounts.auditevent": READ,
    "operations.incident": ALL,
    "assessments.board": ALL,
    "assessments.boardtopic": ALL,
    "reminders.templateset": AUTHORED,
    "reminders.messagetemplate": AUTHORED,
}


@cache
def _permissions(of: str) -> frozenset[str]:
    matrix = {"auditor": AUDITOR, "moderator": MODERATOR, "operator": OPERATOR, "everywhere": EVERYWHERE}[of]
    names = ((label.split("."), action) for label, actions in matrix.items() for action in actions)
    return frozenset(f"{app}.{action}_{model}" for (app, model), action in names)


class RoleBackend(BaseBackend):
    """Signs nobody in. Asks the database once per request (per user object)."""

    def get_user_permissions(self, user_obj: Any, obj: Model | None = None) -> set[str]:
        if not isinstance(user_obj, User) or not user_obj.is_active or obj is not None:
            return set()
        found: set[str] | None = user_obj.__dict__.get("_role_permissions")
        if found is None:
            found = set()
            for grant in RoleGrant.objects.filter(user=user_obj):
                if grant.role == Role.MODERATOR:
                    found |= _permissions("moderator")
                elif grant.role == Role.AUDITOR:
                    found |= _permissions("auditor")
                elif grant.role == Role.OPERATOR:
                    found |= _permissions("operator" if grant.programme_id else "everywhere")
            user_obj.__dict__["_role_permissions"] = found
        return found

    def has_perm(self, user_obj: User | AnonymousUser, perm: str, obj: Model | None = None) -> bool:
        """As inherited, which copies all of them for each of the sixty that a page of the admin asks about."""
        return perm in self.get_user_permissions(user_obj, obj)

    def has_module_perms(self, user_obj: User | AnonymousUser, app_label: str) -> bool:
        return any(name.startswith(f"{app_label}.") for name in self.get_user_permissions(user_obj))
