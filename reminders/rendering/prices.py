"""What an SMS may cost: an order of magnitude for whoever writes one, never a bill.

US cents for one part, rounded up from what resellers list publicly in 2025 and 2026 for messages from abroad.
Contracts, senders registered in the country and carriers' fees change it several times over: the provider's own counts.
"""

from decimal import Decimal
from functools import cache

USUAL = 10
# Calling code → cents. The longest code that a number begins with counts.
CENTS = {
    "1": 1, "20": 30, "212": 12, "213": 26, "216": 22, "221": 12, "225": 10, "233": 27, "234": 25, "237": 12, "244": 9,
    "249": 25, "251": 30, "254": 15, "255": 18, "256": 18, "260": 15, "263": 12, "27": 4, "30": 8, "31": 11, "32": 11,
    "33": 8, "34": 9, "351": 5, "353": 8, "355": 9, "358": 9, "359": 11, "36": 9, "370": 5, "371": 6, "372": 7,
    "373": 11, "374": 14, "375": 26, "380": 12, "381": 9, "385": 8, "386": 11, "387": 9, "389": 6, "39": 10, "40": 7,
    "41": 8, "420": 6, "421": 8, "43": 10, "44": 5, "45": 6, "46": 6, "47": 7, "48": 5, "49": 11, "51": 6, "52": 5,
    "54": 10, "55": 6, "56": 6, "57": 5, "58": 8, "591": 15, "593": 18, "595": 5, "598": 7, "60": 10, "61": 6, "62": 45,
    "63": 22, "64": 12, "65": 5, "66": 3, "7": 35, "77": 30, "81": 9, "82": 4, "84": 14, "852": 8, "855": 12, "86": 5,
    "880": 33, "886": 7, "90": 3, "91": 9, "92": 42, "93": 38, "94": 33, "95": 30, "961": 10, "962": 30, "963": 15,
    "964": 32, "965": 22, "966": 15, "967": 20, "968": 14, "970": 25, "971": 11, "972": 22, "973": 4, "974": 20,
    "975": 41, "977": 20, "992": 40, "993": 25, "994": 39, "995": 12, "996": 32, "998": 38,
}  # fmt: skip


def cents_of(number: str, *, parts: int) -> Decimal:
    """`number` in the international form (+91…)."""
    return Decimal(parts * _cents(number.lstrip("+")[:3]))


@cache
def _cents(beginning: str) -> int:
    lengths = range(len(beginning), 0, -1)
    return next((CENTS[beginning[:length]] for length in lengths if beginning[:length] in CENTS), USUAL)


def of_many(cents: Decimal, messages: int = 1_000) -> Decimal:
    """US dollars for that many such messages."""
    return (cents * messages / 100).quantize(Decimal(1))
