"""The United States, as PARS names them: in full."""

import re

STATES = {
    "Alabama": "AL", "Alaska": "AK", "Arizona": "AZ", "Arkansas": "AR", "California": "CA", "Colorado": "CO",
    "Connecticut": "CT", "Delaware": "DE", "District of Columbia": "DC", "Florida": "FL", "Georgia": "GA",
    "Hawaii": "HI", "Idaho": "ID", "Illinois": "IL", "Indiana": "IN", "Iowa": "IA", "Kansas": "KS", "Kentucky": "KY",
    "Louisiana": "LA", "Maine": "ME", "Maryland": "MD", "Massachusetts": "MA", "Michigan": "MI", "Minnesota": "MN",
    "Mississippi": "MS", "Missouri": "MO", "Montana": "MT", "Nebraska": "NE", "Nevada": "NV", "New Hampshire": "NH",
    "New Jersey": "NJ", "New Mexico": "NM", "New York": "NY", "North Carolina": "NC", "North Dakota": "ND",
    "Ohio": "OH", "Oklahoma": "OK", "Oregon": "OR", "Pennsylvania": "PA", "Rhode Island": "RI",
    "South Carolina": "SC", "South Dakota": "SD", "Tennessee": "TN", "Texas": "TX", "Utah": "UT", "Vermont": "VT",
    "Virginia": "VA", "Washington": "WA", "West Virginia": "WV", "Wisconsin": "WI", "Wyoming": "WY",
}  # fmt: skip
_BY_CODE = {code: name for name, code in STATES.items()}
# The longest first: West Virginia is not Virginia.
_NAMES = re.compile(rf"\b({'|'.join(sorted(STATES, key=len, reverse=True))})\b", re.IGNORECASE)
_BY_NAME = {name.casefold(): name for name in STATES}


def state_of(council: str) -> str:
    """From what a profile says: 'Medical Board of California' or 'CA'. Empty where it names none."""
    plain = council.strip()
    if plain.upper() in _BY_CODE:
        return _BY_CODE[plain.upper()]
    named = _NAMES.search(plain)
    return _BY_NAME[named[1].casefold()] if named else ""
