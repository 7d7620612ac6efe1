"""The state medical councils of India as plain data.

Every number names its source, and every row what was not found. Councils change their circulars often, publish them in
places that move, and several suspended their rules for years: a person must check the current text with the council
before real use.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from certification.authorities.base import Source

FIVE_YEARS = 60
CHECK = "Check the current circular of the council before real use."

ETHICS = Source(
    "Indian Medical Council (Professional Conduct, Etiquette and Ethics) Regulations, 2002, clause 1.2.3",
    "https://www.renewalskeptics.com/2016/06/24/code-of-ethics-and-renewal/",
    "At least 30 hours of professional meetings in five years.",
)
SURVEY = Source(
    "cmepedia: CME in India, websites of all councils, April 2020 and February 2023",
    "https://cmepedia.com/cme-in-india",
    "Credits that each council requires, and whether it takes online CME.",
)
MAHARASHTRA_RULES = Source(
    "Maharashtra Medical Council, guidelines for CME",
    "http://doczz.net/doc/6778382/6-credit-points-per-year-are-required-and-minimum-30-cred...",
    "6 points a year and 30 for renewal; five years from registration, mostly from 1 April to 31 March; never more "
    "than 4 for one event of any length.",
)
MAHARASHTRA_ONLINE = Source(
    "Notice of the Maharashtra Medical Council (as medicosplexus.com quotes it)",
    "https://medicosplexus.com/exemption-of-credit-hours-for-registration-by-medical-council/",
    "Online CME up to 20 %: at most 6 in five years, approved by the council.",
)
KARNATAKA_RULES = Source(
    "portea.com on the notice of the Karnataka Medical Council of 2011",
    "https://blog.portea.com/dr-speaks/a-storm-in-the-medicine-bottle",
    "30 points in five years at no more than 6 a year.",
)
KARNATAKA_ONLINE = Source(
    "dailyrounds.org on the council's online CME",
    "https://dailyrounds.org/blog/now-earn-cme-credit-hours-online-in-india",
    "8 credit hours can come from online CME, after a test.",
)
KARNATAKA_END = Source(
    "Karnataka Act No 41 of 2024, gazette of 16 August 2024 (as renewalskeptics.com reports)",
    "https://renewalskeptics.com",
    "The amendments that allowed renewal with CME credits are annulled.",
)
GUJARAT_RULES = Source(
    "Gujarat Medical Council, CME guideline",
    "https://gmcgujarat.org/cme_guidenline.aspx",
    "30 hours a year, or 150 in five years; since 1 January 2012.",
)
TAMIL_NADU_RULES = Source(
    "Tamil Nadu Medical Council, gazette of 10 October 2018 (Medical Dialogues)",
    "https://medicaldialogues.in/all-doctors-have-to-submit-proof-of-cme-credit-hours-tn-medical-council-gazette/",
    "30 credit hours in five years; blocks from 1 June 2012 and 1 June 2017; two hours online are one credit hour.",
)
PUNJAB_RULES = Source(
    "Punjab Medical Council (Medical Dialogues, 2019)",
    "https://medicaldialogues.in/punjab-medical-council-waives-of-cme-credit-hours-required-for-registration-renewal/",
    "50 credit hours in five years; waived once, up to 31 March 2019.",
)
MANIPUR_RULES = Source(
    "Manipur Medical Council, CME accreditation guidelines (scribd 714583884)",
    "https://www.scribd.com/document/714583884/MMCCMEAccreditationGuidelines",
    "Three hours, half a day, are one credit hour.",
)
RAJASTHAN_RULES = Source(
    "Rajasthan Medical Council, CME",
    "https://rmcjaipur.org/cme.aspx",
    "The council accredits each programme and awards its credit hours.",
)
DELHI_RULES = Source(
    "Delhi Medical Council, requirements for CME",
    "http://delhimedicalcouncil.org/cme-performa.php",
    "Programmes are accredited in advance, with 15 minutes on ethics; none outside of Delhi.",
)


@dataclass(frozen=True, slots=True)
class Council:
    """`required` None: no number, or none found. `anchor` is the first day of any cycle; with `is_personal` only where
    the person's own is not known. `most_…`: caps of credits; `online` for what is taken over a network.
    """

    key: str
    title: str
    required: Decimal | None
    sources: tuple[Source, ...]
    months: int = FIVE_YEARS
    anchor: date = date(2020, 1, 1)
    is_personal: bool = True
    year_starts: tuple[int, int] = (1, 1)
    required_per_year: Decimal | None = None
    most_per_year: Decimal | None = None
    most_online: Decimal | None = None
    most_per_event: Decimal | None = None
    takes_online: bool = True
    needs_code: bool = True
    minutes_per_credit: int = 60
    to_check: tuple[str, ...] = (CHECK,)


THIRTY = Decimal(30)
YEARS_UNKNOWN = "Whether the cycle runs from the registration or from one day for all."

MAHARASHTRA = Council(
    "maharashtra",
    "Maharashtra Medical Council",
    THIRTY,
    (MAHARASHTRA_RULES, MAHARASHTRA_ONLINE, SURVEY),
    anchor=date(2020, 4, 1),
    year_starts=(4, 1),
    required_per_year=Decimal(6),
    most_online=Decimal(6),
    most_per_event=Decimal(4),
    to_check=(CHECK, "Since 2018 the council's own online programme is said to count up to 10."),
)
KARNATAKA = Council(
    "karnataka",
    "Karnataka Medical Council",
    THIRTY,
    (KARNATAKA_RULES, KARNATAKA_ONLINE, SURVEY),
    most_per_year=Decimal(6),
    most_online=Decimal(8),
    to_check=(CHECK, YEARS_UNKNOWN, "Whether the online limit is for a cycle: the source does not say."),
)
KARNATAKA_NOW = Council(
    "karnataka",
    "Karnataka Medical Council",
    None,
    (KARNATAKA_END,),
    needs_code=False,
    to_check=(CHECK, "What the council still accredits after the act of 2024."),
)
OTHERS = (
    Council(
        "gujarat",
        "Gujarat Medical Council",
        Decimal(150),
        (GUJARAT_RULES, SURVEY),
        anchor=date(2012, 1, 1),
        required_per_year=THIRTY,
        to_check=(CHECK, YEARS_UNKNOWN, "Caps for a day and for online CME."),
    ),
    Council(
        "tamil_nadu",
        "Tamil Nadu Medical Council",
        THIRTY,
        (TAMIL_NADU_RULES, SURVEY),
        anchor=date(2012, 6, 1),
        is_personal=False,
        minutes_per_credit=120,
        to_check=(CHECK, "Doctors of 65 and more need less, of 70 none.", "The third block may begin on 1 July 2022."),
    ),
    Council(
        "punjab",
        "Punjab Medical Council",
        Decimal(50),
        (PUNJAB_RULES, SURVEY),
        to_check=(CHECK, YEARS_UNKNOWN, "Whether the waiver was prolonged."),
    ),
    Council(
        "rajasthan",
        "Rajasthan Medical Council",
        THIRTY,
        (RAJASTHAN_RULES, ETHICS, SURVEY),
        to_check=(CHECK, YEARS_UNKNOWN, "Caps of any kind."),
    ),
    Council(
        "manipur",
        "Manipur Medical Council",
        THIRTY,
        (MANIPUR_RULES, SURVEY),
        minutes_per_credit=180,
        to_check=(CHECK, YEARS_UNKNOWN, "What an hour online is worth."),
    ),
    Council(
        "kerala",
        "Travancore Cochin Medical Councils (Kerala)",
        THIRTY,
        (SURVEY,),
        takes_online=False,
        to_check=(CHECK, YEARS_UNKNOWN, "Online CME was not taken in 2020 and 2023."),
    ),
    Council(
        "west_bengal",
        "West Bengal Medical Council",
        THIRTY,
        (SURVEY,),
        takes_online=False,
        to_check=(CHECK, YEARS_UNKNOWN, "Online CME was not taken in 2020."),
    ),
    Council(
        "delhi",
        "Delhi Medical Council",
        None,
        (DELHI_RULES, SURVEY),
        to_check=(CHECK, "How many credits a renewal wants: the council's pages did not say."),
    ),
)

EARLIER = {one.key: one for one in (MAHARASHTRA, KARNATAKA, *OTHERS)}
NOW = {one.key: one for one in (MAHARASHTRA, KARNATAKA_NOW, *OTHERS)}
