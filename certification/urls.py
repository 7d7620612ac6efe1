from django.urls import URLPattern, path

from certification.views import credit, disclosures, ledger

app_name = "certification"
urlpatterns: list[URLPattern] = [
    path("disclosures/<str:token>/", disclosures.disclosure, name="disclosure"),
    path("disclosures/<str:token>/thanks/", disclosures.thanks, name="disclosure_thanks"),
    path("activities/<int:activity_id>/disclosures/", disclosures.sheet, name="sheet"),
    path("credits/", credit.overview, name="credits"),
    path("credits/transcript.csv", credit.transcript, name="transcript"),
    path("credits/transcript.pdf", credit.transcript_pdf, name="transcript_pdf"),
    path("credits/<int:accreditation_id>/", credit.counted, name="credit"),
    path("credits/<int:accreditation_id>/claim/", credit.take, name="claim"),
    path("ledger/", ledger.ledger, name="ledger"),
]
