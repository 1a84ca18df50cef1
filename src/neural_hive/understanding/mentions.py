"""Which actions a text mentions, on what objects, and whether they are asked for, denied or only spoken of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from neural_hive.phrases import Match, Words
from neural_hive.understanding.lexicon import Cue

#: Words after an action in which its objects are looked for, and before it when there are none after.
_AFTER, _BEFORE = 14, 9
#: Different objects of one action.
_MOST_OBJECTS = 5
#: Words before an action in which a negation counts.
_NEGATION_REACH = 4

#: When two actions begin at the same word with phrases of the same length, the earlier here wins.
_PRECEDENCE = [
    "disable",
    "expose",
    "revoke",
    "grant",
    "pay",
    "collect",
    "destroy",
    "export",
    "stop",
    "deploy",
    "upgrade",
    "migrate",
    "scale",
    "replace",
    "restore",
    "integrate",
    "notify",
    "fix",
    "improve",
    "automate",
    "test",
    "document",
    "investigate",
    "read",
    "create",
    "modify",
    "fail",
]
_RANK = {name: rank for rank, name in enumerate(_PRECEDENCE)}

#: Things that carry an action's name without doing it: 'the delete button', 'o botão de excluir'.
_CARRIERS = frozenset(
    [
        "button",
        "buttons",
        "icon",
        "icons",
        "option",
        "link",
        "menu",
        "dialog",
        "modal",
        "popup",
        "screen",
        "page",
        "flow",
        "endpoint",
        "field",
        "tab",
        "label",
        "shortcut",
        "feature",
        "function",
        "functionality",
        "process",
        "procedure",
        "policy",
        "policies",
        "tool",
        "service",
        "module",
        "form",
        "guide",
        "wizard",
        "event",
        "queue",
        "botao",
        "botoes",
        "icone",
        "icones",
        "opcao",
        "tela",
        "ecra",
        "pagina",
        "fluxo",
        "campo",
        "aba",
        "funcao",
        "funcionalidade",
        "tecla",
        "rotulo",
        "politica",
        "ferramenta",
        "modulo",
        "formulario",
        "boton",
        "botones",
        "icono",
        "iconos",
        "opcion",
        "pantalla",
        "flujo",
        "pestana",
        "funcion",
        "funcionalidad",
        "herramienta",
    ]
)
_LINKS = frozenset(["de", "do", "da", "del", "para", "to", "of", "for", "que"])
_PARTICIPLE = re.compile(r"(?:[a-z]{2,}(?:ad|id)[oa]s?|[a-z]{3,}(?:ed|uesto|uesta|uestos|uestas))")
_AUXILIARIES = frozenset(["ser", "seja", "sejam", "sera", "serao", "be", "sea", "sean", "seran", "being"])
#: English verbs after which a participle behind a thing is something to do: "we need the firewall opened".
_WANTING = frozenset(["need", "needs", "want", "wants", "get", "have", "like"])
_PURPOSE = frozenset(["para", "to", "that", "que", "which", "for", "quando", "when", "cuando", "pra"])
_CONJUNCTIONS = frozenset(["or", "and", "e", "ou", "o", "u", "y", "and", "nor", "ni", "nem"])
#: Words that end the object of an action: what follows says how, when or with what.
OBJECT_ENDS = frozenset(
    [
        "with",
        "without",
        "after",
        "before",
        "until",
        "unless",
        "if",
        "because",
        "since",
        "when",
        "while",
        "using",
        "via",
        "by",
        "com",
        "sem",
        "apos",
        "depois",
        "antes",
        "ate",
        "se",
        "porque",
        "quando",
        "enquanto",
        "usando",
        "via",
        "con",
        "sin",
        "despues",
        "tras",
        "antes",
        "hasta",
        "si",
        "porque",
        "cuando",
        "mientras",
        "usando",
        "mediante",
    ]
)
#: Actions whose object usually comes before them: 'the site is down', 'the password in plain text'.
_SUBJECT_FIRST = frozenset({"fail", "expose"})
#: Actions whose object may be another action's name: 'test the restoration', 'document the migration'.
_LOOKING = frozenset({"test", "document", "investigate", "improve", "fix"})
_ARTICLES_AND_OF = frozenset(
    [
        "a",
        "o",
        "as",
        "os",
        "el",
        "la",
        "los",
        "las",
        "the",
        "de",
        "da",
        "do",
        "das",
        "dos",
        "del",
        "of",
        "our",
        "nossa",
        "nuestra",
    ]
)
#: What these take out is also what it is taken out with: 'export the sheet with the customers' addresses'.
_TAKING_OUT, _WITH = frozenset({"export", "expose", "collect"}), frozenset({"with", "com", "con"})
#: Things whose name is made of an action's: 'integration tests' integrate nothing.
_NAMED_AFTER_ACTIONS = frozenset({"test_suite"})
#: Actions that make or look at something; an action that follows them says what the thing is for.
_MAKING = frozenset(
    {"create", "improve", "fix", "document", "test", "read", "investigate", "automate", "integrate", "fail", "modify"}
)


@dataclass(frozen=True, slots=True)
class Mention:
    """An action found in a text. first, last: its words. objects: matches, nearest first."""

    action: str
    first: int
    last: int
    negated: bool
    described: bool
    objects: tuple[Match[Cue], ...]

    @property
    def is_asked(self) -> bool:
        """True if the text wants it done."""
        return not self.negated and not self.described


def find_mentions(words: Words, cues: Sequence[Match[Cue]]) -> list[Mention]:
    """Actions in order of appearance."""
    objects = choose_longest([m for m in cues if m.payload.role == "object"])
    in_names = {w for o in objects if o.payload.name in _NAMED_AFTER_ACTIONS for w in range(o.first, o.last + 1)}
    spoken = [m for m in cues if m.payload.role == "action"]
    actions = _choose_actions([m for m in spoken if not in_names.issuperset(range(m.first, m.last + 1))])
    negators = [m for m in cues if m.payload.role == "negate"]
    affirmed = {w for m in cues if m.payload.role == "affirm" for w in range(m.first, m.last + 1)}
    mentions: list[Mention] = []
    for i, match in enumerate(actions):
        previous_end = actions[i - 1].last if i else -1
        next_start = actions[i + 1].first if i + 1 < len(actions) else len(words)
        mention = Mention(
            action=match.payload.name,
            first=match.first,
            last=match.last,
            negated=_is_negated(words, match, negators, affirmed, mentions),
            described=_is_described(words, match, objects),
            objects=_objects_of(words, match, objects, previous_end, next_start),
        )
        mentions.append(_mark_purpose(words, mention, mentions))
    return mentions


def choose_longest(matches: Iterable[Match[Cue]]) -> list[Match[Cue]]:
    """Non-overlapping matches, longer before shorter, earlier in the lexicon before later; in order of appearance."""
    taken: set[int] = set()
    chosen = []
    for match in sorted(matches, key=lambda m: (m.first - m.last, m.payload.order, m.first)):
        span = range(match.first, match.last + 1)
        if taken.isdisjoint(span):
            taken.update(span)
            chosen.append(match)
    return sorted(chosen, key=lambda m: m.first)


def _choose_actions(matches: Sequence[Match[Cue]]) -> list[Match[Cue]]:
    best: dict[int, Match[Cue]] = {}
    for match in matches:
        rival = best.get(match.first)
        if rival is None or _action_key(match) < _action_key(rival):
            best[match.first] = match
    chosen: list[Match[Cue]] = []
    for match in sorted(best.values(), key=lambda m: m.first):
        inside = chosen and match.first <= chosen[-1].last and chosen[-1].last - chosen[-1].first <= 3
        if not inside:
            chosen.append(match)
    return chosen


def _action_key(match: Match[Cue]) -> tuple[int, int]:
    return match.first - match.last, _RANK[match.payload.name]


def _is_negated(
    words: Words, match: Match[Cue], negators: Sequence[Match[Cue]], affirmed: set[int], earlier: Sequence[Mention]
) -> bool:
    if match.payload.name == "fail" or match.first in affirmed:
        return False
    if earlier and earlier[-1].negated and words.clause[earlier[-1].first] == words.clause[match.first]:
        between = words.folded[earlier[-1].last + 1 : match.first]
        if len(between) <= 2 and _CONJUNCTIONS.intersection(between):
            return True
    barrier = earlier[-1].last if earlier else -1
    return any(
        barrier < negator.first
        and match.first - _NEGATION_REACH <= negator.last < match.first
        and words.clause[negator.last] == words.clause[match.first]
        and not affirmed.intersection(range(negator.first, match.first))
        for negator in negators
    )


def _is_described(words: Words, match: Match[Cue], objects: Sequence[Match[Cue]]) -> bool:
    """A control's name, an adjective or a past event rather than something to do."""
    folded, at = words.folded, match.first
    if match.payload.name == "fail":
        return False
    following = folded[match.last + 1] if match.last + 1 < len(words) else ""
    if following in _CARRIERS and match.payload.language == "en" and match.first == match.last:
        return True
    before = folded[max(0, at - 2) : at]
    if len(before) == 2 and before[0] in _CARRIERS and before[1] in _LINKS and before[1] not in ("para", "to", "que"):
        return True
    if _PARTICIPLE.fullmatch(folded[at]):
        return not (_AUXILIARIES.intersection(folded[max(0, at - 3) : at]) or _is_wanted(words, match, objects))
    return False


