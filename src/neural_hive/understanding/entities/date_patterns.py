"""How dates and times are written in three languages: the patterns that `dates` resolves."""

from __future__ import annotations

import re

from neural_hive.understanding.entities.amounts import COUNT

MONTHS: dict[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "janeiro jan enero ene january", "fevereiro fev febrero feb february", "marco mar marzo march",
            "abril abr april apr", "maio mai mayo may", "junho jun junio june",
            "julho jul julio july", "agosto ago august aug", "setembro set septiembre setiembre sep sept september",
            "outubro out octubre oct october", "novembro nov noviembre november",
            "dezembro dez diciembre dic december dec",
        ), 1)
    for name in names.split()
}  # fmt: skip
_LONG_MONTHS = "|".join(
    sorted((name for name in MONTHS if len(name) > 4 or name in ("maio", "mayo", "june", "july")), key=len, reverse=True)
)
_ANY_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
WEEKDAYS: dict[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "segunda segunda-feira lunes monday", "terca terca-feira martes tuesday",
            "quarta quarta-feira miercoles wednesday", "quinta quinta-feira jueves thursday",
            "sexta sexta-feira viernes friday", "sabado saturday", "domingo sunday",
        ))
    for name in names.split()
}  # fmt: skip
_WEEKDAY = (
    "segunda-feira|terca-feira|quarta-feira|quinta-feira|sexta-feira|segunda feira|terca feira|quarta feira"
    "|quinta feira|sexta feira|sabado|domingo|lunes|martes|miercoles|jueves|viernes|monday|tuesday|wednesday"
    "|thursday|friday|saturday|sunday"
)
_ORDINAL_DAY = "segunda|terca|quarta|quinta|sexta"
DAYS: dict[str, int] = {
    "hoje": 0, "hoy": 0, "today": 0, "amanha": 1, "tomorrow": 1, "ontem": -1, "ayer": -1, "yesterday": -1,
    "anteontem": -2, "antes de ayer": -2, "anteayer": -2, "depois de amanha": 2,
    "pasado manana": 2, "day after tomorrow": 2, "the day after tomorrow": 2, "hoje a noite": 0, "hoje a tarde": 0,
    "esta noite": 0, "esta noche": 0, "esta tarde": 0, "tonight": 0, "amanha cedo": 1,
}  # fmt: skip
DAY_WORD = re.compile(
    rf"(?<![^\W_])(?:{'|'.join(sorted(DAYS, key=len, reverse=True))}|(?<!la )(?<!de la )(?<!por la )(?<!esta "
    rf")manana(?! (?:siguiente|del)))(?![^\W_])"
)
_TIME = (
    r"(?:(?:a[s]?|at|ate as|a las|a la|pelas|before|by|desde as|from"
    r"|until)\s)?(?P<hour>[01]?\d|2[0-4])(?:(?P<sep>[:h])(?P<minute>[0-5]\d)?(?:h|hs|hrs)?\s?(?P<meridiem>am|pm"
    r"|a\.m\.|p\.m\.)?|\s?(?P<meridiem2>am|pm|a\.m\.|p\.m\.)|\s?(?:horas|hs|hrs|h))(?![^\W_])"
)
CLOCK = re.compile(rf"(?<![\w/:.,-]){_TIME}")
NAMED_TIME = re.compile(
    r"(?<![^\W_])(?:(?:ao |at |a |al )?(?:(?P<noon>meio-dia|meio dia|mediodia|noon|midday)|(?P<midnight>meia-noite"
    r"|meia noite|medianoche|midnight)))(?![^\W_])"
)
ISO = re.compile(
    r"(?<![\w-])(?P<year>20\d\d)-(?P<month>0[1-9]|1[0-2])-(?P<day>[0-2]\d|3[01])"
    r"(?:[t ](?P<hour>[0-2]\d):(?P<minute>[0-5]\d)(?::[0-5]\d(?:\.\d+)?)?(?P<zone>z|[+-]\d\d:?\d\d)?)?(?![\w-])"
)
NUMERIC = re.compile(
    r"(?<![\w/.,-])(?P<a>\d{1,2})(?P<sep>[/.-])(?P<b>\d{1,2})(?:(?P=sep)(?P<year>20\d\d|\d\d))?(?![\w/]|[.,-]\d)"
)
HAS_NUMERIC = re.compile(r"\d[/.-]\d")
DAY_MONTH = re.compile(
    rf"(?<![\w/.,])(?:dia |el |the )?(?P<day>[0-2]?\d|3[01])(?:º|o|st|nd|rd|th)?\s(?:de |of "
    rf")?(?P<month>{_ANY_MONTH})(?![^\W_])\.?(?:,?\s(?:de |del |of )?(?P<year>20\d\d))?"
)
MONTH_DAY = re.compile(
    rf"(?<![^\W_])(?P<month>{_ANY_MONTH})\.?\s(?P<day>[0-2]?\d|3[01])(?:st|nd|rd|th)?(?![\w:]"
    rf"|[.,]\d)(?:,?\s(?P<year>20\d\d))?"
)
MONTH_ONLY = re.compile(
    rf"(?<![^\W_])(?:em|en|in|by|ate|hasta|until|for|para|during|no mes de|mes de|de|desde|since|finais de|fim de"
    rf"|end of)\s(?P<month>{_LONG_MONTHS})(?![^\W_])(?:,?\s(?:de |del |of )?(?P<year>20\d\d))?"
)
ON_DAY = re.compile(
    r"(?<![^\W_])(?:no |ate o |ate |hasta el |el |para o |para el |do |del )?dia (?P<day>[1-9]|[12]\d|3[01])(?![\w/]"
    r"|[.,-]\d)"
)
AHEAD = re.compile(
    rf"(?<![^\W_])(?:em ate|no prazo de|num prazo de|no maximo em|dentro de|daqui a|em|in|within|en un plazo de|en "
    rf"menos de|en)\s(?:no maximo |ate |the next |os proximos |las proximas |los proximos "
    rf")?(?P<number>{COUNT})\s?(?P<unit>minutos?|minutes?|min|horas?|hours?|h|dias?|days?|semanas?|weeks?|meses|mes"
    rf"|months?|anos?|years?)(?: uteis| habiles| laborables| business| corridos)?(?![^\W_])"
)
AGO = re.compile(
    rf"(?<![^\W_])(?P<number>{COUNT})\s(?P<unit>minutes?|hours?|days?|weeks?|months?|years?|dias?|horas?|semanas?"
    rf"|meses|mes|anos?)\s(?:ago|atras)(?![^\W_])"
)
NEXT_DAY = re.compile(
    rf"(?<![^\W_])(?:(?:n?[ao]s?|n?est[ae]|est[ae]|el|la|on|this|by|until|ate|hasta|para|before|antes "
    rf"d[aeo]l?)\s)?(?:(?:a|o|el|la|na|no)\s)?(?:(?P<next>proxim[oa]|next|this|coming)\s)?"
    rf"(?:(?P<weekday>{_WEEKDAY})|(?P<ordinal>{_ORDINAL_DAY})(?=\s*(?:$|[,.;:!?)]|que vem|as \d|a noite|de manha|a "
    rf"tarde|cedo|e \w+ feira|ou|sem falta|agora)))(?:\s(?P<coming>que vem|que viene|proxim[oa]))?(?![^\W_])"
)
PERIOD = re.compile(
    r"(?<![^\W_])(?:(?P<end>(?:ate (?:o|ao) |no |by |by the |a |al |before |at the |until |until the |para o |para "
    r"el |hasta )?(?:fim(?! de semana)|final|finais|fin(?! de semana)|finales|end)) (?:d[aeo]s?|del?|de la|of|of "
    r"the)?\s?)?"
    r"(?:(?P<lead>proxim[oa]|next|est[ea]|nest[ea]|this|the|o|a|el|la|n[oa]|da|do|del)\s)?(?P<unit>fim de semana|fin "
    r"de semana|weekend|semana|week|mes|month|trimestre|quarter|semestre|ano|year|dia|day|expediente)"
    r"(?:\s(?P<coming>que vem|que viene|proxim[oa]|seguinte|siguiente))?(?![^\W_])"
)
EOD = re.compile(r"(?<![^\W_])(?:eod|eow|eom|eoq|eoy)(?![^\W_])")
QUARTER = re.compile(
    r"(?<![^\W_])(?:q(?P<q>[1-4])|(?P<t>[1-4])[ºo]?\s?(?:trimestre|tri|t|q)|(?P<name>primeiro|segundo|terceiro|quarto"
    r"|primer|tercer|cuarto|first|second|third|fourth)\s(?:trimestre|quarter))(?:\s?(?:de |del |of "
    r"|/)?(?P<year>20\d\d))?(?![^\W_])"
)
QUARTERS = {
    "primeiro": 1,
    "primer": 1,
    "first": 1,
    "segundo": 2,
    "second": 2,
    "terceiro": 3,
    "tercer": 3,
    "third": 3,
    "quarto": 4,
    "cuarto": 4,
    "fourth": 4,
}
JOIN = re.compile(r",?\s?(?:as|a las|a la|at|a|de|do dia|da|del|on|pelas|by|before)?\s?")
AHEAD_WORDS = frozenset(("em", "in", "within", "dentro", "daqui", "en", "prazo", "plazo", "maximo", "menos"))
PERIOD_UNITS = frozenset(
    (
        "semana",
        "week",
        "mes",
        "month",
        "trimestre",
        "quarter",
        "semestre",
        "ano",
        "year",
        "dia",
        "day",
        "expediente",
        "weekend",
    )
)
PERIOD_WORDS = frozenset(
    (
        "fim",
        "final",
        "finais",
        "fin",
        "finales",
        "end",
        "proximo",
        "proxima",
        "next",
        "que",
        "este",
        "esta",
        "neste",
        "nesta",
        "this",
        "weekend",
        "seguinte",
        "siguiente",
    )
)
DAY_WORDS = frozenset(word for phrase in DAYS for word in phrase.split() if len(word) > 3 or phrase == word) | {"manana"}
WEEKDAY_WORDS = frozenset(name for name in WEEKDAYS if "-" not in name)
QUARTER_WORDS = frozenset(("q", "t", "tri", "trimestre", "quarter"))
CLOCK_WORDS = frozenset(("h", "am", "pm", "a", "p", "hs", "hrs", "horas"))
NOON_WORDS = frozenset(("meio", "meia", "mediodia", "noon", "midday", "medianoche", "midnight"))
EOD_WORDS = frozenset(("eod", "eow", "eom", "eoq", "eoy"))
