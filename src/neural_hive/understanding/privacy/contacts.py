"""E-mail addresses (also spelled out), network addresses, street addresses and dates of birth."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from neural_hive.understanding.privacy.finding import CERTAIN, LIKELY, STRONG, Found

_LOCAL_EXTRA, _DOMAIN_EXTRA = "._%+-'!#$&*/=?^`{|}~", "-."
_MAX_LOCAL, _MAX_DOMAIN = 64, 253  # Source: RFC 5321, section 4.5.3.1
_AT_WORD = r"(?:\s*[\(\[<{]\s*(?:at|arroba|@)\s*[\)\]>}]\s*|\s+arroba\s+)"
_DOT_WORD = r"(?:\s*[\(\[{]\s*(?:dot|ponto|punto)\s*[\)\]}]\s*|\s+(?:dot|ponto|punto)\s+|\s?\.\s?)"
_SPELLED_MARK = "dot|ponto|punto|underline|underscore|guion bajo|sublinhado|tra[çc]o|h[íi]fen|dash"
_LABEL = r"[^\W_][\w\-]{0,62}"
_SPELLED = re.compile(
    rf"(?<![\w.])(?:[\w+\-]{{1,40}}(?:\s+(?:{_SPELLED_MARK})\s+|\.)){{0,4}}[\w.+\-]{{1,64}}"
    rf"{_AT_WORD}{_LABEL}(?:{_DOT_WORD}{_LABEL}){{1,3}}",
    re.IGNORECASE,
)
_SPELLED_EN = re.compile(
    rf"(?<![\w.])(?:[\w+\-]{{1,40}}(?:\s+(?:dot|underscore|dash)\s+"
    rf"|\.)){{0,4}}[\w+\-]{{1,40}}\s+at\s+{_LABEL}(?:\s+dot\s+{_LABEL}){{1,3}}",
    re.IGNORECASE,
)
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d|-(?:rc|beta|alpha|snapshot|\d)|\.jar| rc\d)", re.IGNORECASE)
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?:(?<=:)\d{1,3}(?:\.\d{1,3}){3})?(?![\w:])", re.IGNORECASE)
_MAC = re.compile(r"(?<![\w:\-])(?:[0-9a-f]{2}([:\-]))(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}(?![\w:\-])", re.IGNORECASE)
#: The unspecified address, loopback and netmasks identify nobody, and "open to 0.0.0.0/0" must stay readable.
#: Source: RFC 6890.
_NOBODYS = ("0.0.0.0", "127.0.0.1", "255.255.")  # noqa: S104 - an address in a text, not one to bind
_VERSION_BEFORE = re.compile(
    r"(?:\b(?:v|vers[ãa]o|versi[óo]n|version|ver|release|rel|build|kernel|firmware|driver|sdk|jdk|java|patch|hotfix"
    r"|upgrade to|se[çc][ãa]o|section|secci[óo]n|item|cl[áa]usula|art)[\s.:]{0,2}(?:para |to |a )?|==|>=|<=|->|@)$",
    re.IGNORECASE,
)
_BIRTH = re.compile(
    r"(?:nascid[oa]s?(?: em| a)?|nasceu(?: em| a)?|data (?:de )?nasc(?:imento|\.)?|nascimento|nasc\.?|dob"
    r"|d\.o\.b\.|date of birth|birth ?date|birthday|born(?: on| in)?"
    r"|fecha (?:de )?nac(?:imiento|\.)?|nacimiento|naci[óo](?: el)?|nacid[oa](?: el)?|anivers[áa]rio"
    r"|cumplea[ñn]os)[^\w\n]{0,4}(?:(?:é|es|is|em|el|on|a|de|do|da)\b[^\w\n]{0,3}){0,2}"
    r"(\d{1,4}[ ./\-]\d{1,2}[ ./\-]\d{1,4}|\d{1,2}(?:º|st|nd|rd|th)? (?:de |of )?[^\W\d_]{3,10},? (?:de |del "
    r")?\d{2,4}|[^\W\d_]{3,10} \d{1,2}(?:st|nd|rd|th)?,? \d{4})",
    re.IGNORECASE,
)
_STREET = re.compile(
    r"(?<![^\W_])(?:rua|avenida|av\.|travessa|alameda|pra[çc]a|rodovia|estrada|calle|paseo|plaza|carrera|calzada)\s+"
    r"(?:(?:d[aeo]s?|del|la|las|los|el|e|y|\d{1,2} de)\s+){0,2}[A-ZÀ-Ý0-9][\w'.]{0,30}(?:\s+(?:d[aeo]s?|del|la|e|y"
    r"|[A-ZÀ-Ý][\w'.]{0,30})){0,6},?\s*(?:n[.º°o]{0,2}\s*|n[úu]mero\s*|#\s*)?\d{1,5}(?![\d/:])"
    r"(?:\s*,\s*(?:apto?\.?|apartamento|bloco|sala|piso|puerta|\d{1,2}º)\s*[\w\-]{1,6}){0,3}",
    re.IGNORECASE,
)
_STREET_EN = re.compile(
    r"(?<![\w.])\d{1,5}\s+(?:[NSEW]\.?\s+)?(?:[A-Z][\w']{1,20}\s+){1,3}(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive"
    r"|Dr|Boulevard|Blvd|Court|Ct|Terrace|Way)\b\.?"
)


def emails(text: str) -> Iterator[Found]:
    """E-mail addresses, also with Unicode letters, quotes, and spelled out ("nome arroba empresa ponto com")."""
    position = text.find("@")
    while position >= 0:
        found = _email_around(text, position)
        if found:
            yield found
        position = text.find("@", position + 1)
    for pattern in _spelled_patterns(text):
        for match in pattern.finditer(text):
            yield Found("email", match.start(), match.end(), STRONG, match.group().lower())


def _spelled_patterns(text: str) -> tuple[re.Pattern[str], ...]:
    lowered = text.lower()
    patterns: tuple[re.Pattern[str], ...] = ()
    if "arroba" in lowered or re.search(r"[\(\[<{]\s?(?:at|@)\s?[\)\]>}]", lowered):
        patterns += (_SPELLED,)
    if " at " in lowered and " dot " in lowered:
        patterns += (_SPELLED_EN,)
    return patterns


def _email_around(text: str, at: int) -> Found | None:
    start, end = _local_start(text, at), at + 1
    while end < len(text) and end - at <= _MAX_DOMAIN and (text[end].isalnum() or text[end] in _DOMAIN_EXTRA):
        end += 1
    while end > at + 1 and not text[end - 1].isalnum():
        end -= 1
    domain = text[at + 1 : end]
    if start == at or "." not in domain or not domain[0].isalnum():
        return None
    if len(domain.rsplit(".", 1)[1]) < 2 or domain.rsplit(".", 1)[1].isdigit():
        return None
    return Found("email", start, end, CERTAIN, text[start:end].lower())


def _local_start(text: str, at: int) -> int:
    if text[at - 1 : at] == '"':
        opening = text.rfind('"', max(0, at - _MAX_LOCAL), at - 1)
        return opening if opening >= 0 else at
    start = at
    while start > 0 and at - start < _MAX_LOCAL and (text[start - 1].isalnum() or text[start - 1] in _LOCAL_EXTRA):
        start -= 1
    while start < at and not (text[start].isalnum() or text[start] == "_"):
        start += 1
    return start


def network_addresses(text: str) -> Iterator[Found]:
    """IPv4 (unless a version number), IPv6 and MAC addresses."""
    for match in _IPV4.finditer(text):
        is_address = all(int(part) <= 255 for part in match.group().split("."))
        if (
            is_address
            and not match.group().startswith(_NOBODYS)
            and not _VERSION_BEFORE.search(text, max(0, match.start() - 24), match.start())
        ):
            yield Found("ip", match.start(), match.end(), STRONG, match.group())
    if text.count(":") >= 2:
        for match in _IPV6.finditer(text):
            if _is_ipv6(match.group()):
                yield Found("ip", match.start(), match.end(), STRONG, match.group().lower())
    for match in _MAC.finditer(text):
        yield Found("mac", match.start(), match.end(), STRONG, match.group().lower())


def _is_ipv6(written: str) -> bool:
    if not any(character.isdigit() for character in written) and written.count(":") < 4:
        return False
    try:
        ipaddress.IPv6Address(written)
    except ValueError:
        return False
    return written not in ("::", "::1")


def places_and_births(text: str) -> Iterator[Found]:
    """Street addresses with a number, and dates announced as a date of birth."""
    for match in _BIRTH.finditer(text):
        yield Found("date_of_birth", match.start(1), match.end(1), STRONG, match.group(1).lower())
    for pattern in (_STREET, _STREET_EN):
        for match in pattern.finditer(text):
            yield Found("address", match.start(), match.end(), LIKELY, match.group().lower())
