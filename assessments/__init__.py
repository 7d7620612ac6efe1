"""Question banks, quizzes, attempts, grading and evaluations: the lesson kinds `quiz` and `evaluation`."""
