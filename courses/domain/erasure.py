"""What a person has in programmes: for their own copy, and what keeps an account from being erased."""

from typing import Any

from accounts.models import User
from courses.models import CourseCompletion, Enrolment, LessonCompletion, RoleGrant


def duties(user: User) -> list[str]:
    """Roles that somebody has to take away first: whoever still runs a programme cannot vanish from it."""
    grants = RoleGrant.objects.filter(user=user).select_related("programme").order_by("pk")
    return [
        *(["all rights (superuser)"] if user.is_superuser else []),
        *(
            f"{one.get_role_display()} of {one.programme.title if one.programme else 'all programmes'}"
            for one in grants
        ),
    ]


def own_data(user: User) -> dict[str, Any]:
    return {
        "places": list(
            Enrolment.objects.filter(user=user)
            .order_by("pk")
            .values("programme__title", "cohort__name", "status", "enrolled_at", "activated_at", "completed_at")
        ),
        "roles": list(
            RoleGrant.objects.filter(user=user).order_by("pk").values("role", "programme__title", "granted_at")
        ),
        "completed_lessons": list(
            LessonCompletion.objects.filter(user=user)
            .order_by("pk")
            .values("lesson__title", "completed_at", "evidence")
        ),
        "completed_courses": list(
            CourseCompletion.objects.filter(user=user).order_by("pk").values("course__title", "completed_at")
        ),
    }
