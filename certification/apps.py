from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CertificationConfig(AppConfig):
    name = "certification"
    verbose_name = _("Certification")

    def ready(self) -> None:
        from certification.domain.before import disclosures_before
        from courses.domain import gates

        gates.register(disclosures_before)
