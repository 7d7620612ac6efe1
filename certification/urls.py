from django.urls import URLPattern, path

from certification.views import ledger

app_name = "certification"
urlpatterns: list[URLPattern] = [
    path("ledger/", ledger.ledger, name="ledger"),
]
