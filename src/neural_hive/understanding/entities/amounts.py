"""Numbers as people write them in three languages, and the amounts made of them: money, percentages, durations,
quantities."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import NamedTuple


class Amount(NamedTuple):
    """An amount in `text[start:end]`: its type (of `contracts.Entity`) and its normalised value."""

    type: str
    value: str
    start: int
    end: int
    confidence: float = 0.95


#: Folded number words of the three languages up to twenty, the tens, and a hundred.
NUMBER_WORDS: dict[str, int] = {
    word: number
    for number, words in {
        1: "um uma un una uno one a an", 2: "dois duas dos two", 3: "tres three", 4: "quatro cuatro four",
        5: "cinco five", 6: "seis six", 7: "sete siete seven",
        8: "oito ocho eight", 9: "nove nueve nine", 10: "dez diez ten", 11: "onze once eleven",
        12: "doze doce twelve", 13: "treze trece thirteen", 14: "catorze quatorze fourteen",
        15: "quinze quince fifteen", 16: "dezesseis dezasseis dieciseis sixteen", 18: "dezoito dieciocho eighteen",
        20: "vinte veinte twenty", 24: "veinticuatro", 30: "trinta treinta thirty",
        40: "quarenta cuarenta forty", 48: "quarenta-e-oito", 50: "cinquenta cincuenta fifty",
        60: "sessenta sesenta sixty", 70: "setenta seventy", 80: "oitenta ochenta eighty",
        90: "noventa ninety", 100: "cem cien hundred", 1000: "mil",
    }.items()
    for word in words.split()
}  # fmt: skip
_DIGITS = r"\d{1,3}(?:[.,\u00a0 ']\d{3})+(?:[.,]\d{1,6})?|\d+(?:[.,]\d+)?"
_WORDS = "|".join(sorted(NUMBER_WORDS, key=len, reverse=True))
#: A number in digits or in words, for the patterns here and in `dates`.
COUNT = rf"(?:{_DIGITS}|(?:{_WORDS})(?:(?: e | y |-)(?:{_WORDS}))?)"
_SCALES: dict[str, int] = {
    "mil": 1_000, "k": 1_000, "thousand": 1_000, "milhao": 10**6, "milhoes": 10**6, "millon": 10**6,
    "millones": 10**6, "million": 10**6, "millions": 10**6, "mi": 10**6, "mm": 10**6,
    "m": 10**6, "bilhao": 10**9, "bilhoes": 10**9, "billion": 10**9, "bi": 10**9, "mil milhoes": 10**9,
    "mil millones": 10**9,
}  # fmt: skip
_SCALE = (
    r"(?:\s?(?P<scale>mil milhoes|mil millones|milhoes|milhao|millones|millon|millions|million|bilhoes|bilhao"
    r"|billion|thousand|mil|mi|mm|bi|k|m)(?![^\W_]))?"
)
_CURRENCIES: dict[str, str] = {
    "r$": "BRL", "brl": "BRL", "reais": "BRL", "real": "BRL", "us$": "USD", "u$s": "USD", "usd": "USD", "$": "USD",
    "dolar": "USD", "dolares": "USD", "dollar": "USD", "dollars": "USD",
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "£": "GBP", "gbp": "GBP", "libras": "GBP",
    "pounds": "GBP", "mxn": "MXN", "ars": "ARS", "cop": "COP", "clp": "CLP",
    "pesos": "pesos", "chf": "CHF", "aoa": "AOA", "kwanzas": "AOA", "meticais": "MZN", "mzn": "MZN",
}  # fmt: skip
_MONEY_FIRST = re.compile(
    rf"(?<![\w$])(?P<currency>r\$|us\$|u\$s|\$|€|£|brl|usd|eur|gbp|mxn|ars|cop|clp"
    rf"|chf)\s?(?P<number>{_DIGITS}){_SCALE}(?![^\W_])"
)
_MONEY_LAST = re.compile(
    rf"(?<![\w.,])(?P<number>{COUNT}){_SCALE}(?:\s(?:de|of))?\s?(?P<currency>r\$|us\$|reais|real|euros?|eur|€|dolares"
    rf"|dolar|dollars?|usd|brl|gbp|£|libras|pounds|pesos|kwanzas|meticais|mxn|ars|cop|clp|chf)(?![^\W_])"
)
_SIGN = re.compile(r"[$€£]")
_PERCENT = re.compile(rf"(?<![\w.,])(?P<number>{COUNT})\s?(?:%|por cento|por ciento|percent|per cent|pct)(?![^\W_])")
_TIME_UNITS: dict[str, tuple[str, int]] = {
    "ms": ("PT{}S", -3), "milissegundo": ("PT{}S", -3), "milisegundo": ("PT{}S", -3), "millisecond": ("PT{}S", -3),
    "segundo": ("PT{}S", 1), "second": ("PT{}S", 1), "seg": ("PT{}S", 1), "sec": ("PT{}S", 1), "s": ("PT{}S", 1),
    "minuto": ("PT{}M", 1), "minute": ("PT{}M", 1), "min": ("PT{}M", 1),
    "hora": ("PT{}H", 1), "hour": ("PT{}H", 1), "h": ("PT{}H", 1), "hr": ("PT{}H", 1), "dia": ("P{}D", 1),
    "day": ("P{}D", 1),
    "semana": ("P{}W", 1), "week": ("P{}W", 1), "quinzena": ("P{}D", 15), "quincena": ("P{}D", 15),
    "fortnight": ("P{}D", 14), "sprint": ("P{}W", 2),
    "mes": ("P{}M", 1), "meses": ("P{}M", 1), "month": ("P{}M", 1), "bimestre": ("P{}M", 2), "trimestre": ("P{}M",
    3), "quarter": ("P{}M", 3), "semestre": ("P{}M", 6),
    "ano": ("P{}Y", 1), "year": ("P{}Y", 1), "decada": ("P{}Y", 10), "decade": ("P{}Y", 10),
}  # fmt: skip
_UNIT = (
    r"(?P<unit>milissegundos?|milisegundos?|milliseconds?|segundos?|seconds?|segs?|secs?|minutos?|minutes?|mins?"
    r"|horas?|hours?|hrs?|dias?|days?|semanas?|weeks?|quinzenas?|quincenas?|fortnights?"
    r"|sprints?|meses|mes|months?|bimestres?|trimestres?|quarters?|semestres?|anos?|years?|decadas?|decades?|ms|h"
    r"|s)(?![^\W\d_])"
)
_DURATION = re.compile(
    rf"(?<![\w.,/])(?P<number>{COUNT})[\s-]?{_UNIT}(?:\s?(?P<minutes>[0-5]\d)(?:\s?min|m)?(?![\w:]))?(?:\s(?:e|y"
    rf"|and)\s(?P<half>meia|media|meio|medio|a half))?"
)
_HALF = re.compile(r"(?<![^\W_])(?:meia hora|media hora|half an hour|half hour)(?![^\W_])")
#: Technical units, written as the International System and common usage write them.
_UNITS: dict[str, str] = {
    "b": "B", "kb": "kB", "mb": "MB", "gb": "GB", "tb": "TB", "pb": "PB", "gib": "GiB", "mib": "MiB", "gigas": "GB",
    "gigabytes": "GB", "teras": "TB", "terabytes": "TB", "megas": "MB",
    "megabytes": "MB", "kbps": "kbit/s", "mbps": "Mbit/s", "gbps": "Gbit/s", "req/s": "req/s", "rps": "req/s",
    "tps": "tx/s", "qps": "queries/s", "iops": "IOPS", "vcpu": "vCPU", "vcpus": "vCPU",
    "cpus": "CPU", "cores": "cores", "nucleos": "cores", "w": "W", "kw": "kW", "mw": "MW", "gw": "GW", "kwh": "kWh",
    "mwh": "MWh", "hz": "Hz", "mhz": "MHz", "ghz": "GHz", "km": "km", "kg": "kg",
    "m2": "m²", "px": "px", "pixels": "px", "pontos": "points",
}  # fmt: skip
_RATE = (
    r"(?P<rate>requisicoes|requests|peticiones|pedidos|transacoes|transacciones|transactions|mensagens|mensajes"
    r"|messages|eventos|events|consultas|queries|acessos|usuarios|users)(?P<per> por |/| per | a "
    r")(?P<period>segundo|second|seg|s|minuto|minute|min|hora|hour|h|dia|day)s?"
)
_COUNTED = (
    r"(?:usuarios?|utilizadores|utilizador|users?|clientes?|customers?|contas?|cuentas?|accounts?|registros?"
    r"|registos?|records?|linhas?|lineas|filas|rows?|itens|items?|produtos?|productos?|products?|pedidos?"
    r"|orders?|chamados?|tickets?|servidores|servidor|servers?|maquinas?|machines?|instancias?|instances?|pods?|nos"
    r"|nodes?|nodos?|replicas?|containers?|transacoes|transacciones|transactions?|mensagens|mensajes"
    r"|messages?|requisicoes|requests?|peticiones|arquivos?|ficheiros?|archivos?|files?|documentos?|documents?"
    r"|facturas?|faturas?|notas fiscais|invoices?|lojas?|tiendas?|stores?|filiais|sucursales|branches"
    r"|licencas?|licencias?|licenses?|funcionarios?|colaboradores|empleados?|employees?|pacientes?|patients?|alunos?"
    r"|alumnos?|students?|fornecedores|proveedores|suppliers?|tabelas?|tablas?|tables?|paginas?|pages?"
    r"|telas?|ecras?|pantallas?|screens?|tentativas?|intentos|attempts?|retries|caracteres|characters|digitos|digits"
    r"|sessoes|sesiones|sessions?|dispositivos?|devices?|emails?|e-mails?|pontos?|vezes|veces|times|impressoras?"
    r"|computadores|ordenadores|laptops?|notebooks?)"
)
_QUANTITY = re.compile(
    rf"(?<![\w.,/$€£-])(?P<number>{_DIGITS}|(?:{_WORDS})){_SCALE}(?:\sde)?\s?(?:{_RATE}"
    rf"|(?P<unit>{'|'.join(sorted(map(re.escape, _UNITS), key=len, reverse=True))})"
    rf"|(?P<counted>{_COUNTED}))(?![^\W_])"
)
_CURRENCY_WORDS = frozenset(_CURRENCIES) | {"r", "us", "u"}
_PERCENT_WORDS = frozenset({"cento", "ciento", "percent", "cent", "pct"})
_TIME_WORDS = frozenset(_TIME_UNITS) | {f"{unit}s" for unit in _TIME_UNITS}
_COUNTED_WORDS = (
    frozenset(_UNITS)
    | {
        word
        for alternative in _COUNTED.strip("(?:)").split("|")
        for word in (alternative.replace("?", "").split()[0], alternative.replace("s?", "").split()[0])
    }
    | {"req", "gb", "m", "e", "requisicoes", "peticiones", "eventos", "events", "consultas", "queries", "acessos"}
)
_ARTICLES = frozenset({"um", "uma", "un", "una", "uno", "a", "an", "one"})


def number_of(written: str, language: str) -> Decimal:
    """The value of a number as written: "1.234,56", "1,234.56", "1 234", "vinte e quatro".

    A single separator before exactly three digits groups thousands where the language does so (`.` in pt and es, `,` in
    en) and is a decimal mark otherwise; of two different separators the last is the decimal mark.
    """
    if not written[0].isdigit():
        return Decimal(sum(NUMBER_WORDS[word] for word in re.split(r" e | y |-", written)))
    compact = re.sub(r"[\u00a0 ']", "", written)
    dot, comma = compact.rfind("."), compact.rfind(",")
    if dot >= 0 and comma >= 0:
        grouping = "." if comma > dot else ","
    else:
        mark = "." if dot >= 0 else ","
        is_grouping = compact.count(mark) > 1 or (
            len(compact) - compact.rfind(mark) == 4 and mark == ("," if language == "en" else ".")
        )
        grouping = mark if is_grouping else ("," if mark == "." else ".")
    return Decimal(compact.replace(grouping, "").replace(",", "."))


def _is_number_in(word: str, language: str) -> bool:
    """Whether a number word counts in this language: "dos" is two only in Spanish, "a" is one only in English."""
    return {"dos": "es", "once": "es", "a": "en", "an": "en"}.get(word, language) == language


def _scaled(match: re.Match[str], language: str) -> Decimal:
    return number_of(match["number"], language) * _SCALES.get(match["scale"] or "", 1)


def _written(number: Decimal) -> str:
    return format(
        number.to_integral_value() if number == number.to_integral_value() and number.as_tuple().exponent in (0, -1) else number,
        "f",
    )


def amounts(plain: str, words: AbstractSet[str], language: str) -> Iterator[Amount]:
    """Money, percentages, durations and quantities in `plain` (folded text, same offsets, made of `words`)."""
    if _SIGN.search(plain) or not words.isdisjoint(_CURRENCY_WORDS):
        for pattern in (_MONEY_FIRST, _MONEY_LAST):
            for match in pattern.finditer(plain):
                yield Amount(
                    "money",
                    f"{_written(_scaled(match, language))} {_CURRENCIES[match['currency']]}",
                    match.start(),
                    match.end(),
                )
    for match in _PERCENT.finditer(plain) if "%" in plain or not words.isdisjoint(_PERCENT_WORDS) else ():
        yield Amount("percentage", f"{_written(number_of(match['number'], language))}%", match.start(), match.end())
    if not words.isdisjoint(_TIME_WORDS):
        yield from durations(plain, language)
    for match in _QUANTITY.finditer(plain) if not words.isdisjoint(_COUNTED_WORDS) else ():
        if match["number"] not in _ARTICLES and _is_number_in(match["number"], language):
            yield Amount("quantity", f"{_written(_scaled(match, language))} {_unit_of(match)}", match.start(), match.end(), 0.9)


def _unit_of(match: re.Match[str]) -> str:
    if match["rate"]:
        period = {"s": "s", "m": "min", "h": "h", "d": "day"}[match["period"][0]]
        return f"{match['rate']}/{period}"
    return _UNITS[match["unit"]] if match["unit"] else match["counted"]


def durations(plain: str, language: str) -> Iterator[Amount]:
    """Durations as ISO 8601."""
    for match in _DURATION.finditer(plain):
        if (match["unit"] == "s" and not match["number"][0].isdigit()) or not _is_number_in(match["number"], language):
            continue
        yield Amount("duration", iso_duration(match, language), match.start(), match.end())
    for match in _HALF.finditer(plain):
        yield Amount("duration", "PT30M", match.start(), match.end())


def iso_duration(match: re.Match[str], language: str) -> str:
    """A match of `_DURATION` as ISO 8601, e.g. P5Y, PT1H30M, P15D."""
    form, factor = _TIME_UNITS[_singular(match["unit"])]
    number = number_of(match["number"], language)
    if factor == -3:
        return form.format(f"{(number / 1000).normalize():f}")
    number = number * factor + (Decimal("0.5") if match["half"] else 0)
    duration = form.format(_written(number))
    return f"{duration}{int(match['minutes'])}M" if match["minutes"] and form == "PT{}H" else duration


def _singular(unit: str) -> str:
    return unit if unit in _TIME_UNITS else unit.rstrip("s")
