"""A lecture with a week of numbers, for the browser tests, and who reads them."""

from typing import Any


def build_reports() -> dict[str, Any]:
    from accounts.enums import Role
    from tests.analytics.lecture_world import well_visited
    from tests.e2e.marking_world import _cookie, _person
    from tests.e2e.shared_world import build_shared
    from tests.factories.courses import CourseFactory, ProgrammeFactory

    programme = ProgrammeFactory.create(slug="counted", title="Fertility, counted")
    presenter = _person("reports-presenter", programme, Role.PRESENTER)
    course = CourseFactory.create(programme=programme, title="Endometriosis")
    webinar = well_visited(course, presenter)
    return {"webinar": webinar.pk, "shared": build_shared(), "people": {"presenter": _cookie(presenter)}}
