from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WebinarsConfig(AppConfig):
    name = "webinars"
    verbose_name = _("Webinars")

    def ready(self) -> None:
        from courses.domain import lesson_kinds
        from courses.enums import LessonKind
        from media.rules import share_videos
        from webinars.domain.lessons import WebinarLessons
        from webinars.rules import videos_staffed_by

        lesson_kinds.register(LessonKind.WEBINAR, WebinarLessons())
        share_videos(videos_staffed_by)
