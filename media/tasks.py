"""Celery doorbells. What is to be done stands in the database; a lost message costs a minute, never a video."""

from celery import shared_task
from django.utils.timezone import now


@shared_task
def transcode(video_id: int) -> None:
    from media.domain.transcoding import transcode_video

    transcode_video(video_id=video_id)


@shared_task
def sweep() -> None:
    from media.domain.sweeping import sweep_media

    sweep_media(now=now())
