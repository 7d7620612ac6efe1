"""A webinar whose doors are open, with a check of three questions in it: `python -m tests.e2e.check_world`."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

QUESTIONS = (
    ("What is offered first at 38 with an AMH of 0.6?", ("Surgery", "IVF", "Expectant management", "Letrozole")),
    ("Which cyst is operated before IVF?", ("3 cm, both sides", "5 cm, one side", "None at all", "Any painful one")),
    ("Who decides?", ("The surgeon", "The couple, well informed", "The laboratory", "The insurer")),
)


def main() -> None:
    import django

    django.setup()
    print(json.dumps(build()))


def build() -> dict[str, Any]:
    from django.utils.timezone import now

    from accounts.enums import Role
    from tests.e2e.desk_world import cookie_of, make_person
    from tests.factories.assessments import BankFactory, make_item, make_quiz
    from tests.factories.courses import LessonFactory, ProgrammeFactory
    from tests.factories.webinars import LiveWebinarFactory

    programme = ProgrammeFactory.create(title="Fertility 2026", slug=f"check-{uuid4().hex[:12]}")
    lesson = LessonFactory.create(course__programme=programme, title="Surgery before IVF")
    presenter = make_person("Ana", "Ribeiro", programme, Role.PRESENTER)
    webinar = LiveWebinarFactory.create(lesson=lesson, starts_at=now() + timedelta(minutes=6), presenters=[presenter])
    bank = BankFactory.create(programme=programme)
    items = [
        make_item(
            bank=bank,
            stem=stem,
            shown={"options": [{"id": name, "text": text} for name, text in zip("abcd", texts, strict=True)]},
        )
        for stem, texts in QUESTIONS
    ]
    inner = LessonFactory.create(course=lesson.course, kind="quiz", title="Three patients")
    make_quiz(lesson=inner, items=items, kind="check", during=lesson, grace_seconds=0)
    moderator = make_person("Tomas", "Berg", programme, Role.MODERATOR)
    people = {"presenter": presenter, "moderator": moderator, "doctor": make_person("Meera", "Nair", programme)}
    return {"webinar": webinar.pk, "people": {name: cookie_of(person) for name, person in people.items()}}


if __name__ == "__main__":
    main()
