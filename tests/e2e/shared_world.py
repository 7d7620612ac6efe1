"""A programme whose figures a sponsor reads, and a doctor of it who agreed to be named."""

from typing import Any


def build_shared() -> dict[str, Any]:
    from accounts.enums import Role
    from tests.analytics.shared_world import doctors_of, well_shared
    from tests.e2e.marking_world import _cookie, _person
    from tests.factories.courses import CourseFactory, ProgrammeFactory

    programme = ProgrammeFactory.create(slug="sponsored", title="Fertility, with a sponsor")
    course = CourseFactory.create(programme=programme, title="Endometriosis")
    well_shared(course)
    sponsor = _person("shared-sponsor", programme, Role.SPONSOR)
    doctor = doctors_of(course)[0]
    return {"people": {"sponsor": _cookie(sponsor), "doctor": _cookie(doctor)}}