def _is_wanted(words: Words, match: Match[Cue], objects: Sequence[Match[Cue]]) -> bool:
    """'We need the firewall opened': wanted, unlike the attribute in 'we need a list of deleted accounts'."""
    at = match.first
    thing = next((o for o in objects if o.last == at - 1 and words.clause[o.first] == words.clause[at]), None)
    return (
        match.payload.language == "en"
        and thing is not None
        and bool(_WANTING.intersection(words.folded[max(0, thing.first - 4) : thing.first]))
    )


def _mark_purpose(words: Words, mention: Mention, earlier: Sequence[Mention]) -> Mention:
    """'A script to delete …': the deletion says what the asked thing is for."""
    if mention.described or not earlier or not is_purpose(words, mention, earlier):
        return mention
    return replace(mention, described=True)


def is_purpose(words: Words, mention: Mention, mentions: Sequence[Mention]) -> bool:
    """True if the action is what another one looks at, or says what something that is made is for."""
    earlier = [m for m in mentions if m.first < mention.first]
    if not earlier or mention.action in _MAKING:
        return False
    previous = earlier[-1]
    between = words.folded[previous.last + 1 : mention.first]
    same_sentence = words.sentence[previous.first] == words.sentence[mention.first]
    if same_sentence and previous.action in _LOOKING and _ARTICLES_AND_OF.issuperset(between) and len(between) <= 2:
        return True
    return same_sentence and previous.action in _MAKING and bool(_PURPOSE.intersection(between[-3:]))


