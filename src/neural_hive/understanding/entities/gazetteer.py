"""Names of technologies, systems, organisations and places: from data files, from the caller's catalogue, and by
context."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

from neural_hive.understanding.entities.amounts import Amount
from neural_hive.understanding.entities.plain import plain_of

_WORD = re.compile(r"[^\W_]+")
_JOINTS = frozenset(" ./-_&'")
_SYMBOLS = re.compile(r"(?<![\w.])(?:c#|f#|c\+\+|\.net(?: core| framework)?)(?![\w#+])")
_SYMBOL_NAMES = {"c#": "C#", "f#": "F#", "c++": "C++"}


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


#: Acronyms that are words in lower case.
_UPPER_ONLY = _words("SAN NAS IAM BI TIM ADP OCI SUS ANS UPS MEO CTT SNS WAF EDI RAID PHC USA UK EUA EDP CVM")
#: Capitals after an article that are no system.
_NOT_SYSTEMS = _words(
    """CPF CNPJ RG LGPD GDPR RGPD PII RH TI IT HR CEO CFO CTO CIO CISO DPO SLA SLO KPI OKR URL API APIS UI UX VIP PDF
    ID IDS OK SUS INSS NIF IVA ICMS ISS IRS VAT MVP ROI FAQ PO PM QA SRE SSN DNI NIE IBAN
    CEP ZIP GMT UTC BRT CPU GPU RAM SSD HD TV CD DVD USB B2B B2C TODO TODOS TODA TODAS ALL NOT NO NAO POR FAVOR THE
    EOD CSV XML JSON SQL HTML CSS PR MR JIT ASAP FYI ETA PIN OTP SMS MMS CEPS LOG LOGS USER ADMIN"""
)
_ANNOUNCED = re.compile(
    r"(?<![^\W_])(?:sistemas?|plataforma|aplica[çc][ãa]o|aplicativo|aplicaci[óo]n|app|servi[çc]o|servicio|m[óo]dulo"
    r"|portal|software|ferramenta|herramienta|system|platform|service|application|tool|module"
    r"|servidor|server|cluster|fila|cola|queue|t[óo]pico|topic|reposit[óo]rio|repositorio|repository|repo|banco|base"
    r"|database|projeto|project|proyecto)"
    r"\s(?:d[aeo]\s|of\s|called\s|chamad[oa]\s|named\s|llamad[oa]\s)?[\"'“‘«]?(?P<name>[A-ZÀ-Ý][\w]*[A-Z0-9_][\w-]*(?:\s[A-Z][\w-]+)?|[A-ZÀ-Ý][\wà-ÿ-]{2,}(?:\s(?:[A-Z][\wà-ÿ-]+|\d+))?|[a-z][a-z0-9]*(?:[-_][a-z0-9]+)+)"
)
_ANNOUNCERS = _words(
    """sistema sistemas plataforma aplicacao aplicativo aplicacion app servico servicio modulo portal software
    ferramenta herramienta system platform service application tool module servidor server cluster
    fila cola queue topico topic repositorio repository repo banco base database projeto project proyecto api gateway
    motor"""
)
_CAPITALS = re.compile(r"[A-Z][A-Z0-9]{2}")
_ARTICLE = re.compile(
    r"(?<![^\W_])(?:[oO]|do|no|ao|pelo|el|El|del|al|the|The|our|nosso|nuestro)\s(?P<name>[A-Z][A-Z0-9]{2,9})(?![^\W_])"
)
_FUNCTION = re.compile(
    r"(?<![^\W_])(?P<name>(?:servico|servicio|sistema|modulo|portal|plataforma|api|aplicacao|aplicacion|app|gateway"
    r"|motor|fila|base de dados|banco de dados|base de datos)\s(?:de|do|da|del|dos|das|de los|de "
    r"las)\s(?P<what>[^\W\d_]{4,}(?:\s(?:de|do|da|e|y)\s[^\W\d_]{4,})?))"
)
_FUNCTION_EN = re.compile(
    r"(?<![^\W_])(?P<name>(?P<what>[^\W\d_]{4,})[\s-](?:service|system|platform|database|portal|gateway|module|api"
    r"|app))(?![^\W_])"
)
_NOT_FUNCTIONS = _words(
    """this that these those your their whole entire same each every other which what another current legacy existing
    external internal customer-service self main best good old with from into over under
    todos todas todo toda produção producao produccion teste testes pruebas desenvolvimento forma modo agora hoje
    amanha noite dados datos qualidade novo nova operating file control management health web mobile
    and the for our new dev prod test have when does will should must can make made more some such than then very
    like only also just back call move give take keep need want delete update create remove stop start
    restart"""
)


#: Start, end and folded form of a word.
Token = tuple[int, int, str]


def tokens_of(plain: str) -> list[Token]:
    """The words (letters and digits) of a folded text."""
    return [(match.start(), match.end(), match.group()) for match in _WORD.finditer(plain)]


class Entry(NamedTuple):
    """A name as words, what it is, and whether the text must write it with a capital (or all in capitals)."""

    words: tuple[str, ...]
    type: str
    value: str
    is_proper: bool
    is_upper: bool


class Gazetteer:
    """Names by their first word. `extra`: name → type (`system`, `technology`…), e.g. from the knowledge graph's
    catalogue. `proper`: what a name stands for, where that is another one, e.g. alias → name in the catalogue."""

    def __init__(self, extra: Mapping[str, str] | None = None, proper: Mapping[str, str] | None = None) -> None:
        called = proper or {}
        self._extra = _index(_entries(called.get(name, name), name, kind) for name, kind in (extra or {}).items())
        self._known = _shipped()

    def find(self, text: str, plain: str, words: list[Token]) -> Iterator[Amount]:
        """Listed names in `text`; `plain` is its folded twin and `words` what `tokens_of` made of it."""
        for at, (start, _, word) in enumerate(words):
            for table, confidence in ((self._extra, 0.98), (self._known, 0.92)):
                for entry in table.get(word, ()):
                    end = self._end(text, plain, words, at, entry)
                    if (
                        end
                        and (not entry.is_proper or _is_proper(text, start))
                        and (not entry.is_upper or text[start:end].isupper())
                    ):
                        yield Amount(entry.type, entry.value, start, end, confidence)
                        break
        for match in _SYMBOLS.finditer(plain):
            yield Amount("technology", _SYMBOL_NAMES.get(match.group(), ".NET"), match.start(), match.end(), 0.95)

    def _end(self, text: str, plain: str, words: list[Token], at: int, entry: Entry) -> int:
        """Where the entry ends if it stands at word `at`; 0 if it does not."""
        last = at + len(entry.words) - 1
        if last >= len(words):
            return 0
        for step in range(1, len(entry.words)):
            start, previous_end = words[at + step][0], words[at + step - 1][1]
            if (
                words[at + step][2] != entry.words[step]
                or start - previous_end > 1
                or (start > previous_end and plain[previous_end] not in _JOINTS)
            ):
                return 0
        return words[last][1]


def _is_proper(text: str, start: int) -> bool:
    """Written with a capital where no sentence begins."""
    before = text[:start].rstrip(" \"'“‘«(")
    return text[start].isupper() and bool(before) and before[-1] not in ".!?:\n•"


def _entries(line: str, others: str, kind: str) -> list[Entry]:
    name = line.strip()
    is_proper = name.endswith("!")
    name = name.rstrip("!")
    spellings = [name, *(other.strip() for other in others.split(",") if other.strip())]
    return [
        Entry(
            tuple(_WORD.findall(plain_of(spelling))),
            kind,
            name,
            is_proper and spelling == name,
            spelling in _UPPER_ONLY,
        )
        for spelling in spellings
        if _WORD.search(spelling)
    ]


def _index(groups: Iterator[list[Entry]]) -> dict[str, list[Entry]]:
    table: dict[str, list[Entry]] = {}
    for group in groups:
        for entry in group:
            table.setdefault(entry.words[0], []).append(entry)
    for entries in table.values():
        entries.sort(key=lambda entry: -len(entry.words))
    return table


@lru_cache(maxsize=1)
def _shipped() -> dict[str, list[Entry]]:
    return _index(_lines())


def _lines() -> Iterator[list[Entry]]:
    kinds = {"technologies.txt": "technology", "places.txt": "place", "organisations.txt": "organisation"}
    for file, default in kinds.items():
        kind = default
        for line in (resources.files(__package__) / file).read_text(encoding="utf-8").splitlines():
            if line.startswith("["):
                kind = line.strip("[]")
            elif line.strip() and not line.startswith("#") and line not in ("C#", "C++"):
                name, _, others = line.partition("=")
                yield _entries(name, others, kind)


def systems_by_context(text: str, plain: str, words: AbstractSet[str]) -> Iterator[Amount]:
    """Systems that no list knows: after a word such as "sistema", after an article in capitals, or named for what
    they do."""
    is_announced = not words.isdisjoint(_ANNOUNCERS)
    for match in _ANNOUNCED.finditer(text) if is_announced else ():
        yield Amount("system", match["name"], match.start("name"), match.end("name"), 0.7)
    for match in _ARTICLE.finditer(text) if _CAPITALS.search(text) else ():
        if match["name"] not in _NOT_SYSTEMS:
            yield Amount("system", match["name"], match.start("name"), match.end("name"), 0.6)
    for pattern in (_FUNCTION, _FUNCTION_EN) if is_announced else ():
        for match in pattern.finditer(plain):
            if match["what"].split()[0] not in _NOT_FUNCTIONS:
                yield Amount(
                    "system",
                    text[match.start("name") : match.end("name")].lower(),
                    match.start("name"),
                    match.end("name"),
                    0.65,
                )
