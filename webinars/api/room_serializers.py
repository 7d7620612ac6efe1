"""The live room over HTTP. What goes out is built in `domain.question_shown`, the same as in events."""

from rest_framework import serializers

from core.api.serializers import InputSerializer
from webinars.api.room import MaySerializer
from webinars.domain.announcements import LONGEST_ANNOUNCEMENT, LONGEST_TITLE, LONGEST_URL
from webinars.domain.answers import LONGEST_ANSWER
from webinars.domain.polls import LONGEST_OPTION, LONGEST_POLL, LONGEST_WORD, MOST_OPTIONS
from webinars.domain.questions import LONGEST_MESSAGE, LONGEST_QUESTION
from webinars.enums import Lane, LaneAccessLevel, PollKind, PollState, QuestionState, Restriction
from webinars.rules import Part

# Far beyond any length that is taken: the domain counts after it has cleaned the text, and says how many are allowed.
ROOM_FOR_SPACES = 4
MOST_NUMBER = 2**31 - 1


def _text(most: int, **options: object) -> serializers.CharField:
    return serializers.CharField(max_length=most * ROOM_FOR_SPACES, trim_whitespace=False, **options)  # type: ignore[arg-type]


def _number(**options: object) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=0, max_value=MOST_NUMBER, **options)  # type: ignore[arg-type]


class QuestionInput(InputSerializer):
    text = _text(LONGEST_QUESTION)
    is_anonymous = serializers.BooleanField(
        required=False, default=False, help_text="Presenters and everybody else do not see the name; moderators do."
    )
    client_key = serializers.UUIDField(help_text="Made by the caller; sent again it asks nothing twice.")
    at_seconds = serializers.FloatField(
        required=False,
        allow_null=True,
        default=None,
        min_value=0,
        max_value=10**7,
        help_text="Where the player is: program time while live, else time of the recording.",
    )


class MessageInput(InputSerializer):
    text = _text(LONGEST_MESSAGE)
    client_key = serializers.UUIDField()


class PollVoteInput(InputSerializer):
    choices = serializers.ListField(
        child=serializers.IntegerField(min_value=-1000, max_value=1000), required=False, default=list, max_length=20
    )
    words = serializers.ListField(child=_text(LONGEST_WORD), required=False, default=list, max_length=20)


class MoveInput(InputSerializer):
    """`version` always. `edited_text` and `is_priority` with forward, `edited_text` with publish, `text` with answer,
    `into` with merge; `lane`, `text` and `client_key` with say.
    """

    version = _number()
    text = _text(LONGEST_ANSWER, required=False)
    edited_text = _text(LONGEST_QUESTION, required=False, allow_blank=True)
    is_priority = serializers.BooleanField(required=False)
    into = _number(required=False)
    lane = serializers.ChoiceField(choices=Lane.choices, required=False)
    client_key = serializers.UUIDField(required=False)


class StageMoveInput(InputSerializer):
    """`text` and `client_key` with say; nothing with answer-live."""

    text = _text(LONGEST_MESSAGE, required=False)
    client_key = serializers.UUIDField(required=False)


class PollInput(InputSerializer):
    kind = serializers.ChoiceField(choices=PollKind.choices)
    question = _text(LONGEST_POLL)
    options = serializers.ListField(
        child=_text(LONGEST_OPTION), required=False, default=list, max_length=MOST_OPTIONS, help_text="In their order."
    )
    most_choices = serializers.IntegerField(required=False, default=1, min_value=1, max_value=20)
    scale_from = serializers.IntegerField(required=False, default=1, min_value=-100, max_value=100)
    scale_to = serializers.IntegerField(required=False, default=5, min_value=-100, max_value=110)


class PollMoveInput(InputSerializer):
    hidden_words = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_WORD),
        required=False,
        max_length=200,
        help_text="With show: words of a cloud that the others do not get to see.",
    )


class AnnouncementInput(InputSerializer):
    text = _text(LONGEST_ANNOUNCEMENT)
    client_key = serializers.UUIDField()


class PinInput(InputSerializer):
    title = _text(LONGEST_TITLE)
    url = serializers.CharField(max_length=LONGEST_URL)


class RestrictionInput(InputSerializer):
    reason = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)


class LaneInput(InputSerializer):
    """For one part of the room or for one person. Without a level it goes back to the default."""

    lane = serializers.ChoiceField(choices=Lane.choices)
    part = serializers.ChoiceField(choices=[(one.value, one.value) for one in Part], required=False)
    person = _number(required=False)
    level = serializers.ChoiceField(choices=LaneAccessLevel.choices, required=False, allow_null=True, default=None)


class MessageSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField()
    lane = serializers.ChoiceField(choices=Lane.choices)
    author = serializers.CharField()
    text = serializers.CharField()
    at = serializers.DateTimeField()


class OwnMessageSerializer(MessageSerializer):
    mine = serializers.BooleanField()


class OwnQuestionSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField()
    text = serializers.CharField()
    state = serializers.ChoiceField(choices=QuestionState.choices)
    answer_text = serializers.CharField()
    is_answered_live = serializers.BooleanField()
    answered_seconds = serializers.FloatField(allow_null=True)
    messages = OwnMessageSerializer(many=True)


class PublishedQuestionSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField()
    text = serializers.CharField()
    name = serializers.CharField(help_text="Empty where it was asked anonymously.")
    answer_text = serializers.CharField()
    is_answered_live = serializers.BooleanField()
    answered_seconds = serializers.FloatField(allow_null=True)
    votes = serializers.IntegerField()
    removed = serializers.BooleanField()
    voted = serializers.BooleanField()
    recording_seconds = serializers.FloatField(
        allow_null=True, help_text="Where the recording has the answer, or else the question."
    )