def _objects_of(
    words: Words, match: Match[Cue], objects: Sequence[Match[Cue]], previous_end: int, next_start: int
) -> tuple[Match[Cue], ...]:
    sentence, clause = words.sentence[match.first], words.clause[match.first]
    inside = [o for o in objects if match.first < o.first <= match.last or o.first == match.first]
    end = min(match.last + _AFTER, next_start - 1) if next_start > match.last else match.last + _AFTER
    ends = OBJECT_ENDS - _WITH if match.payload.name in _TAKING_OUT else OBJECT_ENDS
    end = next((w - 1 for w in range(match.last + 1, min(end, len(words) - 1) + 1) if words.folded[w] in ends), end)
    end = max(end, next_start) if end == next_start - 1 else end  # the next word may be both: 'add dark mode'
    after = [o for o in objects if match.last < o.first <= end and words.sentence[o.first] == sentence]
    same_clause = [o for o in after if words.clause[o.first] == clause]
    is_subject_first = match.payload.name in _SUBJECT_FIRST
    start = match.first - _BEFORE - 1 if is_subject_first else max(previous_end, match.first - _BEFORE - 1)
    before = [o for o in objects if start < o.first and o.last < match.first and words.sentence[o.first] == sentence]
    found = inside + (same_clause or after)
    if is_subject_first:
        found = [*before[::-1], *found]
    elif not found:
        found = before
    different = {o.payload.name: o for o in reversed(found)}  # the nearest of each name
    return tuple(o for o in found if different[o.payload.name] is o)[:_MOST_OBJECTS]
