from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from assessments.domain.images import open_image
from assessments.rules import get_image_for


@require_safe
@login_required
@cache_control(private=True, no_store=True)
def image(request: HttpRequest, image_id: int) -> HttpResponse:
    """A picture of a question: for who has it on a paper of their own, and for staff. Kept in no cache at all."""
    try:
        file, content_type = open_image(get_image_for(request.user, image_id))
    except FileNotFoundError as absent:
        raise Http404 from absent
    with file:
        return HttpResponse(file.read(), content_type=content_type, headers={"Content-Disposition": "inline"})
