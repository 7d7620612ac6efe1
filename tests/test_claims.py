"""Nobody claims a row by an UPDATE across a join; what says the same without one may be."""

import pytest

from accounts.models import Invitation, User
from tests.claims import JoinedUpdateError

pytestmark = pytest.mark.django_db


def test_an_update_across_a_join_is_refused() -> None:
    with pytest.raises(JoinedUpdateError, match="accounts_invitation"):
        Invitation.objects.filter(user__is_active=True, claimed_at=None).update(claimed_at=None)


def test_one_by_a_query_of_another_table_is_not() -> None:
    active = User.objects.filter(is_active=True)
    assert Invitation.objects.filter(user__in=active, claimed_at=None).update(claimed_at=None) == 0
