"""What signing in means for programmes."""

from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.utils.timezone import now

from accounts.models import User
from courses.domain.enrolment import activate_enrolments


@receiver(user_logged_in, dispatch_uid="courses.activate_enrolments")
def activate(*, user: User, **_: Any) -> None:
    """By invitation, link, code, password or passkey: whoever came in has accepted what they were invited to."""
    activate_enrolments(user=user, now=now())
