"""Which readings had better be written with numbers in words: small ones that count something, as style guides ask."""

from __future__ import annotations

import re

#: Source: Chicago Manual of Style 9.2 and 9.3 (one to ten in words for the general reader, numerals after a label),
#: RAE, Ortografía de la lengua española 2010, VIII.2, and Manual da Redação da Folha, "números".
_SMALL = re.compile(r"10|\d")
#: After one of these a number is a name, and in a date a numeral.
_LABELS = frozenset(
    [
        "artigo",
        "article",
        "articulo",
        "artículo",
        "bloco",
        "block",
        "build",
        "capítulo",
        "capitulo",
        "chapter",
        "cláusula",
        "cláusula",
        "clause",
        "day",
        "dia",
        "día",
        "fase",
        "grade",
        "group",
        "grupo",
        "house",
        "item",
        "level",
        "linha",
        "line",
        "línea",
        "nivel",
        "nível",
        "no",
        "number",
        "numero",
        "número",
        "nº",
        "opcion",
        "opción",
        "option",
        "opção",
        "page",
        "pagina",
        "página",
        "part",
        "parte",
        "paso",
        "passo",
        "phase",
        "port",
        "porta",
        "puerto",
        "quarter",
        "release",
        "room",
        "sala",
        "seccion",
        "sección",
        "section",
        "seção",
        "sprint",
        "step",
        "tier",
        "tipo",
        "trimestre",
        "type",
        "versao",
        "versión",
        "version",
        "versão",
        "zona",
        "zone",
    ]
)
_MONTHS = frozenset(
    [
        "janeiro",
        "fevereiro",
        "março",
        "abril",
        "maio",
        "junho",
        "julho",
        "agosto",
        "setembro",
        "outubro",
        "novembro",
        "dezembro",
        "enero",
        "febrero",
        "marzo",
        "mayo",
        "junio",
        "julio",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ]
)
#: So many numbers in a row are dictated: a code, a telephone number.
_MAX_IN_A_ROW = 2


def counts_small(words: list[str]) -> bool:
    """Whether there are numbers and all of them are whole, at most ten, and neither names, dates, amounts nor codes.

    Args:
        words: The text as words with their punctuation.
    """
    at = [i for i, word in enumerate(words) if any(c.isdigit() for c in word)]
    if not at or any(_bare(word) in _MONTHS for word in words):
        return False
    in_a_row = any(set(range(i, i + _MAX_IN_A_ROW + 1)) <= set(at) for i in at)
    return not in_a_row and all(_is_small_count(words, i) for i in at)


def differ_only_in_numbers(numerals: list[str], spelled: list[str]) -> bool:
    """Whether the second text says the same words as the first, with a word without digits for every number."""
    if len(numerals) != len(spelled):
        return False
    return all(
        _is_word(said) if _has_digit(written) else _bare(written) == _bare(said)
        for written, said in zip(numerals, spelled, strict=True)
    )


def _is_small_count(words: list[str], i: int) -> bool:
    before = _bare(words[i - 1]) if i else ""
    ends = words[i].rstrip(".,;:!?…")
    return _SMALL.fullmatch(ends) is not None and before not in _LABELS


def _has_digit(word: str) -> bool:
    return any(c.isdigit() for c in word)


def _is_word(word: str) -> bool:
    return _bare(word).isalpha()


def _bare(word: str) -> str:
    return word.casefold().strip("¿¡\"'“”‘’«»().,;:!?…-")
