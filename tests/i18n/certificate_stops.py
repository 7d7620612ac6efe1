"""The stops of the tour at certificates and ledgers."""

from certification.domain.publishing import publish_heads
from core.clock import now
from tests.certification.ledgers import grant_many
from tests.factories.courses import ProgrammeFactory
from tests.i18n.tour import DAY, Tour, visitor


def ledger(tour: Tour) -> None:
    tour.read(visitor(), "/ledger/", "ledger: nothing published")
    grant_many(ProgrammeFactory.create(), 1)
    for number in range(51):
        publish_heads(now=now() + number * DAY)
    tour.read(visitor(), "/ledger/?page=1", "ledger: published")


CERTIFICATE_STOPS = (ledger,)
