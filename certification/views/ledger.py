"""What the world is told of the ledgers. Needs no account."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from certification.domain.publishing import published_heads

PER_PAGE = 50


@require_safe
def ledger(request: HttpRequest) -> HttpResponse:
    page = Paginator(published_heads(), PER_PAGE).get_page(request.GET.get("page"))
    heads = [
        {
            "chain": row.programme.chain.public_id,
            "day": row.published_on,
            "length": row.length,
            "hash": bytes(row.hash).hex(),
        }
        for row in page.object_list
    ]
    return render(request, "certification/ledger.html", {"page": page, "heads": heads})
