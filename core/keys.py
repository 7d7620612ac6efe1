"""Private keys that come as the text of an environment variable."""

import functools

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

WRONG = "not the PEM of an ECDSA key on the curve P-384"


@functools.lru_cache(maxsize=2)
def p384_key(pem: str) -> EllipticCurvePrivateKey:
    """Raises ValueError, without any of the text. Environment variables often carry the line ends as two characters."""
    try:
        key = load_pem_private_key(pem.replace("\\n", "\n").encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError(WRONG) from None  # what was raised may quote what was given
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP384R1):
        return key
    raise ValueError(WRONG)
