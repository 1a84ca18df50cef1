"""Finding phrases in a text: words without case or accents, endings, alternatives and gaps, in one pass over the words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Generic, TypeVar

#: Most words that `...` in a phrase may stand for, unless a matcher says otherwise; articles, prepositions and the like are not
#: counted: 'abrir a porta do banco de dados para a internet' says no more between its ends than 'open the database port to the internet'.
MAX_GAP = 4
#: Most words of any kind that `...` may stand for.
MAX_GAP_WORDS = 14
#: Words after which something else is spoken of: 'keep the keys in the vault instead of the code' keeps no keys in the code.
_TURNS = frozenset({"instead", "rather"})
_TURNS_OF_TWO = frozenset({("vez", "em"), ("vez", "en"), ("lugar", "em"), ("lugar", "en")})
_JOINING = """
    a o as os um uma uns umas de do da dos das em no na nos nas num numa ao aos pelo pela pelos pelas para pra pro por com e
    seu sua seus suas nosso nossa nossos nossas meu minha este esta esse essa
    el la los las un una unos unas del al en y su sus nuestro nuestra nuestros nuestras mi mis lo con
    the an of to in on at for from by with and our your their its my this that these those
"""
#: Words that only join others, in pt, es and en, folded.
JOINING = frozenset(_JOINING.split())
#: Words for which a matcher remembers the phrases that they can start.
MAX_KNOWN_WORDS = 4_096

_TOKEN = re.compile(r"‹[a-z_]+-\d+›|[^\W_]+|[.!?;:\n]|[,()–—]")
_PLACEHOLDER = re.compile(r"‹([a-z_]+)-\d+›")
_HARD_BREAKS = frozenset(".!?;\n")
_SOFT_BREAKS = frozenset(",():–—")
_PARTS = re.compile(r"(?:\([^()]*\)|[^\s()])+")
_NESTED = re.compile(r"([(|])([^()|]*)\(([^()]*)\)([^()|]*)(?=[|)])")
_GROUP = re.compile(r"([^()]*)\(([^()]*)\)([^()]*)")

#: A Spanish verb with the pronouns that are written onto it: 'bórralo', 'mándamelas', 'quitarle'.
_ENCLITIC = re.compile(r"([a-z]{2,}?(?:[aeiou]|[aei][rd]|ndo|[ae]n|mos))(?:me|te|se|nos|os)?(?:me|lo|la|le|los|las|les|nos)")
_FORMS_OF_GIVE = frozenset({"dê", "dé", "dá"})

T = TypeVar("T")


def fold(text: str) -> str:
    """Lower case without diacritics: 'Migração' → 'migracao'. May change the length of the text.

    'dê', 'dé' and 'dá' become 'dar', which they are a form of: without their accent they would be prepositions.
    """
    if text.isascii():
        return text.lower()
    if text.lower() in _FORMS_OF_GIVE:
        return "dar"
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


@dataclass(frozen=True, slots=True)
class Words:
    """A text as words. All tuples have one item per word.

    folded: the word, folded; a placeholder becomes '‹kind›'. starts, ends: code point offsets in the text. sentence: number of
    the sentence, from 0. clause: number of the clause (commas and colons end one), from 0, rising over the whole text.
    distance: words up to and with this one that are counted in a gap; a turn counts more than any gap may hold.
    """

    text: str
    folded: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    sentence: tuple[int, ...]
    clause: tuple[int, ...]
    distance: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.folded)

    def quote(self, first: int, last: int) -> tuple[str, int, int]:
        """Words `first` to `last` (inclusive) as (quote, start, end) of the text."""
        start, end = self.starts[first], self.ends[last]
        return self.text[start:end], start, end


@lru_cache(maxsize=256)
def split_words(text: str) -> Words:
    """Split a text into words, sentences and clauses. Linear in the length of the text."""
    folded: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    sentences: list[int] = []
    clauses: list[int] = []
    sentence = clause = 0
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token in _HARD_BREAKS:
            if token != "." or not _is_inside_number(text, match.start()):
                sentence, clause = sentence + 1, clause + 1
        elif token in _SOFT_BREAKS:
            if token != "," or not _is_inside_number(text, match.start()):
                clause += 1
        else:
            kind = _PLACEHOLDER.fullmatch(token)
            folded.append(f"‹{kind[1]}›" if kind else fold(token))
            starts.append(match.start())
            ends.append(match.end())
            sentences.append(sentence)
            clauses.append(clause)
    distance = tuple(accumulate(map(_weight, folded, ["", *folded])))
    return Words(text, tuple(folded), tuple(starts), tuple(ends), tuple(sentences), tuple(clauses), distance)


def _weight(word: str, before: str) -> int:
    """How far a word takes what stands behind it from what stands before it."""
    if word in JOINING:
        return 0
    return MAX_GAP_WORDS if word in _TURNS or (word, before) in _TURNS_OF_TWO else 1


def _is_inside_number(text: str, at: int) -> bool:
    return 0 < at < len(text) - 1 and text[at - 1].isalnum() and text[at + 1].isalnum()


@dataclass(frozen=True, slots=True)
class _Word:
    """One place of a pattern: words that fit exactly, beginnings that fit."""

    exact: frozenset[str]
    prefixes: tuple[str, ...]

    def fits(self, word: str) -> bool:
        return word in self.exact or (bool(self.prefixes) and word.startswith(self.prefixes))

    @property
    def is_any(self) -> bool:
        return "" in self.prefixes


#: An infinitive's ending, then those of the forms in which people ask, in Portuguese and Spanish, folded: "queria que tirassem",
#: "cambiad", "se apagarem", "que borraran". Forms that are nouns too ("conta", "limite") and the past tenses stand in the phrase.
_ASKING = """
    ar em en emos asse assem assemos arem armos aremos ara aran aras ase asen ad ando
    er am an amos esse essem essemos erem ermos eremos iera ieran ieras iese iesen ed endo iendo
    ir am an amos isse issem issemos irem irmos iremos iera ieran ieras iese iesen id indo iendo
