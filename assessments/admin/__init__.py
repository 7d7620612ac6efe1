"""The admin of tests: one module for each part of the work."""

from assessments.admin.banks import BankAdmin, BoardAdmin, ItemAdmin
from assessments.admin.evaluations import EvaluationAdmin, EvaluationFormAdmin
from assessments.admin.figures import AnalysisReportAdmin
from assessments.admin.quizzes import QuizAdmin
from assessments.admin.sections import SectionAdmin

__all__ = [
    "AnalysisReportAdmin",
    "BankAdmin",
    "BoardAdmin",
    "EvaluationAdmin",
    "EvaluationFormAdmin",
    "ItemAdmin",
    "QuizAdmin",
    "SectionAdmin",
]
