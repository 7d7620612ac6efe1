from assessments.models.attempt import Answer, Attempt, Candidate
from assessments.models.bank import Bank, Board, BoardTopic, Item, ItemImage, ItemVersion, KeyRevision
from assessments.models.evaluation import (
    Evaluation,
    EvaluationAnswer,
    EvaluationForm,
    EvaluationQuestion,
    EvaluationReceipt,
    EvaluationResponse,
)
from assessments.models.marking import HandMark, MarkingTurn, ScoreChange
from assessments.models.quiz import Pause, Pick, Quiz, Section
from assessments.models.ranking import AnalysisReport, Place, Ranking

__all__ = (
    "AnalysisReport",
    "Answer",
    "Attempt",
    "Bank",
    "Board",
    "BoardTopic",
    "Candidate",
    "Evaluation",
    "EvaluationAnswer",
    "EvaluationForm",
    "EvaluationQuestion",
    "EvaluationReceipt",
    "EvaluationResponse",
    "HandMark",
    "Item",
    "ItemImage",
    "ItemVersion",
    "KeyRevision",
    "MarkingTurn",
    "Pause",
    "Pick",
    "Place",
    "Quiz",
    "Ranking",
    "ScoreChange",
    "Section",
)
