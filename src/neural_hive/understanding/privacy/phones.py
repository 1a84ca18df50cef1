"""Telephone numbers of Brazil, Portugal, Spain, the Americas and the United Kingdom, with or without country code."""

from __future__ import annotations

import re
from collections.abc import Iterator

from neural_hive.understanding.privacy.finding import CERTAIN, LIKELY, STRONG, Found
from neural_hive.understanding.privacy.numbers import Window, is_money, spoken_window

#: Group lengths of numbers as people write them, with the countries that write them so.
#: Source: national numbering plans as published by the ITU (E.164 list), and usage in the three languages.
_SHAPES: dict[tuple[int, ...], tuple[str, ...]] = {
    (2, 5, 4): ("BR",),
    (2, 9): ("BR",),
    (2, 1, 4, 4): ("BR",),
    (3, 5, 4): ("BR", "GB"),
    (3, 3, 4): ("US", "MX", "CO"),
    (1, 3, 3, 4): ("US",),
    (3, 2, 2, 2): ("ES",),
    (2, 3, 2, 2): ("ES",),
    (3, 3, 3): ("PT", "ES"),
    (9,): ("PT", "ES"),
    (11,): ("BR", "GB"),
    (5, 6): ("GB",),
    (3, 4, 4): ("GB",),
    (2, 4, 4): ("BR", "MX", "AR"),
    (2, 2, 5, 4): ("+",),
    (2, 2, 9): ("+",),
    (2, 2, 4, 4): ("+",),
    (13,): ("+",),
    (12,): ("+",),
    (3, 9): ("+",),
    (3, 3, 3, 3): ("+",),
    (2, 3, 3, 3): ("+",),
    (2, 3, 2, 2, 2): ("+",),
    (2, 11): ("+",),
}
_NEEDS_CUE = {(2, 4, 4), (3, 4, 4), (3, 5, 4)}  # also the shape of counts and years: want a hyphen or brackets
_BRACKETED = {(2, 5, 4), (2, 4, 4), (2, 9), (2, 8), (3, 3, 4), (2, 1, 4, 4)}
_ANY_REGION = ("BR", "PT", "ES", "US", "MX", "AR", "GB", "CO", "CL")
_LOCAL_MOBILE = re.compile(r"9\d{8}")


def phones(text: str, row: list[Window]) -> Iterator[Found]:
    """Telephone numbers among the windows of one run of digit groups."""
    for window in row:
        if len(window.digits) <= 15 and "/" not in window.separators:
            rank = _rank(text, window)
            if rank:
                start = window.start - _prefix_length(text, window.start)
                yield Found("phone", start, window.end, rank, window.digits)


def _prefix_length(text: str, start: int) -> int:
    before = text[max(0, start - 2) : start]
    for prefix in ("(+", "+(", "+ ", "+", "("):
        if before.endswith(prefix):
            return len(prefix)
    return 0


def _rank(text: str, window: Window) -> int:
    before = text[max(0, window.start - 2) : window.start].rstrip(" (")
    if before.endswith("+"):
        return CERTAIN if _is_valid("+" + window.digits, "ZZ") else 0
    if window.digits.startswith("00") and _is_valid("+" + window.digits[2:], "ZZ"):
        return STRONG
    if is_money(text, window):
        return 0
    if window.announced == "phone" and window.is_whole and len(window.digits) >= 8:
        return LIKELY
    if _has_brackets(text, window) and (window.shape in _BRACKETED or _is_valid_in(window.digits, _ANY_REGION)):
        return STRONG
    if window.announced == "other" and window.shape != (3, 3, 3):
        return 0
    return _rank_by_shape(window)


def _has_brackets(text: str, window: Window) -> bool:
    return text[window.start - 1 : window.start] == "(" and ")" in window.separators and 8 <= len(window.digits) <= 12


def _rank_by_shape(window: Window) -> int:
    if window.shape == (5, 4) and "-" in window.separators and _LOCAL_MOBILE.match(window.digits):
        return LIKELY
    regions = _SHAPES.get(window.shape)
    if regions is None or _lacks_cue(window):
        return 0
    if regions == ("+",):
        return STRONG if _is_valid("+" + window.digits, "ZZ") and _is_expected_country(window.digits) else 0
    return LIKELY if _is_valid_in(window.digits, regions) else 0


def _lacks_cue(window: Window) -> bool:
    """Whether the same shape is as common for other numbers and nothing speaks for a telephone."""
    marks, is_announced = window.separators, window.announced == "phone"
    if window.shape in _NEEDS_CUE:
        return not ("-" in marks and is_announced)
    if window.shape == (3, 3, 4):
        return not ("-" in marks or "." in marks)
    if "." in marks and not is_announced:
        return True
    return window.shape in ((9,), (11,), (3, 3, 3)) and not _is_mobile(window.digits)


def _is_expected_country(digits: str) -> bool:
    return digits.startswith(("55", "351", "34", "44", "52", "54", "57", "56"))


def _is_mobile(digits: str) -> bool:
    """Unbroken or evenly grouped digits count only when they begin as a mobile number does (fixed lines look like
    ids)."""
    if len(digits) == 9:
        return digits[0] in "67" or digits[:2] in ("91", "92", "93", "96")
    return digits[2] == "9" or digits.startswith("07")


def _is_valid_in(digits: str, regions: tuple[str, ...]) -> bool:
    return any(_is_valid(digits, region) for region in regions)


def _is_valid(number: str, region: str) -> bool:
    import phonenumbers  # 90 ms to import: only where there is something to check

    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(number, region)))
    except phonenumbers.NumberParseException:
        return False


def is_spoken_phone(text: str, row: Found) -> bool:
    """Whether a row of spoken digits (`row.key`) is a telephone number."""
    window = spoken_window(text, row)
    return 8 <= len(row.key) <= 13 and bool(_rank(text, window))
