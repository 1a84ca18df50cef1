"""Names of people: lists of common names, what stands beside them, and the words that announce a person, in three
languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

from neural_hive.understanding.privacy.finding import LIKELY, WEAK, Found

SURE, GIVEN, GIVEN_WEAK, SURNAME, SURNAME_WEAK = 1, 2, 4, 8, 16
TITLE, ROLE, PHRASE, PARTICLE, STOP, HEAD, SAINT = 32, 64, 128, 256, 512, 1024, 2048
GIVEN_RARE, SURNAME_RARE, SHORT_TITLE, NAMED, CAPITALS = 4096, 8192, 16384, 32768, 65536
ADDRESSED = 131072
_ANY_GIVEN = SURE | GIVEN | GIVEN_WEAK
_ANY_SURNAME = SURNAME | SURNAME_WEAK
_FIRM = SURE | GIVEN | SURNAME
_ANY_NAME = _ANY_GIVEN | _ANY_SURNAME
_ANY_LISTED = _ANY_NAME | GIVEN_RARE | SURNAME_RARE
_SECTIONS = {
    "given-sure": SURE,
    "given": GIVEN,
    "given-weak": GIVEN_WEAK,
    "given-rare": GIVEN_RARE,
    "surname": SURNAME,
    "surname-weak": SURNAME_WEAK,
    "surname-rare": SURNAME_RARE,
}

#: Words with a part to play; lower case, accents removed.
_WORDS: dict[int, str] = {
    TITLE: "sr sra srta sres dr dra dona dna mr mrs miss senhor senhora senhorita senor senora senorita doutor "
    "doutora doctora prof profa frei",
    # Titles that are also other words: they count before a listed name, or with a full stop ("Ms. Brown", but "200
    # ms SLA").
    SHORT_TITLE: "don ms mx ing lic engo eng pe min des dep gov exmo rel doctor engenheiro engenheira",
    ROLE: (
        "cliente paciente funcionario funcionaria colaborador colaboradora empregado empregada usuario usuaria "
        "utilizador utilizadora aluno aluna estudante titular segurado segurada"
        " beneficiario beneficiaria requerente solicitante responsavel gerente colega chefe analista desenvolvedor "
        "desenvolvedora programador vendedor vendedora motorista advogado advogada"
        " medico medica enfermeira enfermeiro professor professora secretaria estagiario estagiaria mae pai filho "
        "filha esposa marido irmao irma empleado empleada trabajador trabajadora alumno"
        " alumna jefe jefa companero companera abogado abogada estudiante madre padre hijo hija esposo hermano "
        "hermana user employee customer patient student client manager boss colleague"
        " coworker teacher lawyer nurse tenant holder applicant candidate candidato candidata morador moradora "
        "hospede socio socia diretor diretora director directora presidente ministro"
        " ministra deputado deputada senador senadora desembargador desembargadora juiz juiza relator relatora autor "
        "autora reu apelante apelado agravante agravado impetrante testemunha"
        " recorrente recorrido reclamante reclamada procurador procuradora delegado delegada perito perita prefeito "
        "prefeita governador president minister senator uncle aunt tio tia"
        " amigo amiga friend brother sister mother father wife husband son daughter"
    ),
    PARTICLE: "de da do das dos e del la las los y van von der di du d",
    HEAD: (
        "rua avenida av praca travessa alameda calle plaza street avenue road banco bank grupo group empresa company "
        "hospital clinica escola colegio universidade universidad university"
        " faculdade instituto institute fundacao fundacion foundation aeroporto aeropuerto airport estadio cidade "
        "ciudad city municipio estado state provincia bairro barrio distrito"
        " projeto project proyecto sistema system plataforma platform servico servicio service servidor server "
        "modulo module biblioteca library framework ferramenta tool loja tienda store"
        " serra monte mount rio lago ilha isla island vila villa porto puerto port cabo lei ley act teorema "
        "algoritmo algorithm metodo method indice premio prize copa"
    ),
    SAINT: "sao san santo santa saint st",
    STOP: (
        "o a os as um uma the an el la los las un una lo em no na nos nas ao aos por para pelo pela com sem que se "
        "ou and or but for with without from to in on at by of is are was este esta isto"
        " this that these those esse essa isso aquele y en con sin pero como mas nao no not yes sim si ja ainda when "
        "where quando onde cuando donde porque favor please obrigado gracias thanks"
        " hoje amanha ontem hoy manana ayer today tomorrow yesterday segunda terca quarta quinta sexta sabado "
        "domingo lunes martes miercoles jueves viernes monday tuesday wednesday thursday"
        " friday saturday sunday janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro "
        "dezembro enero febrero mayo junio septiembre octubre noviembre diciembre january"
        " february march april may june july august september october november december bom boa bien good ola hola "
        "hello hi dear caro cara prezado prezada estimado estimada oi"
        " preciso quero queremos favor gostaria necesito quiero need want would delete remove create update apague "
        "remova crie exclua delete ask tell call email send envie mande diga avise"
        " premium gold final admin root guest api id vip enterprise business pro plus"
        " tribunal justica turma camara ministerio juizado vara comarca constituicao codigo federal estadual "
        "municipal nacional supremo superior publico civil penal processo artigo"
        " i'm i'll i'd i've it's don't can't we're you're"
        " todos todas todo toda all every each cada qualquer cualquier any nenhum ninguno none"
        " igreja church partido party clube club time team equipe equipa equipo campeonato liga league guerra war "
        "imperio reino kingdom republica republic"
    ),
}
_PHRASE_ENDS: dict[str, frozenset[str]] = {
    "e": frozenset({"nome"}), "es": frozenset({"nombre"}), "is": frozenset({"name"}), "chamo": frozenset({"me"}),
    "me": frozenset({"chamo", "llamo"}),
    "llamo": frozenset({"me"}), "am": frozenset({"i"}), "of": frozenset({"behalf"}), "to": frozenset({"assigned"}),
}  # fmt: skip
_PHRASE_WORDS = frozenset(
    {
        "soy",
        "sou",
        "i'm",
        "nome",
        "nombre",
        "name",
        "assinado",
        "atenciosamente",
        "att",
        "abs",
        "abracos",
        "regards",
        "saludos",
        "cumprimentos",
    }
)
#: English words before somebody's name in lower case ("tell sam", "meet with clara"); in pt and es such words
#: precede too much else.
_ADDRESSING = frozenset(
    {"with", "from", "email", "call", "text", "tell", "ask", "meet", "phone", "ping", "message", "invite"}
)
_NEEDS_COLON = frozenset({"nome", "nombre", "name"})
_ARTICLES = frozenset({"o", "a", "el", "la", "the"})
_TOKEN = re.compile(r"[^\W\d_]+(?:'(?!s\b)[^\W\d_]+)*")
_ACCENTS = str.maketrans("áàâãäåéèêëíìîïóòôõöúùûüçñý", "aaaaaaeeeeiiiiooooouuuucny")
_VERB_ENDS = ("ar", "er", "ir", "ing", "ed", "ize", "ise", "emos", "amos", "ção", "ções")
#: Suffixes that end a name; in the lists they are words of their own too.
_SUFFIXES = frozenset({"filho", "neto", "junior", "jr", "sobrinho", "sr"})
_JOINTS = frozenset({" ", "  ", "-", ".", "_", "\n", "\u00a0"})


class Token(NamedTuple):
    """A word: where it is, its folded form, what is known of it, whether it begins with a capital, and whether it
    begins a sentence."""

    start: int
    end: int
    key: str
    flags: int
    is_capital: bool
    is_first: bool

    @property
    def is_all_capital(self) -> bool:
        """Set by `_tokens` for words written in capitals only."""
        return bool(self.flags & CAPITALS)


def folded(word: str) -> str:
    """Lower case without the accents of the three languages."""
    lowered = word.lower()
    return lowered if lowered.isascii() else lowered.translate(_ACCENTS)


@lru_cache(maxsize=1)
def _lexicon() -> dict[str, int]:
    """Word → what it is; about 5,000 words, read once."""
    known: dict[str, int] = {}
    flag = 0
    for line in (resources.files(__package__) / "names.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            flag = _SECTIONS[line.strip("[]")]
        elif not line.startswith("#"):
            for word in line.split():
                known[word] = known.get(word, 0) | flag
    for part, words in _WORDS.items():
        for word in words.split():
            known[word] = known.get(word, 0) | part
    return known


@lru_cache(maxsize=1)
def _not_names() -> dict[str, list[tuple[str, ...]]]:
    """First word → phrases that are places, companies or products."""
    phrases: dict[str, list[tuple[str, ...]]] = {}
    for line in (resources.files(__package__) / "not_names.txt").read_text(encoding="utf-8").splitlines():
        words = tuple(line.split())
        if words and not line.startswith("#"):
            phrases.setdefault(words[0], []).append(words)
    return phrases


class NameFinder:
    """Finds the names of people in a text; holds the lists."""

    def __init__(self) -> None:
        self._known = _lexicon()
        self._not_names = _not_names()

    def find(self, text: str) -> Iterator[Found]:
        """Names of people in `text` (its shadow), in order, without overlaps."""
        tokens = self._tokens(text)
        position = 0
        while position < len(tokens):
            skipped = self._not_name_at(tokens, position)
            if skipped:
                position += skipped
                continue
            end = self._name_end(text, tokens, position)
            if end > position:
                first, last = tokens[position], tokens[end - 1]
                rank = LIKELY if end - position > 1 else WEAK
                yield Found(
                    "person", first.start, last.end, rank, " ".join(token.key for token in tokens[position:end])
                )
                position = end
            else:
                position += 1

    def _tokens(self, text: str) -> list[Token]:
        known = self._known
        tokens: list[Token] = []
        previous_end = 0
        is_shouted = text.isupper()
        for match in _TOKEN.finditer(text):
            start, word = match.start(), match.group()
            key = folded(word)
            is_glued = text[start - 1 : start].isdigit() or text[match.end() : match.end() + 1].isdigit()
            gap = text[previous_end:start]
            is_first = not tokens or (
                any(mark in gap for mark in '.!?:\n•"') and not (gap == ". " and len(tokens[-1].key) <= 3)
            )
            flags = 0 if is_glued else known.get(key, 0)
            is_capital = word[0].isupper() and not is_glued
            if is_capital and len(word) > 1 and word.isupper() and not is_shouted:
                flags |= CAPITALS
            tokens.append(Token(start, match.end(), key, flags, is_capital, is_first))
            previous_end = match.end()
        return tokens

    def _not_name_at(self, tokens: list[Token], position: int) -> int:
        """How many words from here are a place, a company or a product."""
        for phrase in self._not_names.get(tokens[position].key, ()):
            if tuple(token.key for token in tokens[position : position + len(phrase)]) == phrase:
                return len(phrase)
        return 0

    def _name_end(self, text: str, tokens: list[Token], position: int) -> int:
        """One past the last word of the name that begins at `position`; `position` if none begins there."""
        token = tokens[position]
        cue = self._cue_before(text, tokens, position)
        if not (token.flags & _ANY_NAME or cue or token.is_capital):
            return position
        if token.flags & (TITLE | SHORT_TITLE | ROLE | PARTICLE | SAINT) and not token.flags & _FIRM:
            return position
        if token.flags & (STOP | HEAD) and not (
            token.flags & _FIRM or (token.flags & _ANY_NAME and (cue & TITLE or token.is_capital))
        ):
            return position
        end = self._extended(text, tokens, position)
        return end if self._is_person(tokens, position, end, cue) else position

    def _extended(self, text: str, tokens: list[Token], position: int) -> int:
        """How far the name goes on: capitalised words and listed surnames, with particles between."""
        end = position + 1
        at = end
        while at < len(tokens) and at - position <= 8 and self._is_joined(text, tokens, at):
            token = tokens[at]
            if self._continues(text, tokens, position, at):
                end = at + 1
            elif not (token.flags & PARTICLE or token.key in ("de", "da")) or (
                token.key in ("e", "y")
                and not (at + 1 < len(tokens) and tokens[at + 1].flags & SURNAME and end - position >= 2)
            ):
                break
            at += 1
        return end

    def _is_joined(self, text: str, tokens: list[Token], at: int) -> bool:
        before = tokens[at - 1]
        gap = text[before.end : tokens[at].start]
        return gap in _JOINTS or (gap == ". " and len(before.key) == 1)

    def _continues(self, text: str, tokens: list[Token], position: int, at: int) -> bool:
        token, first = tokens[at], tokens[position]
        if token.key in _SUFFIXES and token.is_capital == first.is_capital:
            return True
        if self._not_name_at(tokens, at) or (token.flags & (TITLE | ROLE) and not token.flags & _ANY_NAME):
            return False
        if not first.is_capital:
            allowed = _ANY_SURNAME | SURNAME_RARE if first.flags & SURE else SURNAME_RARE if first.flags & GIVEN else 0
            return bool(token.flags & (SURE | SURNAME | allowed)) and not token.flags & STOP
        if len(token.key) == 1:
            return token.is_capital and (
                text[token.end : token.end + 1] == "."
                or (at + 1 < len(tokens) and tokens[at + 1].flags & _ANY_SURNAME > 0)
            )
        is_barred = token.flags & (STOP | PARTICLE | SAINT) and not token.flags & _ANY_SURNAME
        return token.is_capital and not is_barred and not _looks_like_code(token)

    def _is_person(self, tokens: list[Token], position: int, end: int, cue: int) -> bool:
        first = tokens[position]
        words = [token for token in tokens[position:end] if not token.flags & PARTICLE or token.flags & _FIRM]
        flags = [token.flags for token in words]
        before = tokens[position - 1] if position else None
        if before and before.flags & SAINT and before.is_capital:
            return False
        if not first.is_capital:
            return self._is_person_in_lower_case(flags, cue)
        if len(words) > 1:
            return self._is_full_name(words, cue, before)
        return self._is_single_name(first, cue, before)

    def _is_person_in_lower_case(self, flags: list[int], cue: int) -> bool:
        if flags[0] & SURE:
            return True
        if len(flags) > 1:
            return bool(
                flags[0] & (_ANY_GIVEN | GIVEN_RARE)
                and any(flag & (SURNAME | SURE | SURNAME_RARE) for flag in flags[1:])
            )
        return bool(
            (cue & (TITLE | SHORT_TITLE | PHRASE) and flags[0] & (_ANY_GIVEN | SURNAME))
            or (cue & (ROLE | ADDRESSED) and flags[0] & (GIVEN | SURNAME | GIVEN_RARE))
        )

    def _is_full_name(self, words: list[Token], cue: int, before: Token | None) -> bool:
        first, rest = words[0], words[1:]
        has_surname = any(word.flags & (_ANY_SURNAME | SURE | GIVEN) for word in rest)
        if first.flags & (SURE | GIVEN):
            return True
        if first.flags & GIVEN_WEAK:
            return has_surname or bool(cue and not first.flags & STOP)
        if first.flags & STOP:
            return False
        if cue & (TITLE | PHRASE):
            return True
        if before and before.flags & HEAD:
            return False
        if cue & (ROLE | SHORT_TITLE) and any(word.flags & _ANY_LISTED for word in words):
            return True
        if first.flags & GIVEN_RARE:
            return has_surname or any(
                word.flags & (SURNAME_RARE | GIVEN_RARE) or not word.flags & ~CAPITALS for word in rest
            )
        return self._has_unlisted_given(words)

    def _has_unlisted_given(self, words: list[Token]) -> bool:
        """An unknown capitalised word before a listed surname: "Thayná Souza". In capitals only, that is too little."""
        first, rest = words[0], words[1:]
        if len(words) > 5 or first.flags & ~_ANY_LISTED or (first.is_first and _is_verb_like(first)):
            return False
        if any(word.flags & (SURE | GIVEN | SURNAME) for word in rest):
            return True
        return not first.is_first and bool(rest[-1].flags & (SURNAME_RARE | GIVEN_RARE)) and len(words) == 2

    def _is_single_name(self, token: Token, cue: int, before: Token | None) -> bool:
        if cue & (TITLE | PHRASE):
            return bool(token.flags & _ANY_LISTED) or (
                bool(cue & (TITLE | NAMED)) and not token.flags & ~CAPITALS and len(token.key) > 1
            )
        if cue & (ROLE | SHORT_TITLE):
            return bool(token.flags & _ANY_LISTED)
        if before and before.flags & HEAD:
            return False
        return bool(token.flags & _FIRM) and not (token.is_all_capital and len(token.key) <= 4)

    def _cue_before(self, text: str, tokens: list[Token], position: int) -> int:
        """What announces a person just before: a title, a role, or a phrase such as "meu nome é"."""
        at = position - 1
        if at >= 0 and tokens[at].key in _ARTICLES and tokens[at].end < tokens[position].start:
            at -= 1
        if at < 0:
            return 0
        before = tokens[at]
        gap = text[before.end : tokens[position].start]
        if len(gap) > 6:
            return 0
        if before.flags & (TITLE | SHORT_TITLE | ROLE) and "," not in gap and "\n" not in gap:
            return (
                TITLE
                if before.flags & SHORT_TITLE and gap.startswith(".")
                else before.flags & (TITLE | SHORT_TITLE | ROLE)
            )
        if before.key in _ADDRESSING and gap == " " and at == position - 1:
            return ADDRESSED
        if before.key in _PHRASE_WORDS and (":" in gap or before.key not in _NEEDS_COLON):
            return PHRASE
        enders = _PHRASE_ENDS.get(before.key)
        if enders and at > 0 and tokens[at - 1].key in enders:
            return PHRASE | NAMED if before.key not in ("am", "of", "to") else PHRASE
        return 0


def _looks_like_code(token: Token) -> bool:
    """A word of capitals without a vowel, e.g. SQL."""
    return len(token.key) <= 4 and not any(vowel in token.key for vowel in "aeiouy")


def _is_verb_like(token: Token) -> bool:
    return token.key.endswith(_VERB_ENDS)
