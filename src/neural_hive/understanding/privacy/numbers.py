"""Identifiers that are only digits: found in runs of digit groups, told apart by check digits, shape and context."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from neural_hive.understanding.privacy import checksums
from neural_hive.understanding.privacy.context import announced
from neural_hive.understanding.privacy.finding import CERTAIN, LIKELY, STRONG, Found

# Groups of digits with one to three separators between them: each character is read once.
_RUN = re.compile(r"\d+(?:[ \t\r\n.\-/()_]{1,3}\d+)*")
_GROUP = re.compile(r"\d+")
_MIN_DIGITS, _MAX_DIGITS = 7, 19
_MAX_SAID = 24  # a longer row of single digits is no identifier
_MONEY_BEFORE = re.compile(r"(?:R\$|US\$|\$|€|£|EUR|BRL|USD|GBP)\s?$", re.IGNORECASE)
_MONEY_AFTER = re.compile(
    r",\d|\.\d{1,2}(?!\d)|\s?(?:€|£|\$|%|reais|euros?|d[óo]lar(?:es)?|dollars?|pesos|libras|pounds|eur|brl"
    r"|usd)(?![^\W\d_])",
    re.IGNORECASE,
)
_COUNT_AFTER = re.compile(
    r"\s?(?:registros?|registos?|records?|rows?|linhas?|l[íi]neas|filas|bytes|[kmgt]b|ms|segundos|seconds|requests?"
    r"|requisi[çc][õo]es|usu[áa]rios|users|usuarios|clientes|unidades|units)(?![^\W\d_])",
    re.IGNORECASE,
)


class Window(NamedTuple):
    """Neighbouring digit groups: their digits, how many in each, what joins them, and what the context announces."""

    digits: str
    shape: tuple[int, ...]
    is_whole: bool
    separators: str
    announced: str
    start: int
    end: int

    def is_shaped(self, *shapes: tuple[int, ...]) -> bool:
        """Whether the groups are usual for an identifier: unbroken, one of `shapes`, or digit by digit."""
        return len(self.shape) == 1 or self.shape in shapes or len(self.shape) == len(self.digits)


class Rule(NamedTuple):
    """An identifier of digits only.

    shapes: usual group lengths. is_bare: check digits are enough, without a context word. refuses_other: a context word
    such as "order" or an amount speaks against it (for check digits that one random number in ten passes).
    """

    kind: str
    lengths: tuple[int, ...]
    check: Callable[[str], bool]
    announced_by: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    is_bare: bool
    refuses_other: bool = False
    is_loose: bool = True  # a context word is enough, even when the check digits are wrong (a typing error)


RULES: tuple[Rule, ...] = (
    Rule("cpf", (11,), checksums.is_cpf, ("cpf",), ((3, 3, 3, 2), (9, 2), (3, 3, 5), (3, 3, 2, 3), (3, 6, 2)), True),
    Rule("cnpj", (14,), checksums.is_cnpj, ("cnpj",), ((2, 3, 3, 4, 2), (8, 4, 2), (8, 6), (12, 2), (2, 3, 3, 6)), True),
    Rule(
        "card",
        (13, 14, 15, 16, 17, 18, 19),
        checksums.is_card,
        ("card",),
        ((4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3), (8, 8), (6, 13), (4, 4, 4, 1)),
        True,
    ),
    Rule("pis", (11,), checksums.is_pis, ("pis",), ((3, 5, 2, 1),), False),
    Rule("cns", (15,), checksums.is_cns, ("cns",), ((3, 4, 4, 4),), False),
    Rule("cnh", (11,), checksums.is_cnh, ("cnh",), (), False),
    Rule("voter_id", (12,), lambda _: False, ("voter_id",), (), False),
    Rule("niss_pt", (11,), checksums.is_niss_pt, ("niss_pt",), (), False),
    Rule("cuit_ar", (11,), checksums.is_cuit_ar, ("cuit_ar",), ((2, 8, 1),), False),
    Rule("nuss_es", (12,), checksums.is_nuss_es, ("nuss_es",), ((2, 8, 2), (2, 10)), False),
    Rule("nif_pt", (9,), checksums.is_nif_pt, ("nif",), ((3, 3, 3),), True, refuses_other=True),
    Rule("ssn", (9,), checksums.is_ssn, ("ssn",), ((3, 2, 4),), False),
    Rule("nhs_uk", (10,), checksums.is_nhs_uk, ("nhs_uk",), ((3, 3, 4),), False),
    Rule("rg", (7, 8, 9, 10), lambda _: False, ("rg",), (), False),
    Rule("dni", (7, 8, 10), lambda _: False, ("dni",), (), False),
    Rule("passport", (7, 8, 9), lambda _: False, ("passport",), (), False),
    Rule("cc_pt", (8, 9), lambda _: False, ("cc_pt",), (), False),
    Rule("bank_account", (7, 8, 9, 10, 11, 12, 13, 18), lambda _: False, ("account",), (), False),
)
#: Shapes that are an identifier's own: a right check digit then needs no context word.
_OWN_SHAPES = {"pis": (3, 5, 2, 1), "cns": (3, 4, 4, 4), "cuit_ar": (2, 8, 1), "ssn": (3, 2, 4), "nuss_es": (2, 8, 2)}
_BY_LENGTH: dict[int, tuple[Rule, ...]] = {
    length: tuple(rule for rule in RULES if length in rule.lengths) for length in range(_MIN_DIGITS, _MAX_DIGITS + 1)
}
#: Group lengths of telephone numbers as people write them; see `phones`.
PHONE_SHAPES: tuple[tuple[int, ...], ...] = (
    (2, 5, 4), (2, 9), (2, 1, 4, 4), (3, 5, 4), (3, 3, 4), (1, 3, 3, 4), (3, 2, 2, 2), (2, 3, 2, 2), (3, 3, 3),
    (5, 4), (4, 4), (5, 6), (3, 4, 4), (2, 4, 4),
    (2, 8), (2, 2, 5, 4), (2, 2, 9), (2, 2, 4, 4), (3, 9), (3, 3, 3, 3), (2, 3, 3, 3), (2, 3, 2, 2, 2), (2, 11),
    (2, 10), (2, 4, 6), (2, 2, 8), (2, 3, 3, 4),
    (2, 2, 1, 4, 4), (2, 1, 2, 4, 4), (2, 1, 3, 3, 4), (4, 3, 3), (4, 3, 4),
)  # fmt: skip
_SHAPE_PREFIXES: frozenset[tuple[int, ...]] = frozenset(
    shape[:length]
    for shape in (*PHONE_SHAPES, *_OWN_SHAPES.values(), *(shape for rule in RULES for shape in rule.shapes))
    for length in range(1, len(shape) + 1)
) | frozenset((length,) for length in range(1, _MAX_DIGITS + 1))


def runs(text: str) -> Iterator[re.Match[str]]:
    """Stretches of digit groups with at least seven digits in all."""
    return (match for match in _RUN.finditer(text) if len(match.group()) >= _MIN_DIGITS)


def windows(text: str, run: re.Match[str]) -> list[Window]:
    """Rows of whole neighbouring groups with 7 to 19 digits that may be an identifier; linear in the length of the run.

    A row counts if it is the whole run, has usual group lengths, is said digit by digit, or follows a context word
    closely.
    """
    groups = [(group.start(), group.end()) for group in _GROUP.finditer(text, run.start(), run.end())]
    lengths = [end - start for start, end in groups]
    cue = announced(text, run.start(), run.end())
    found: list[Window] = []
    for first, (start, _) in enumerate(groups):
        is_cued = bool(cue.at(start, False)) and cue.before != "other"
        for last in _row_ends(lengths, first, is_cued):
            end = groups[last][1]
            is_last = last == len(groups) - 1
            digits = "".join(text[a:b] for a, b in groups[first : last + 1])
            separators = "".join(text[groups[at][1] : groups[at + 1][0]] for at in range(first, last))
            shape = tuple(lengths[first : last + 1])
            found.append(Window(digits, shape, first == 0 and is_last, separators, cue.at(start, is_last), start, end))
    return found


def _row_ends(lengths: list[int], first: int, is_cued: bool) -> Iterator[int]:
    """Indexes of the groups where a row that begins at group `first` may end."""
    stretch = _single_digits(lengths, first)
    shape: tuple[int, ...] = ()
    n_digits, is_usual = 0, True
    for last in range(first, min(len(lengths), first + _MAX_DIGITS)):
        n_digits += lengths[last]
        shape += (lengths[last],)
        is_usual = is_usual and shape in _SHAPE_PREFIXES
        is_whole = first == 0 and last == len(lengths) - 1
        if n_digits > _MAX_DIGITS or not (is_usual or is_cued or stretch or (first == 0 and len(lengths) <= _MAX_DIGITS)):
            return
        is_said = last < first + stretch <= first + _MAX_SAID
        if n_digits >= _MIN_DIGITS and (is_whole or is_cued or is_usual or is_said):
            yield last


def _single_digits(lengths: list[int], first: int) -> int:
    """How many groups of one digit follow each other from `first`; no more are counted than can matter."""
    n_single = 0
    while n_single <= _MAX_SAID and first + n_single < len(lengths) and lengths[first + n_single] == 1:
        n_single += 1
    return n_single if _MIN_DIGITS <= n_single <= _MAX_SAID else 0


def numbers(text: str, row: list[Window]) -> Iterator[Found]:
    """Identifiers made of digits among the windows of one run of `text`; the surest kind for each."""
    for window in row:
        rank, kind = max(
            ((_rank(text, window, rule), rule.kind) for rule in _BY_LENGTH[len(window.digits)]),
            key=_first,
            default=(0, ""),
        )
        if rank:
            yield Found(kind, window.start, window.end, rank, window.digits)


def _first(pair: tuple[int, str]) -> int:
    return pair[0]


def _rank(text: str, window: Window, rule: Rule) -> int:
    """How sure it is that the window is what the rule says; 0 if it is not."""
    is_announced = window.announced in rule.announced_by
    is_usual = window.is_shaped(*rule.shapes)
    if rule.check(window.digits):
        if is_announced:
            return CERTAIN
        if _OWN_SHAPES.get(rule.kind) == window.shape and not is_money(text, window):
            return STRONG
        if rule.is_bare and rule.refuses_other:
            return LIKELY if is_usual and not is_amount_or_other(text, window) else 0
        if rule.is_bare and (is_usual or window.is_whole):
            return STRONG
    if is_announced and rule.is_loose and (is_usual or window.is_whole) and not is_money(text, window):
        return STRONG
    return 0


def is_amount_or_other(text: str, window: Window) -> bool:
    """Whether the words around say that the number is an order, a ticket, a count or an amount."""
    return window.announced == "other" or is_money(text, window)


def is_money(text: str, window: Window) -> bool:
    """Whether a currency sign, a decimal part or a counted thing stands beside the number."""
    return bool(
        _MONEY_BEFORE.search(text, max(0, window.start - 5), window.start)
        or _MONEY_AFTER.match(text, window.end)
        or _COUNT_AFTER.match(text, window.end)
    )


def spoken_kind(text: str, row: Found) -> str:
    """What a row of spoken digits (`row.key`) is; empty if nothing speaks for an identifier."""
    if len(row.key) > _MAX_DIGITS:
        return ""
    window = spoken_window(text, row)
    return next((rule.kind for rule in _BY_LENGTH[len(row.key)] if _rank(text, window, rule)), "")


def spoken_window(text: str, row: Found) -> Window:
    """A row of spoken digits (`row.key`) as a window of one group."""
    cue = announced(text, row.start, row.end).at(row.start, True)
    return Window(row.key, (len(row.key),), True, "", cue, row.start, row.end)
