"""Fills the cluster's database, through PgBouncer, and prints who may come: `python -m tests.cluster.seed 20`."""

import json
import sys
from typing import Any

import django


def main(count: int) -> None:
    django.setup()
    from django.conf import settings
    from django.http import HttpResponse
    from django.utils import timezone

    from accounts.models import User
    from media.domain.grants import issue
    from tests.bench.people import make_audience, make_login
    from tests.factories.media import VideoFactory
    from webinars.models import PlaySession

    audience = make_audience(count)
    viewers: list[dict[str, Any]] = []
    for viewer, one in zip(audience.viewers(), audience.sessions, strict=True):
        make_login(one.user, viewer["cookie"])
        viewers.append({**viewer, "user": one.user_id})
    # Each row in a transaction of its own: a cursor on the server would be gone at the second one.
    assert sum(1 for _ in User.objects.order_by("pk").iterator(2)) == User.objects.count()
    video, first = VideoFactory.create(), audience.sessions[0]
    folder = settings.MEDIA_ROOT / "videos" / str(video.key) / "v1" / "360p"
    folder.mkdir(parents=True)
    folder.joinpath("00000.ts").write_bytes(b"G" + b"a piece of a lecture" * 1000)
    response = HttpResponse()
    issue(response, video=video, user_id=first.user_id, device_id=first.device_id, now=timezone.now())
    (grant,) = response.cookies.values()
    media = {"path": f"/media/videos/{video.key}/v1/360p/00000.ts", "cookie": f"{grant.key}={grant.value}"}
    assert PlaySession.objects.count() == count
    sys.stdout.write(json.dumps({"viewers": viewers, "media": media}) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
