from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CertificationConfig(AppConfig):
    name = "certification"
    verbose_name = _("Certification")

    def ready(self) -> None:
        from accounts.domain.people import know_councils
        from certification.domain.before import credit_page_of, disclosures_before
        from certification.domain.evidence import council_titles
        from courses.domain import credited, gates

        gates.register(disclosures_before)
        credited.register(credit_page_of)
        know_councils(lambda: council_titles().values())
