"""Videos as rows. Nothing is stored: tests that need files make them with the pipeline."""

from typing import Any

import factory
from django.utils.timezone import now

from media.enums import VideoStatus
from media.models import Video


class VideoFactory(factory.django.DjangoModelFactory[Video]):
    """Ready to be watched, one hour long; `VideoFactory(status=VideoStatus.EMPTY)` has no file yet."""

    class Meta:
        model = Video

    title = factory.Sequence(lambda n: f"Lecture {n}")
    status = VideoStatus.READY
    duration_seconds = 3600.0
    created_at = factory.LazyFunction(now)
    updated_at = factory.LazyFunction(now)

    @classmethod
    def _create(cls, model_class: type[Video], *args: Any, **kwargs: Any) -> Video:
        if kwargs["status"] == VideoStatus.READY:
            published = {"published_version": "v1", "published_at": now(), "width": 1280, "height": 720}
            kwargs = published | {"has_audio": True} | kwargs
        else:
            kwargs["duration_seconds"] = None
        video: Video = model_class.objects.create(*args, **kwargs)
        return video
