"""People. `UserFactory(password="…")` hashes it; without one the account signs in by link or code only."""

from typing import Any

import factory
from django.utils.timezone import now

from accounts.models import User


class UserFactory(factory.django.DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@example.org")
    title = "Dr"
    first_name = factory.Sequence(lambda n: f"Meera{n}")
    last_name = "Nair"
    country = "IN"
    timezone = "Asia/Kolkata"
    timezone_confirmed_at = factory.LazyFunction(now)

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        return model_class.objects.create_user(*args, **kwargs)
