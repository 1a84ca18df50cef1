"""Names of people: lists of common names, what stands beside them, and the words that announce a person, in three
languages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from neural_hive.understanding.privacy.finding import LIKELY, WEAK, Found
from neural_hive.understanding.privacy.name_words import (
    ADDRESSED,
    ADDRESSING,
    ANY_GIVEN,
    ANY_LISTED,
    ANY_NAME,
    ANY_SURNAME,
    ARTICLES,
    CAPITALS,
    FIRM,
    GIVEN,
    GIVEN_RARE,
    GIVEN_WEAK,
    HEAD,
    JOINTS,
    NAMED,
    NEEDS_COLON,
    PARTICLE,
    PHRASE,
    PHRASE_ENDS,
    PHRASE_WORDS,
    ROLE,
    SAINT,
    SHORT_TITLE,
    STOP,
    SUFFIXES,
    SURE,
    SURNAME,
    SURNAME_RARE,
    TITLE,
    TOKEN,
    VERB_ENDS,
    folded,
    lexicon,
    not_names,
)


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


#: English verbs that open requests; they have no ending of their own. Source: the most common in our own phrases.
_IMPERATIVES = frozenset(
    [
        "add",
        "allow",
        "ask",
        "assign",
        "ban",
        "block",
        "call",
        "change",
        "charge",
        "check",
        "contact",
        "create",
        "delete",
        "disable",
        "email",
        "enable",
        "enrol",
        "enroll",
        "fire",
        "fix",
        "get",
        "give",
        "grant",
        "help",
        "hire",
        "invite",
        "let",
        "make",
        "move",
        "notify",
        "pay",
        "promote",
        "put",
        "refund",
        "register",
        "remind",
        "remove",
        "reset",
        "send",
        "set",
        "show",
        "tell",
        "transfer",
        "update",
    ]
)


class NameFinder:
    """Finds the names of people in a text; holds the lists."""

    def __init__(self) -> None:
        self._known = lexicon()
        self.not_names = not_names()

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
                yield Found("person", first.start, last.end, rank, " ".join(token.key for token in tokens[position:end]))
                position = end
            else:
                position += 1

    def _tokens(self, text: str) -> list[Token]:
        known = self._known
        tokens: list[Token] = []
        previous_end = 0
        is_shouted = text.isupper()
        for match in TOKEN.finditer(text):
            start, word = match.start(), match.group()
            key = folded(word)
            is_glued = text[start - 1 : start].isdigit() or text[match.end() : match.end() + 1].isdigit()
            gap = text[previous_end:start]
            is_first = not tokens or (any(mark in gap for mark in '.!?:\n•"') and not (gap == ". " and len(tokens[-1].key) <= 3))
            flags = 0 if is_glued else known.get(key, 0)
            is_capital = word[0].isupper() and not is_glued
            if is_capital and len(word) > 1 and word.isupper() and not is_shouted:
                flags |= CAPITALS
            tokens.append(Token(start, match.end(), key, flags, is_capital, is_first))
            previous_end = match.end()
        return tokens

    def _not_name_at(self, tokens: list[Token], position: int) -> int:
        """How many words from here are a place, a company or a product."""
        for phrase in self.not_names.get(tokens[position].key, ()):
            if tuple(token.key for token in tokens[position : position + len(phrase)]) == phrase:
                return len(phrase)
        return 0

    def _name_end(self, text: str, tokens: list[Token], position: int) -> int:
        """One past the last word of the name that begins at `position`; `position` if none begins there."""
        token = tokens[position]
        cue = self._cue_before(text, tokens, position)
        if not (token.flags & ANY_NAME or cue or token.is_capital):
            return position
        if token.flags & (TITLE | SHORT_TITLE | ROLE | PARTICLE | SAINT) and not token.flags & FIRM:
            return position
        if token.flags & (STOP | HEAD) and not (
            token.flags & FIRM or (token.flags & ANY_NAME and (cue & TITLE or token.is_capital))
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
                token.key in ("e", "y") and not (at + 1 < len(tokens) and tokens[at + 1].flags & SURNAME and end - position >= 2)
            ):
                break
            at += 1
        return end

    def _is_joined(self, text: str, tokens: list[Token], at: int) -> bool:
        before = tokens[at - 1]
        gap = text[before.end : tokens[at].start]
        return gap in JOINTS or (gap == ". " and len(before.key) == 1)

    def _continues(self, text: str, tokens: list[Token], position: int, at: int) -> bool:
        token, first = tokens[at], tokens[position]
        if token.key in SUFFIXES and token.is_capital == first.is_capital:
            return True
        if self._not_name_at(tokens, at) or (token.flags & (TITLE | ROLE) and not token.flags & ANY_NAME):
            return False
        if not first.is_capital:
            allowed = ANY_SURNAME | SURNAME_RARE if first.flags & SURE else SURNAME_RARE if first.flags & GIVEN else 0
            return bool(token.flags & (SURE | SURNAME | allowed)) and not token.flags & STOP
        if len(token.key) == 1:
            return token.is_capital and (
                text[token.end : token.end + 1] == "." or (at + 1 < len(tokens) and tokens[at + 1].flags & ANY_SURNAME > 0)
            )
        is_barred = token.flags & (STOP | PARTICLE | SAINT) and not token.flags & ANY_SURNAME
        return token.is_capital and not is_barred and not _looks_like_code(token)

    def _is_person(self, tokens: list[Token], position: int, end: int, cue: int) -> bool:
        first = tokens[position]
        words = [token for token in tokens[position:end] if not token.flags & PARTICLE or token.flags & FIRM]
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
            return bool(flags[0] & (ANY_GIVEN | GIVEN_RARE) and any(flag & (SURNAME | SURE | SURNAME_RARE) for flag in flags[1:]))
        return bool(
            (cue & (TITLE | SHORT_TITLE | PHRASE) and flags[0] & (ANY_GIVEN | SURNAME))
            or (cue & (ROLE | ADDRESSED) and flags[0] & (GIVEN | SURNAME | GIVEN_RARE))
        )

    def _is_full_name(self, words: list[Token], cue: int, before: Token | None) -> bool:
        first, rest = words[0], words[1:]
        has_surname = any(word.flags & (ANY_SURNAME | SURE | GIVEN) for word in rest)
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
        if cue & (ROLE | SHORT_TITLE) and any(word.flags & ANY_LISTED for word in words):
            return True
        if first.flags & GIVEN_RARE:
            return has_surname or any(word.flags & (SURNAME_RARE | GIVEN_RARE) or not word.flags & ~CAPITALS for word in rest)
        return self._has_unlisted_given(words)

    def _has_unlisted_given(self, words: list[Token]) -> bool:
        """An unknown capitalised word before a listed surname: "Thayná Souza". In capitals only, that is too little."""
        first, rest = words[0], words[1:]
        if len(words) > 5 or first.flags & ~ANY_LISTED or (first.is_first and _is_verb_like(first)):
            return False
        if first.is_first and rest[0].flags & (SURE | GIVEN):
            return False  # "Give John access": an unknown word that opens a sentence before a given name is a verb
        if any(word.flags & (SURE | GIVEN | SURNAME) for word in rest):
            return True
        return not first.is_first and bool(rest[-1].flags & (SURNAME_RARE | GIVEN_RARE)) and len(words) == 2

    def _is_single_name(self, token: Token, cue: int, before: Token | None) -> bool:
        if cue & (TITLE | PHRASE):
            return bool(token.flags & ANY_LISTED) or (
                bool(cue & (TITLE | NAMED)) and not token.flags & ~CAPITALS and len(token.key) > 1
            )
        if cue & (ROLE | SHORT_TITLE):
            return bool(token.flags & ANY_LISTED)
        if before and before.flags & HEAD:
            return False
        return bool(token.flags & FIRM) and not (token.is_all_capital and len(token.key) <= 4)

    def _cue_before(self, text: str, tokens: list[Token], position: int) -> int:
        """What announces a person just before: a title, a role, or a phrase such as "meu nome é"."""
        at = position - 1
        if at >= 0 and tokens[at].key in ARTICLES and tokens[at].end < tokens[position].start:
            at -= 1
        if at < 0:
            return 0
        before = tokens[at]
        gap = text[before.end : tokens[position].start]
        if len(gap) > 6:
            return 0
        if before.flags & (TITLE | SHORT_TITLE | ROLE) and "," not in gap and "\n" not in gap:
            return TITLE if before.flags & SHORT_TITLE and gap.startswith(".") else before.flags & (TITLE | SHORT_TITLE | ROLE)
        if before.key in ADDRESSING and gap == " " and at == position - 1:
            return ADDRESSED
        if before.key in PHRASE_WORDS and (":" in gap or before.key not in NEEDS_COLON):
            return PHRASE
        enders = PHRASE_ENDS.get(before.key)
        if enders and at > 0 and tokens[at - 1].key in enders:
            return PHRASE | NAMED if before.key not in ("am", "of", "to") else PHRASE
        return 0


def _looks_like_code(token: Token) -> bool:
    """A word of capitals without a vowel, e.g. SQL."""
    return len(token.key) <= 4 and not any(vowel in token.key for vowel in "aeiouy")


def _is_verb_like(token: Token) -> bool:
    return token.key.endswith(VERB_ENDS) or token.key in _IMPERATIVES
