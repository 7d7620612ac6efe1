"""Posts events into one room until it hears SIGTERM: `python -m tests.faults.poster <webinar> <person> <person> …`.

Prints each as a line of JSON once it is committed: `[number, audience, person]`. The last one is for everybody.
"""

import json
import random
import signal
import sys
import threading
import time

import django

PAUSE_SECONDS = 0.01


def main(webinar_id: int, people: list[int]) -> None:
    django.setup()
    from accounts.models import User
    from tests.room.rooms import post
    from webinars.enums import Audience

    asked_to_stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: asked_to_stop.set())
    persons = list(User.objects.filter(pk__in=people))

    def say(audience: Audience, person: User | None = None) -> None:
        event = post(webinar_id, audience=audience, person=person)
        print(json.dumps([event.number, audience.value, person.pk if person else None]), flush=True)

    while not asked_to_stop.is_set():
        audience = random.choices(list(Audience), [6, 1, 1, 2])[0]
        say(audience, random.choice(persons) if audience == Audience.PERSON else None)
        time.sleep(PAUSE_SECONDS)
    say(Audience.ALL)


if __name__ == "__main__":
    main(int(sys.argv[1]), list(map(int, sys.argv[2:])))
