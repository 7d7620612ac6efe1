from webinars.models.broadcast import Broadcast, Chapter, Cut, Edition, PublishSession, Segment, StreamKey, StreamNotice
from webinars.models.checks import RoomCheck
from webinars.models.ivs import IvsViewer
from webinars.models.polls import Poll, PollOption, PollVote
from webinars.models.questions import CannedReply, Question, QuestionMessage, QuestionVote
from webinars.models.room import LaneAccess, PersonRestriction, Pin, Presence, Room, RoomEvent
from webinars.models.spot import SpotRequest, SpotWindow
from webinars.models.tally import Tally
from webinars.models.watching import PlaySession, WatchRecord
from webinars.models.webinar import Registration, Visit, Webinar

__all__ = [
    "Broadcast",
    "CannedReply",
    "Chapter",
    "Cut",
    "Edition",
    "IvsViewer",
    "LaneAccess",
    "PersonRestriction",
    "Pin",
    "PlaySession",
    "Poll",
    "PollOption",
    "PollVote",
    "Presence",
    "PublishSession",
    "Question",
    "QuestionMessage",
    "QuestionVote",
    "Registration",
    "Room",
    "RoomCheck",
    "RoomEvent",
    "Segment",
    "SpotRequest",
    "SpotWindow",
    "StreamKey",
    "StreamNotice",
    "Tally",
    "Visit",
    "WatchRecord",
    "Webinar",
]
