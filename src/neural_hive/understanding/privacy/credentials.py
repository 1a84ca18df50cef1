"""Passwords, tokens and keys: known forms, after the word that announces them, and inside URLs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from neural_hive.understanding.privacy.finding import CERTAIN, LIKELY, Found

#: Forms that issuers publish. Source: the issuers' own documentation and GitHub's secret-scanning patterns.
_KNOWN = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?:[^-]{0,8000}-----END [A-Z ]{0,30}PRIVATE KEY-----)?"
    r"|(?<![A-Za-z0-9_])(?:(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_\w{20,255}"
    r"|glpat-[\w\-]{16,64}"
    r"|xox[abprs]-[A-Za-z0-9\-]{10,200}|sk-[A-Za-z0-9_\-]{16,200}|[sr]k_(?:live|test)_[A-Za-z0-9]{10,200}"
    r"|AIza[\w\-]{30,45}|ya29\.[\w\-]{20,300}"
    r"|SG\.[\w\-]{16,40}\.[\w\-]{16,64}|npm_[A-Za-z0-9]{30,50}|pypi-[\w\-]{30,300}|hf_[A-Za-z0-9]{20,60}"
    r"|dop_v1_[a-f0-9]{40,80}"
    r"|eyJ[\w\-]{8,4000}\.[\w\-]{8,4000}(?:\.[\w\-]{4,4000})?)"
)
_NAME = (
    r"(?:senhas?|palavra[- ]?passe|palavras[- ]passe|password|passwd|passphrase|pwd|contrase[ñn]as?|clave(?: secreta"
    r"| de acceso)?|segredo|secreto|secret(?:[_ -]?key)?"
    r"|(?:access|auth|api|bearer|refresh|session|id)?[_ -]?token|api[_ -]?key|chave(?: d[ae] api| secreta| privada| "
    r"de acesso)|client[_ -]?secret|access[_ -]?key(?:[_ -]id)?"
    r"|private[_ -]?key|credentials?|credenciais|credencial|passcode|pin|otp|authorization)"
)
_ASSIGNED = re.compile(
    rf"(?<![^\W_])[\"']?[\w\-]{{0,20}}?{_NAME}[\"']?\s{{0,3}}(?::=|=>|->|=|:)\s{{0,3}}(?:bearer |basic "
    rf")?[\"'`]?([^\s\"'`,;&<>‹\ue000]{{3,4000}})",
    re.IGNORECASE,
)
_SAID = re.compile(
    rf"(?<![^\W_]){_NAME}(?:\s(?:dele|dela|do \w{{1,20}}|da \w{{1,20}}|de \w{{1,20}}|del \w{{1,20}}|for \w{{1,20}}"
    rf"|atual|nova|nueva|actual|root|admin)){{0,2}}\s(?:[ée]|es|is|ser[áa]|era|was|foi|fue|para|to"
    rf"|por)\s[\"'`]?([^\s\"'`,;<>‹\ue000]{{4,400}})",
    re.IGNORECASE,
)
_ASSIGNS = re.compile(r"[=:]|->")
_BEARER = re.compile(r"(?<![^\W_])(?:bearer|basic)\s([A-Za-z0-9\-._~+/]{12,4000}=*)", re.IGNORECASE)
_URL_LOGIN = re.compile(r"(?<=://)[^\s/@:\ue000]{1,200}:[^\s/@\ue000]{1,400}(?=@)")
_URL_TOKEN = re.compile(
    r"(?<=[?&#])((?:\w{0,20}(?:token|key|secret|password|passwd|pwd|sig|signature|auth|code"
    r"|session)))=([^\s&#\"'<>\ue000]{4,4000})",
    re.IGNORECASE,
)


def credentials(text: str) -> Iterator[Found]:
    """Secrets in `text`."""
    for match in _KNOWN.finditer(text):
        yield Found("secret", match.start(), match.end(), CERTAIN, match.group())
    if "://" in text:
        for match in _URL_LOGIN.finditer(text):
            yield Found("secret", match.start(), match.end(), CERTAIN, match.group())
        for match in _URL_TOKEN.finditer(text):
            yield Found("secret", match.start(2), match.end(2), CERTAIN, match.group(2))
    for match in _BEARER.finditer(text):
        if _is_random(match.group(1)):
            yield _value(match)
    for match in _ASSIGNED.finditer(text) if _ASSIGNS.search(text) else ():
        if (
            "=" in text[match.start() : match.start(1)]
            or _is_random(match.group(1))
            or not text[match.end(1) :].strip(" .\"'`\n")
        ):
            yield _value(match)
    for match in _SAID.finditer(text):
        if _is_random(match.group(1).rstrip(".,;:!?)")):
            yield _value(match)


def _value(match: re.Match[str]) -> Found:
    value = match.group(1)
    end = match.end(1) - (len(value) - len(value.rstrip(".,;:)")))
    end = end if end - match.start(1) >= 3 else match.end(1)
    return Found("secret", match.start(1), end, LIKELY, value[: end - match.start(1)])


def _is_random(value: str) -> bool:
    """Whether it looks made up rather than a word: it mixes letters with digits or signs, or capitals inside."""
    has_digit = any(character.isdigit() for character in value)
    has_letter = any(character.isalpha() for character in value)
    has_sign = any(not character.isalnum() and character not in "-_./:()" for character in value)
    has_inner_capital = any(character.isupper() for character in value[1:]) and any(character.islower() for character in value)
    return (has_letter and (has_digit or has_sign or has_inner_capital)) or (has_digit and value.isdigit() and len(value) >= 4)
