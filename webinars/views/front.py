"""What nginx asks about publishers (`deploy/nginx/rtmp.conf`): answered on this machine, to who knows the secret."""

import hmac
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from core import clock
from webinars.domain.broadcasts import end_publish_session, open_publish_session
from webinars.domain.studio import find_front_session, front_name
from webinars.enums import StreamProblem
from webinars.ingest.studio import StreamRefused


@csrf_exempt
@require_POST
@sensitive_post_parameters()
def publish(request: HttpRequest) -> HttpResponse:
    """302 renames the stream, so the key is in no name; 403 refuses it."""
    if not is_our_nginx(request):
        return HttpResponse(status=404)
    raw_key, front = request.POST.get("name", ""), front_name(request.POST.get("clientid", ""))
    try:
        session = open_publish_session(raw_key=raw_key, front=front, now=clock.now())
    except StreamRefused:
        return HttpResponse(status=403)
    return HttpResponse(status=302, headers={"Location": f"w{session.broadcast.webinar_id}-{session.number}"})


@csrf_exempt
@require_POST
@sensitive_post_parameters()
def publish_done(request: HttpRequest) -> HttpResponse:
    """For the case that the packager never came: else it has ended the session itself."""
    if not is_our_nginx(request):
        return HttpResponse(status=404)
    found = find_front_session(request.POST.get("name", ""), front=front_name(request.POST.get("clientid", "")))
    if found is not None:
        end_publish_session(session_id=found.pk, because=StreamProblem.INTERRUPTED, now=clock.now())
    return HttpResponse(status=204)


def is_our_nginx(request: HttpRequest) -> bool:
    """A request that came through a proxy carries X-Forwarded-For, whatever its last hop is."""
    try:
        near = ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        near = False
    secret = settings.RTMP_SHARED_SECRET
    knows = hmac.compare_digest(request.GET.get("secret", "").encode(), secret.encode())
    return bool(secret) and near and knows and "X-Forwarded-For" not in request.headers