"""
_FORMS_OF = {infinitive: endings for infinitive, *endings in map(str.split, _ASKING.strip().splitlines())}
#: How a stem's last letter is spelt before e, with the endings that begin with it: 'pagar' → 'paguem', 'buscar' → 'busquem'.
_SPELT_BEFORE_E = {"g": ("gu", ("e", "em", "en", "emos")), "c": ("qu", ("e", "em", "en", "emos")), "z": ("c", ("en", "emos"))}
_LEAST_STEM = 2
_GAP = None
#: 'de' in a phrase is also 'de' with an article: 'chave de API' finds 'chave da API', and 'clave de API' finds 'clave de la API'.
_OF = ("de", "da", "do", "das", "dos", "del")
_ARTICLES = frozenset({"la", "las", "los", "el", "the"})


class PhraseSyntaxError(ValueError):
    """A phrase is not written as the guide says."""


def _parse_alternatives(part: str) -> list[list[str]]:
    """'(a|b c*)' → [['a'], ['b', 'c*']]; 'migr(ar|a)' → [['migrar'], ['migra']]; each is a sequence of folded words."""
    group = _GROUP.fullmatch(part)
    if group is None:
        if "(" in part or ")" in part:
            raise PhraseSyntaxError(f"parentheses do not match in {part!r}")
        return [_split_pattern_words(part)]
    before, body, after = group.groups()
    return [_split_pattern_words(form + after) for form in _forms(before, body.split("|"))]


def _forms(stem: str, endings: Sequence[str]) -> list[str]:
    """'tir', ['ar', 'e'] → 'tirar', 'tire', and the other forms of 'tirar' in which people ask: 'tirem', 'tirassem', …"""
    forms = [stem + ending for ending in endings]
    if len(stem) < _LEAST_STEM or not stem.isalpha():
        return forms
    for infinitive, asking in _FORMS_OF.items():
        if infinitive in endings:
            forms += [stem + ending for ending in asking]
    if "ar" in endings and stem[-1] in _SPELT_BEFORE_E:
        spelt, before_e = _SPELT_BEFORE_E[stem[-1]]
        forms += [stem[:-1] + spelt + ending for ending in before_e]
    return forms


def _flatten(phrase: str) -> str:
    """'(a|with (b|c))' → '(a|with b|with c)'."""
    while (nested := _NESTED.search(phrase)) is not None:
        opening, before, options, after = nested.groups()
        flat = "|".join(form + after for form in _forms(before, options.split("|")))
        phrase = phrase[: nested.start()] + opening + flat + phrase[nested.end() :]
    return phrase


def _split_pattern_words(option: str) -> list[str]:
    return re.findall(r"‹[a-z_]+›|[^\W_]+\*?|\*", fold(option))


def _expand(phrase: str) -> list[list[_Word | None]]:
    """All simple sequences a phrase stands for; single-word alternatives stay one place."""
    if phrase.count("(") != phrase.count(")"):
        raise PhraseSyntaxError(f"parentheses do not match in {phrase!r}")
    phrase = _flatten(phrase)
    sequences: list[list[_Word | None]] = [[]]
    for part in _PARTS.findall(phrase):
        if part in ("...", "…"):
            sequences = [[*s, _GAP] for s in sequences]
            continue
        options = _parse_alternatives(part)
        single = [o[0] for o in options if len(o) == 1]
        heads: list[list[_Word | None]] = [[_make_word(single)]] if single else []
        heads += [[_make_word([w]) for w in o] for o in options if len(o) > 1]
        if any(not o for o in options):
            heads.append([])
        sequences = [[*s, *h] for s in sequences for h in heads]
    return [s for s in sequences if s]


def _make_word(options: Sequence[str]) -> _Word:
    exact = frozenset(form for o in options if not o.endswith("*") for form in (_OF if o == "de" else (o,)))
    return _Word(exact, tuple(sorted(o[:-1] for o in options if o.endswith("*"))))


@dataclass(frozen=True, slots=True)
class Match(Generic[T]):
    """Where a phrase was found: words `first` to `last`, inclusive."""

    payload: T
    first: int
    last: int


class PhraseMatcher(Generic[T]):
    """Finds many phrases at once.

    Looks only at phrases that can start with a word of the text, so the time grows with the text, not with the phrases.
    """

    def __init__(self, phrases: Iterable[tuple[str, T]], max_gap: int = MAX_GAP) -> None:
        """Compile (phrase, payload) pairs. max_gap: most words that `...` stands for.

        Raises:
            PhraseSyntaxError: a phrase is empty, or begins or ends with a gap.
        """
        self._max_gap = max_gap
        self._exact: dict[str, list[tuple[T, Sequence[_Word | None]]]] = {}
        self._prefix: dict[str, list[tuple[str, T, Sequence[_Word | None]]]] = {}
        self._known: dict[str, Sequence[tuple[T, Sequence[_Word | None]]]] = {}
        for phrase, payload in phrases:
            sequences = _expand(phrase)
            if not sequences:
                raise PhraseSyntaxError(f"empty phrase {phrase!r}")
            for sequence in sequences:
                self._add(phrase, payload, sequence)

    def _add(self, phrase: str, payload: T, sequence: Sequence[_Word | None]) -> None:
        head, rest = sequence[0], sequence[1:]
        if head is _GAP or sequence[-1] is _GAP or head.is_any:
            raise PhraseSyntaxError(f"a phrase cannot begin or end with a gap: {phrase!r}")
        for word in head.exact:
            self._exact.setdefault(word, []).append((payload, rest))
        for prefix in head.prefixes:
            self._prefix.setdefault(prefix[:3], []).append((prefix, payload, rest))

    def find(self, words: Words) -> list[Match[T]]:
        """All matches in order of their first word; they may overlap. Never crosses the end of a sentence."""
        found: list[Match[T]] = []
        for at, word in enumerate(words.folded):
            for payload, rest in self._beginning_with(word):
                last = _match_rest(words, at, rest, self._max_gap) if rest else at
                if last is not None:
                    found.append(Match(payload, at, last))
        return found

    def _beginning_with(self, word: str) -> Sequence[tuple[T, Sequence[_Word | None]]]:
        """Phrases that this word can start, with what must follow; kept for the words seen last."""
        known = self._known.get(word)
        if known is None:
            if len(self._known) >= MAX_KNOWN_WORDS:
                self._known.clear()
            known = (*self._exact.get(word, ()), *self._with_prefix(word))
            verb = _ENCLITIC.fullmatch(word)
            if not known and verb is not None:
                known = (*self._exact.get(verb[1], ()), *self._with_prefix(verb[1]))
            self._known[word] = known
        return known

    def _with_prefix(self, word: str) -> Iterator[tuple[T, Sequence[_Word | None]]]:
        for size in (3, 2, 1):
            for start, payload, rest in self._prefix.get(word[:size], ()) if len(word) >= size else ():
                if (len(start) > 3 or len(start) == size) and word.startswith(start):
                    yield payload, rest


def _match_rest(words: Words, at: int, rest: Sequence[_Word | None], max_gap: int) -> int | None:
    """Last word of the shortest match of `rest` after word `at`, or None."""
    if not rest:
        return at
    head = rest[0]
    if head is not _GAP:
        following = at + 1
        if following >= len(words) or words.sentence[following] != words.sentence[at]:
            return None
        if head.fits(words.folded[following]):
            return _match_rest(words, following, rest[1:], max_gap)
        if words.folded[at] in ("de", "of") and words.folded[following] in _ARTICLES:
            return _match_rest(words, following, rest, max_gap)
        return None
    target = rest[1]
    assert target is not None
    folded, distance, sentence = words.folded, words.distance, words.sentence
    exact, prefixes, end = target.exact, target.prefixes, sentence[at]
    for following in range(at + 1, min(at + 2 + MAX_GAP_WORDS, len(folded))):
        word = folded[following]
        if sentence[following] != end:
            return None
        if word in exact or (prefixes and word.startswith(prefixes)):
            last = _match_rest(words, following, rest[2:], max_gap)
            if last is not None:
                return last
        if distance[following] - distance[at] > max_gap:
            return None
    return None
