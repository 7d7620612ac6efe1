from analytics.models.audience import AudienceDay, AudienceHour, AudienceMinute, RollupState
from analytics.models.playback import PlaybackReport, QualityHour, QualityMinute
from analytics.models.sharing import ColdFile, SharingConsent, Statement

__all__ = (
    "AudienceDay",
    "AudienceHour",
    "AudienceMinute",
    "ColdFile",
    "PlaybackReport",
    "QualityHour",
    "QualityMinute",
    "RollupState",
    "SharingConsent",
    "Statement",
)
