"""Numbers that read like real ones and belong to nobody.

Check characters are right, so that a checker accepts them; what a stranger could dial, pay to or be identified by is out of the
range that is given out: mobile numbers begin with 154, which no operator has; identity numbers are of births before 1910 in a county
code that never was; bank cards have an issuer number that no bank has.
"""

from datetime import date
from functools import cache
from itertools import product
from operator import mul

CODE_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100-2015: no I, O, S, V, Z
_VALUE = {character: value for value, character in enumerate(CODE_CHARACTERS)}
_IN_36 = {character: int(character, 36) for character in CODE_CHARACTERS}
_DOUBLED = str.maketrans("0123456789", "0246813579")  # twice the digit, its two digits added
_CODE_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_IDENTITY_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def organisation_code(number: int, prefix: str = "MA") -> str:
    """The nine characters of an organisation (GB 11714); every number below 31**6 gives another."""
    number = (number * 605_318_447 + 1_234_567) % 31**6  # spread; the factor has no 31 in it, so nothing meets
    first, last = divmod(number, 31**3)
    three = _threes()
    return with_check(prefix + three[first] + three[last])


@cache
def _threes() -> list[str]:
    return ["".join(three) for three in product(CODE_CHARACTERS, repeat=3)]


def with_check(body: str) -> str:
    """Eight characters of an organisation and their check character, in which letters count on from 10 (GB 11714, unlike GB 32100)."""
    total = sum(map(mul, _ORGANISATION_WEIGHTS, map(_IN_36.__getitem__, body)))
    return body + "0123456789X0"[11 - total % 11]


def credit_code(registrar: str, region: str, organisation: str) -> str:
    """18 characters from a registrar's two, a region's six and an organisation's nine, with the check character of GB 32100-2015."""
    body = registrar + region + organisation
    total = sum(map(mul, _CODE_WEIGHTS, map(_VALUE.__getitem__, body)))
    return body + CODE_CHARACTERS[(31 - total % 31) % 31]


def wrong_check(code: str) -> str:
    """The same credit code with another check character."""
    return code[:-1] + CODE_CHARACTERS[(_VALUE[code[-1]] + 7) % 31]


def mobile(number: int) -> str:
    """A mobile number of the range 154, which is given to nobody."""
    return f"154{number * 48_271 % 100_000_000:08d}"


def identity_number(born: date, number: int) -> str:
    """An identity number with the right check character (GB 11643) in county 110199, which never was."""
    body = f"110199{born:%Y%m%d}{number % 1000:03d}"
    total = sum(map(mul, _IDENTITY_WEIGHTS, map(int, body)))
    return body + "10X98765432"[total % 11]


def bank_card(number: int) -> str:
    """A card number of 19 digits whose last one is right (Luhn), of the issuer 620000, which is nobody."""
    body = f"620000{number * 69_621 % 10**12:012d}"
    total = sum(map(int, body[1::2].translate(_DOUBLED))) + sum(map(int, body[::2]))
    return body + str(-total % 10)
