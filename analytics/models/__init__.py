from analytics.models.audience import AudienceDay, AudienceHour, AudienceMinute, RollupState
from analytics.models.playback import PlaybackReport, PlayerSummary, QualityHour, QualityMinute
from analytics.models.sharing import ColdFile, SharingConsent
from analytics.models.statements import Pseudonym, Statement, StatementFeed

__all__ = (
    "AudienceDay",
    "AudienceHour",
    "AudienceMinute",
    "ColdFile",
    "PlaybackReport",
    "PlayerSummary",
    "Pseudonym",
    "QualityHour",
    "QualityMinute",
    "RollupState",
    "SharingConsent",
    "Statement",
    "StatementFeed",
)
