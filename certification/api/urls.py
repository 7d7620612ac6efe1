from django.urls import URLPattern, path

from certification.api import credits as own

urlpatterns: list[URLPattern] = [
    path("credits/", own.CreditsView.as_view(), name="credits"),
    path("credits/<int:accreditation_id>/claim/", own.ClaimView.as_view(), name="credit-claim"),
]
