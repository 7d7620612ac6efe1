"""`manage.py stream_key <webinar> <e-mail>`: a new stream key for a presenter, printed once."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import User
from webinars.domain.stream_keys import StreamKeyError, make_key
from webinars.ingest.rtmp import server_address
from webinars.models import Webinar


class Command(BaseCommand):
    help = "Makes a stream key for a presenter. The one before ends, and so does a stream that uses it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("webinar", type=int)
        parser.add_argument("email", help="of the presenter")

    def handle(self, *args: Any, **options: Any) -> None:
        raw = new_key(webinar_id=options["webinar"], email=options["email"])
        self.stdout.write(f"Server: {server_address()}\nStream key, shown only now: {raw}")


def new_key(*, webinar_id: int, email: str) -> str:
    try:
        webinar = Webinar.objects.select_related("lesson__course__programme").get(pk=webinar_id)
        presenter = User.objects.get(email__iexact=email)
        return make_key(webinar=webinar, presenter=presenter, now=timezone.now())[1]
    except (Webinar.DoesNotExist, User.DoesNotExist) as absent:
        raise CommandError("There is no such webinar or no such person.") from absent
    except StreamKeyError as error:
        raise CommandError(str(error.message)) from error