class QuestionsSerializer(serializers.Serializer[object]):
    number = serializers.IntegerField(help_text="Of the room when this was read: later events bring the rest.")
    may = MaySerializer()
    own = OwnQuestionSerializer(many=True)
    published = PublishedQuestionSerializer(many=True)


class PersonSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField()
    name = serializers.CharField()


class AuthorSerializer(PersonSerializer):
    country = serializers.CharField()


class DeskQuestionSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=QuestionState.choices)
    text = serializers.CharField()
    edited_text = serializers.CharField()
    author = AuthorSerializer()
    is_anonymous = serializers.BooleanField()
    is_priority = serializers.BooleanField()
    merged_into = serializers.IntegerField(allow_null=True)
    claimed_by = PersonSerializer(allow_null=True)
    claimed_until = serializers.DateTimeField(allow_null=True)
    answer_text = serializers.CharField()
    is_answered_live = serializers.BooleanField()
    answered_seconds = serializers.FloatField(allow_null=True)
    asked_at = serializers.DateTimeField()
    asked_seconds = serializers.FloatField(allow_null=True)
    votes = serializers.IntegerField()
    version = serializers.IntegerField()
    messages = MessageSerializer(many=True)


class DeskQuestionsSerializer(serializers.Serializer[object]):
    count = serializers.IntegerField()
    page = serializers.IntegerField()
    pages = serializers.IntegerField()
    by_state = serializers.DictField(child=serializers.IntegerField())
    results = DeskQuestionSerializer(many=True)


class StageQuestionSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField()
    text = serializers.CharField()
    name = serializers.CharField(help_text="Empty where it was asked anonymously.")
    country = serializers.CharField()
    is_priority = serializers.BooleanField()
    state = serializers.ChoiceField(choices=QuestionState.choices)
    answer_text = serializers.CharField()
    is_answered_live = serializers.BooleanField()
    merged_count = serializers.IntegerField()
    version = serializers.IntegerField()
    messages = MessageSerializer(many=True)
    removed = serializers.BooleanField()


class StageQuestionsSerializer(serializers.Serializer[object]):
    results = StageQuestionSerializer(many=True)


class PollOptionSerializer(serializers.Serializer[object]):
    position = serializers.IntegerField()
    text = serializers.CharField()


class PollResultsSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField()
    votes = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="By position, or by step of a scale.")
    words = serializers.DictField(child=serializers.IntegerField())
    mean = serializers.FloatField(allow_null=True)


class PollBaseSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=PollKind.choices)
    question = serializers.CharField()
    options = PollOptionSerializer(many=True)
    most_choices = serializers.IntegerField()
    scale_from = serializers.IntegerField()
    scale_to = serializers.IntegerField()
    state = serializers.ChoiceField(choices=PollState.choices)
    is_shown = serializers.BooleanField()
    results = PollResultsSerializer(allow_null=True)


class PollVoteSerializer(serializers.Serializer[object]):
    choices = serializers.ListField(child=serializers.IntegerField())
    words = serializers.ListField(child=serializers.CharField())


class PollSerializer(PollBaseSerializer):
    mine = PollVoteSerializer(allow_null=True)


class PollsSerializer(serializers.Serializer[object]):
    results = PollSerializer(many=True)


class DeskPollSerializer(PollBaseSerializer):
    opened_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    opened_seconds = serializers.FloatField(allow_null=True, help_text="Program time of its opening.")
    hidden_words = serializers.ListField(child=serializers.CharField())


class DeskPollsSerializer(serializers.Serializer[object]):
    results = DeskPollSerializer(many=True)


class AnnouncementSerializer(serializers.Serializer[object]):
    id = serializers.UUIDField()
    text = serializers.CharField()


class PinSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField()
    title = serializers.CharField()
    url = serializers.CharField()
    removed = serializers.BooleanField()


class PinsSerializer(serializers.Serializer[object]):
    results = PinSerializer(many=True)


class CannedReplySerializer(serializers.Serializer[object]):
    id = serializers.IntegerField()
    title = serializers.CharField()
    text = serializers.CharField()


class CannedRepliesSerializer(serializers.Serializer[object]):
    results = CannedReplySerializer(many=True)


class RestrictedSerializer(serializers.Serializer[object]):
    user = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=Restriction.choices)
    reason = serializers.CharField()
    by = serializers.CharField()
    at = serializers.DateTimeField()


class RestrictedPeopleSerializer(serializers.Serializer[object]):
    results = RestrictedSerializer(many=True)


class LaneSettingSerializer(serializers.Serializer[object]):
    lane = serializers.ChoiceField(choices=Lane.choices)
    part = serializers.CharField(help_text="Empty for the setting of a person.")
    person = PersonSerializer(allow_null=True)
    level = serializers.ChoiceField(choices=LaneAccessLevel.choices)


class LanesSerializer(serializers.Serializer[object]):
    results = LaneSettingSerializer(many=True)


class LogEntrySerializer(serializers.Serializer[object]):
    number = serializers.IntegerField()
    at = serializers.DateTimeField()
    by = serializers.CharField()
    did = serializers.CharField(help_text="A code, such as question.forward.")
    what = serializers.CharField()


class LogSerializer(serializers.Serializer[object]):
    results = LogEntrySerializer(many=True)
