from django.urls import URLPattern, path

from certification.views import disclosures, ledger

app_name = "certification"
urlpatterns: list[URLPattern] = [
    path("disclosures/<str:token>/", disclosures.disclosure, name="disclosure"),
    path("disclosures/<str:token>/thanks/", disclosures.thanks, name="disclosure_thanks"),
    path("activities/<int:activity_id>/disclosures/", disclosures.sheet, name="sheet"),
    path("ledger/", ledger.ledger, name="ledger"),
]
