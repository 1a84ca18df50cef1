"""Identifiers of letters and digits: IBAN, DNI, NIE, CIF, alphanumeric CNPJ, citizen card, CURP, RUT, NINO, plates,
passports."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from neural_hive.understanding.privacy import checksums
from neural_hive.understanding.privacy.finding import CERTAIN, LIKELY, STRONG, Found

_SEPARATORS = re.compile(r"[\s.\-/]")
# Where a code may begin: no letter or digit before it, or the word that announces it, glued on; and two digits soon.
_CANDIDATE = re.compile(
    r"(?:(?<![^\W_])|(?<=dni)|(?<=ni[fe])|(?<=cif)|(?<=cnpj)|(?<=iban))(?=[0-9a-z](?:[0-9a-z .\-/]{0,15}?\d){2})",
    re.IGNORECASE,
)
_END = r"(?![^\W_])"


class Form(NamedTuple):
    """How a code is written, and the check on its compact form. is_upper: only capital letters when nothing
    separates them."""

    kind: str
    pattern: re.Pattern[str]
    check: Callable[[str], bool]
    is_upper: bool = False


def _form(kind: str, body: str, check: Callable[[str], bool], *, is_upper: bool = False) -> Form:
    return Form(kind, re.compile(body + _END, re.IGNORECASE), check, is_upper)


def _has_letter_before_check(code: str) -> bool:
    return not code.isdigit() and checksums.is_cnpj(code)


FORMS: tuple[Form, ...] = (
    _form(
        "cnpj",
        r"[0-9A-Z]{2}[ .]?[0-9A-Z]{3}[ .]?[0-9A-Z]{3}[ /]?[0-9A-Z]{4}[ -]?\d{2}",
        _has_letter_before_check,
        is_upper=True,
    ),
    _form("nif_es", r"\d{1,2}[. ]?\d{3}[. ]?\d{3}[ .\-]?[A-Z]", lambda code: checksums.is_dni_es(code.zfill(9))),
    _form("nif_es", r"(?:\d[ .\-]?){8}[A-Z]", checksums.is_dni_es, is_upper=True),
    _form("nie_es", r"[XYZ][ .\-]?(?:\d[ .\-]?){7}[A-Z]", checksums.is_nie_es),
    _form("cif_es", r"[A-HJ-NP-SUVW][ .\-]?(?:\d[ .\-]?){7}[0-9A-J]", checksums.is_cif_es),
    _form("nif_es", r"[KLM][ .\-]?(?:\d[ .\-]?){7}[A-Z]", checksums.is_cif_es),
    _form("cc_pt", r"\d{8}[ \-]?\d[ \-]?[0-9A-Z]{2}[ \-]?\d", lambda code: not code.isdigit() and checksums.is_cc_pt(code)),
    _form("curp_mx", r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[0-9A-Z]\d", checksums.is_curp_mx),
    _form("rut_cl", r"\d{1,2}\.\d{3}\.\d{3}-[0-9K]", checksums.is_rut_cl),
    _form(
        "nino_uk",
        r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]",
        lambda _: True,
    ),
)
_IBAN_START = re.compile(r"[A-Z]{2} ?\d ?\d[ .\-]?[0-9A-Z]", re.IGNORECASE)

#: Codes without check digits: a context word, up to 24 characters, then the code (group 1).
_GAP = (
    r"[^\w\n]{0,4}(?:(?:n[úu]mero|number|no|n|nº|n°|do|da|de|del|é|es|is|ve[íi]culo|carro|coche"
    r"|car)\b[^\w\n]{0,3}){0,3}"
)
ANNOUNCED: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(rf"(?<![^\W_])(?:{cue}){_GAP}({code}){_END}", re.IGNORECASE))
    for kind, cue, code in (
        ("passport", r"passports?|passaportes?|pasaportes?", r"[A-Z]{1,3} ?\d{6,8}|\d{8,9}|[A-Z]\d{8}"),
        (
            "plate",
            r"placas?|matr[íi]culas?|(?:license |number )?plates?|patente",
            r"[A-Z]{3}[ -]?\d[0-9A-Z]\d{2}|[A-Z]{2}[ -]\d{2}[ -](?:[A-Z]{2}|\d{2})|\d{2}[ -][A-Z]{2}[ -]\d{2}|\d{4} "
            r"?[A-Z]{3}|\d{2}[ -]\d{2}[ -][A-Z]{2}",
        ),
        ("rg", r"rg|registro geral|identidade", r"(?:[A-Z]{2}[ -]?)?\d{1,2}\.?\d{3}\.?\d{3}-?[0-9X]?"),
        ("pix_key", r"pix|chave aleat[óo]ria", r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}"),
        ("rfc_mx", r"rfc", r"[A-ZÑ&]{3,4}\d{6}[0-9A-Z]{3}"),
        (
            "bank_account",
            r"ag(?:[êe]ncia|\.)",
            r"\d{3,5}(?:-[0-9X])?(?:\s*(?:[,/e]|e a)?\s*(?:conta|c/c|cc)(?: corrente| "
            r"poupan[çc]a)?:?\s*\d{4,12}-?[0-9X]?)?",
        ),
        (
            "bank_account",
            r"conta corrente|conta poupan[çc]a|conta banc[áa]ria|c/c|cuenta bancaria|cuenta corriente|account number",
            r"\d{4,12}-?[0-9X]?",
        ),
        ("postcode", r"ceps?", r"\d{2}\.?\d{3}-?\d{3}"),
        ("postcode", r"c[óo]digo postal|cp|c\.p\.", r"\d{4}-\d{3}|\d{5}"),
        ("postcode", r"zip(?: code)?|post ?code|postal code", r"\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[0-9A-Z]? ?\d[A-Z]{2}"),
        ("nif", r"nif|nipc|n\.i\.f\.|contribuinte", r"(?:PT|ES) ?\d{9}|[0-9XYZKLM]\d{7}-?[A-Z]"),
        ("ssn", r"ssn|social security(?: number)?|itin", r"\d{3}[- ]?\d{2}[- ]?\d{4}"),
        ("dni", r"dni|nie", r"[XYZ]?-?\d{7,8}-?[A-Z]"),
    )
)


_ANY_CUE = re.compile(
    r"(?<![^\W_])(?:pass|pasa|pla[ct]|matr|licen|number|patente|rg|regis|ident|pix|chave|rfc|ag[êe.]|cont[a.]|c/c"
    r"|cuenta|account|cep|c[óo]d|cp|c\.p|zip|post|n\.?i\.?[fe]|nipc|ssn|soci|itin|dni)",
    re.IGNORECASE,
)


def codes(text: str) -> Iterator[Found]:
    """Identifiers of letters and digits in `text` (its shadow)."""
    for candidate in _CANDIDATE.finditer(text):
        yield from _codes_at(text, candidate.start())
    if _ANY_CUE.search(text):
        for kind, pattern in ANNOUNCED:
            for match in pattern.finditer(text):
                if any(character.isdigit() for character in match.group(1)):
                    yield Found(kind, match.start(1), match.end(1), LIKELY, _SEPARATORS.sub("", match.group(1)).upper())


def _codes_at(text: str, start: int) -> Iterator[Found]:
    iban = _iban_at(text, start)
    if iban:
        yield iban
    for form in FORMS:
        match = form.pattern.match(text, start)
        if match is None:
            continue
        compact = _SEPARATORS.sub("", match.group())
        if form.is_upper and compact != compact.upper() and not _is_formatted(match.group()):
            continue
        if form.check(compact.upper()):
            yield Found(form.kind, match.start(), match.end(), STRONG, compact.upper())


def _is_formatted(written: str) -> bool:
    return "/" in written or "." in written


def _iban_at(text: str, start: int) -> Found | None:
    length = checksums.IBAN_LENGTHS.get(text[start : start + 2].upper())
    if length is None or not _IBAN_START.match(text, start):
        return None
    end, compact = _take(text, start, length)
    return Found("iban", start, end, CERTAIN, compact) if checksums.is_iban(compact) else None


def _take(text: str, start: int, n_characters: int) -> tuple[int, str]:
    """The next `n_characters` letters and digits from `start`, skipping up to two separators at a time; and where
    they end."""
    taken: list[str] = []
    position, n_skipped = start, 0
    while position < len(text) and len(taken) < n_characters:
        character = text[position]
        if character.isascii() and character.isalnum():
            taken.append(character.upper())
            n_skipped = 0
        elif character in " .-/\n\t" and n_skipped < 2:
            n_skipped += 1
        else:
            break
        position += 1
    return position, "".join(taken)
