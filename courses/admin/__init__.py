"""The admin of programmes: one module for each part of the work."""

from courses.admin.courses import CourseAdmin, LessonAdmin
from courses.admin.people import EnrolmentAdmin, RoleGrantAdmin
from courses.admin.programmes import ProgrammeAdmin

__all__ = ["CourseAdmin", "EnrolmentAdmin", "LessonAdmin", "ProgrammeAdmin", "RoleGrantAdmin"]
