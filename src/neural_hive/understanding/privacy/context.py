"""Words near a number that say what it is: "cpf", "contribuinte", "ticket", "phone"…, in any of the languages."""

from __future__ import annotations

import re
from typing import NamedTuple

#: Meaning → words that announce it. `other` marks numbers that are nobody's: orders, tickets, versions, amounts.
_WORDS: dict[str, str] = {
    "cpf": r"cpfs?|c\.p\.f\.?|cadastro de pessoas? f[ií]sicas?",
    "cnpj": r"cnpjs?|c\.n\.p\.j\.?",
    "pis": r"pis|pasep|pis/pasep|nis|nit",
    "cns": r"cns|cart[ãa]o (?:nacional )?d[eo] (?:sa[úu]de|sus)|cart[ãa]o sus",
    "cnh": r"cnh|carteira de motorista|habilita[çc][ãa]o",
    "voter_id": r"t[íi]tulo (?:de eleitor|eleitoral)",
    "rg": r"rg|r\.g\.|registro geral|c[ée]dula de identidade|carteira de identidade",
    "niss_pt": r"niss|seguran[çc]a social",
    "cc_pt": r"cart[ãa]o de cidad[ãa]o|cart[ãa]o do cidad[ãa]o|bilhete de identidade|n[.º°]? ?cc",
    "nif": r"nifs?|nipc|n[úu]mero fiscal|contribuintes?|contribuyentes?|identifica[çc][ãa]o fiscal|identificaci[óo]n "
    r"fiscal|tax (?:id|number|identification)",
    "dni": r"dnis?|d\.n\.i\.?|documento nacional(?: de identidad)?|c[ée]dula(?: de ciudadan[íi]a)?",
    "nuss_es": r"nuss|naf|seguridad social|afiliaci[óo]n",
    "cuit_ar": r"cuit|cuil",
    "rut_cl": r"rut|r\.u\.t\.?",
    "ssn": r"ssns?|social security(?: (?:number|no\.?|#))?|itin|social",
    "nhs_uk": r"nhs(?: number| no\.?)?",
    "passport": r"passports?|passaportes?|pasaportes?",
    "card": r"cards?|credit cards?|debit cards?|cart[ãa]o(?: de cr[ée]dito| de d[ée]bito)?|cart[õo]es|tarjetas?(?: "
    r"de cr[ée]dito| de d[ée]bito)?|visa|mastercard|amex",
    "phone": (
        r"tel|tel\.|tels?|telefones?|tel[ée]fonos?|fones?|celular(?:es)?|cel|cel\.|telem[óo]ve(?:l|is)"
        r"|m[óo]vil(?:es)?|whats?(?:app)?|wpp|zap|zapzap"
        r"|phones?|mobiles?|cell(?:phone)?|call(?:ed|ing)?|ring|text|sms|fax|ligar|ligue|liga|ligou|llamar|llama"
        r"|llame|ll[áa]mame|contactos?|contatos?|contact|n[úu]mero d[eoa]"
    ),
    "account": r"conta(?: corrente| poupan[çc]a| banc[áa]ria)?|cuenta(?: corriente| bancaria)?|(?:bank )?account(?: "
    r"number| no\.?)|ag[êe]ncia|nib|sort code|clabe",
    "postcode": r"ceps?|c[óo]digo postal|c\.p\.|cp|zip(?: code)?|post ?codes?|postal code",
    "pix": r"pix|chave aleat[óo]ria",
    "other": (
        r"pedidos?|orders?|ordem|orden(?:es)?|tickets?|chamados?|incidentes?|incident|inc|issues?|bug|pr|protocolos?"
        r"|processos?|nota fiscal|nfe?|faturas?|facturas?|invoices?"
        r"|id|ids|c[óo]digos?|code|sku|vers[ãa]o|versi[óo]n|version|build|porta|port|puerto|linhas?|lines?|rows?"
        r"|timestamp|epoch"
        r"|lote|batch|contratos?|contracts?|valor|total|pre[çc]o|price|precio|amount|montante|importe|commit|pid|req"
        r"|request|transa[çc][ãa]o|transaction|transacci[óo]n|s[ée]rie|serial|isbn|ean|gtin"
        r"|limite|limit|m[áa]ximo|m[íi]nimo|max|min|timeout|bytes"
    ),
}
_ANNOUNCE = re.compile(
    "(?<![^\\W\\d_])(?:" + "|".join(f"(?P<{meaning}>{words})" for meaning, words in _WORDS.items()) + ")(?![^\\W\\d_])"
)
#: Words too common to overrule a clearer one before them: "meu CPF, número do titular".
_FAINT = re.compile(r"n[úu]mero d[eoa]")
_BEFORE_CHARS, _AFTER_CHARS = 40, 24
_OTHER_CHARS = 14  # "pedido n.º 123", not "o pedido do cliente 123": a word that clears a number must stand close


class Cue(NamedTuple):
    """What the words before and after a run of digits say it is (empty if nothing), and where the word before ends."""

    before: str
    before_end: int
    after: str

    def at(self, start: int, is_last: bool) -> str:
        """What is announced for the part of the run that begins at `start`; `is_last` if it reaches the end of the
        run."""
        reach = _OTHER_CHARS if self.before == "other" else _BEFORE_CHARS
        if self.before and start - self.before_end <= reach:
            return self.before
        return self.after if is_last else ""


def announced(text: str, start: int, end: int) -> Cue:
    """What the words nearest before (40 characters) or else just after (24) `text[start:end]` say it is."""
    first = max(0, start - _BEFORE_CHARS)
    before, before_end = "", 0
    for match in _ANNOUNCE.finditer(text[first:start].lower()):
        if not (before and _FAINT.match(match.group())):
            before, before_end = match.lastgroup or "", first + match.end()
    if before:
        return Cue(before, before_end, "")
    after = _ANNOUNCE.search(text[end : end + _AFTER_CHARS].lower())
    meaning = (after.lastgroup or "") if after else ""
    return Cue("", 0, meaning if meaning != "other" else "")
