"""Data and results that others have published, to hold our figures against."""

import numpy as np
from numpy.typing import NDArray

# Section 6 of the Law School Admission Test, 1,000 people and 5 questions: R. D. Bock and M. Lieberman (1970), "Fitting
# a response model for n dichotomously scored items", Psychometrika 35, 179-197. Answers, and how many gave them.
LSAT = {
    "00000": 3,
    "00001": 6,
    "00010": 2,
    "00011": 11,
    "00100": 1,
    "00101": 1,
    "00110": 3,
    "00111": 4,
    "01000": 1,
    "01001": 8,
    "01011": 16,
    "01101": 3,
    "01110": 2,
    "01111": 15,
    "10000": 10,
    "10001": 29,
    "10010": 14,
    "10011": 81,
    "10100": 3,
    "10101": 28,
    "10110": 15,
    "10111": 80,
    "11000": 16,
    "11001": 56,
    "11010": 21,
    "11011": 173,
    "11100": 11,
    "11101": 61,
    "11110": 28,
    "11111": 298,
}
# D. Rizopoulos (2006), "ltm: An R package for latent variable modeling and item response theory analyses", Journal of
# Statistical Software 17(5): share of right answers, point-biserial with the question left out, Cronbach's alpha,
# alpha without each question, and the two-parameter model with its standard errors and log-likelihood.
LSAT_FACILITY = (0.924, 0.709, 0.553, 0.763, 0.870)
LSAT_DISCRIMINATION = (0.1128, 0.1532, 0.1728, 0.1445, 0.1216)
LSAT_ALPHA = 0.2950
LSAT_ALPHA_WITHOUT = (0.2754, 0.2376, 0.2168, 0.2459, 0.2663)
LSAT_A = (0.8254, 0.7229, 0.8905, 0.6886, 0.6575)
LSAT_A_ERROR = (0.2581, 0.1867, 0.2326, 0.1852, 0.2100)
LSAT_B = (-3.3597, -1.3696, -0.2799, -1.8659, -3.1236)
LSAT_B_ERROR = (0.8669, 0.3073, 0.0997, 0.4341, 0.8700)
LSAT_LOG_LIKELIHOOD = -2466.653

# K. L. Wuensch, "KR20" (East Carolina University, StatHelp): ten students and ten questions; the variance of the sums
# (5.84) and the sum of pq (2.18) are given there, and KR-20 follows: 10/9 (1 - 2.18 / 5.84).
STUDENTS = (
    "1111110110",
    "1011011101",
    "1111011001",
    "0010001000",
    "0000010010",
    "1110111111",
    "1101110111",
    "1111111101",
    "0101111101",
    "1101101110",
)
STUDENTS_P = (0.7, 0.7, 0.6, 0.7, 0.6, 0.8, 0.7, 0.7, 0.5, 0.6)
STUDENTS_VARIANCE, STUDENTS_PQ = 5.84, 2.18

# D. Lakens (2013), "Calculating and reporting effect sizes to facilitate cumulative science", table 1, in Frontiers in
# Psychology, volume 4, article 863. Two ratings by ten people have means of 7.7 and 8.7, a d_z of 1.50, a d_av of 1.13.
SECOND_RATING, FIRST_RATING = (9, 6, 7, 8, 7, 9, 8, 8, 8, 7), (9, 7, 8, 9, 8, 9, 9, 10, 9, 9)
RATINGS_D_Z, RATINGS_D_AV = 1.50, 1.13


def lsat() -> NDArray[np.bool_]:
    """People by questions."""
    return np.array([[mark == "1" for mark in marks] for marks, count in LSAT.items() for _ in range(count)])


def students() -> NDArray[np.bool_]:
    return np.array([[mark == "1" for mark in marks] for marks in STUDENTS])
