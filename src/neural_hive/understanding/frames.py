"""Text → frame: what is to be done, to what, how much of it, where, with which safeguards, and whether it can be undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from neural_hive.contracts import ActionMention, Environment, Frame, Mood, Reversibility, Scope, Span
from neural_hive.phrases import Match, Words, split_words
from neural_hive.understanding.lexicon import Cue, Lexicon
from neural_hive.understanding.mentions import OBJECT_ENDS, Mention, find_mentions, is_purpose

#: Actions whose harm is done by doing them, most harmful first: if asked, one of these is what the text is about.
_GRAVE = ("destroy", "disable", "expose", "stop", "grant", "pay", "revoke", "export", "collect", "deploy", "migrate")
#: Objects whose loss hurts; destroying anything else (a button, a typo) can be undone by writing it again.
DURABLE = frozenset(
    [
        "data",
        "personal_data",
        "account",
        "backup",
        "audit_log",
        "database",
        "schema",
        "money",
        "contract",
        "server",
        "cloud",
        "queue",
        "certificate",
        "model",
        "customer",
        "employee",
        "log",
        "secret",
        "document",
    ]
)
#: Doing these to one of those makes things safer: 'turn on MFA', 'rotate the passwords', 'test the backups'.
_STRENGTHENING = frozenset({"create", "improve", "restore", "test", "document", "automate", "investigate", "read", "scale"})
_PROTECTIONS = frozenset({"security_control", "backup", "audit_log", "monitoring", "secret", "certificate", "test_suite", "log"})
_READING = frozenset({"read", "investigate", "document", "notify", "test", "fail", "none"})
_HARD = frozenset({"migrate", "replace", "upgrade", "pay", "export", "expose"})
_KEEPING = frozenset({"backup", "archive", "grace_period", "rollback", "dry_run"})
#: Actions that, done to a safeguard, refuse it.
_REFUSING = frozenset({"disable", "destroy", "stop"})
_ENVIRONMENTS = ("production", "staging", "test", "development")
#: Words between a refusal and the safeguard it refuses.
_REFUSAL_REACH = 3
#: Words after an environment in which it is said to be left alone, and after the denial; and how words for touching begin.
_DENIAL_REACH = 3
_TOUCHING = ("touch", "affect", "chang", "includ", "mex", "toc", "alter", "afet", "afect", "modific", "inclu", "entra")
#: Words between a safeguard and what puts it off.
_LATER_REACH = 5
#: Words by which 'depois' and 'después' mean 'after': 'depois do backup'.
_AFTER_WHAT = frozenset({"de", "da", "do", "das", "dos", "del", "que"})
#: Words that end what a verb's first object is called.
_HEAD_ENDS = OBJECT_ENDS | frozenset(
    {"de", "da", "do", "das", "dos", "del", "of", "from", "and", "e", "y", "em", "en", "no", "na", "in"}
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A frame and what else the words said. is_instruction: the text tries to talk the hive into something."""

    frame: Frame
    words: Words
    is_instruction: bool
    instruction: Span | None = None
    cue_words: frozenset[int] = field(default_factory=frozenset)


class FrameReader:
    """Reads frames with the words of the lexicon. Pure and thread-safe."""

    def __init__(self, lexicon: Lexicon | None = None) -> None:
        self._lexicon = lexicon or Lexicon()

    def read(self, text: str, language: str, *, is_mixed: bool = False) -> Reading:
        """The frame of a text. language: pt, en, es, or anything else when it could not be told."""
        words = split_words(text)
        known = language in ("pt", "en", "es") and not is_mixed
        languages = frozenset({language}) if known else frozenset({"pt", "en", "es"})
        cues = self._lexicon.find(words, languages)
        circumstances = _Circumstances(words, cues)
        mentions = _settle(find_mentions(words, cues), circumstances)
        instruction = next((m for m in cues if m.payload.role == "instruction"), None)
        return Reading(
            frame=_assemble(words, mentions, circumstances),
            words=words,
            is_instruction=instruction is not None,
            instruction=_span(words, instruction) if instruction else None,
            cue_words=frozenset(w for m in cues if m.payload.role in ("action", "object") for w in range(m.first, m.last + 1)),
        )


def _span(words: Words, match: Match[Cue]) -> Span:
    quote, start, end = words.quote(match.first, match.last)
    return Span(quote=quote, start=start, end=end)


class _Circumstances:
    """Scope, environment, safeguards, haste and mood, with the words that say so."""

    def __init__(self, words: Words, cues: Sequence[Match[Cue]]) -> None:
        self.words = words
        self._by_role: dict[str, list[Match[Cue]]] = {}
        for match in cues:
            self._by_role.setdefault(match.payload.role, []).append(match)
        self.waived: dict[str, Match[Cue]] = {}
        self.safeguards: dict[str, Match[Cue]] = {}
        for match in self.of("safeguard"):
            is_missing = self._is_refused(match) or self._is_put_off(match)
            (self.waived if is_missing else self.safeguards).setdefault(match.payload.name, match)
        self.environment = self._environment()

    def of(self, role: str) -> list[Match[Cue]]:
        return self._by_role.get(role, [])

    def has(self, role: str, name: str) -> bool:
        return any(m.payload.name == name for m in self.of(role))

    def _is_refused(self, safeguard: Match[Cue]) -> bool:
        if safeguard.payload.name == "no_downtime":
            return False
        affirmed = [m for m in self.of("affirm") if m.last < safeguard.first and m.last >= safeguard.first - _REFUSAL_REACH]
        return not affirmed and any(
            safeguard.first - _REFUSAL_REACH <= refusal.last + 1 <= safeguard.first
            and self.words.clause[refusal.last] == self.words.clause[safeguard.first]
            for refusal in self.of("refuse")
        )

    def _is_put_off(self, safeguard: Match[Cue]) -> bool:
        """'We will sort the consent out later', 'depois pedimos a autorização': with nothing else to do between the two."""
        folded, clause = self.words.folded, self.words.clause
        for later in self.of("later"):
            between = (safeguard, later) if safeguard.last < later.first else (later, safeguard)
            if clause[later.first] != clause[safeguard.first] or between[1].first - between[0].last - 1 > _LATER_REACH:
                continue
            following = later.last + 1
            is_end = following >= len(folded) or clause[following] != clause[later.first]
            is_start = later.first == 0 or clause[later.first - 1] != clause[later.first]
            if between[1] is later and not is_end:
                continue
            if between[0] is later and (not is_start or folded[following] in _AFTER_WHAT):
                continue
            done = [a for a in self.of("action") if between[0].last < a.first and a.last < between[1].first]
            if all(action.payload.name == "fix" for action in done):  # 'resolvemos o consentimento depois'
                return True
        return False

    def _environment(self) -> Match[Cue] | None:
        in_phrases = {
            w
            for m in self.of("safeguard")
            if m.payload.name == "staging_first" and m.last > m.first
            for w in range(m.first, m.last + 1)
        }
        hits = [m for m in self.of("environment") if m.first not in in_phrases and not self._is_denied(m)]
        return min(hits, key=lambda m: _ENVIRONMENTS.index(m.payload.name), default=None)

    def _is_denied(self, environment: Match[Cue]) -> bool:
        """'Not in production', 'production is not touched'."""
        return self._is_left_alone(environment) or any(
            environment.first - 3 <= n.last < environment.first and n.last == n.first
            for n in self.of("negate")
            if self._adjacent(n, environment)
        )

    def _is_left_alone(self, environment: Match[Cue]) -> bool:
        """A denial behind it, and a word for touching behind that, all in a clause that begins with the environment."""
        clause, folded = self.words.clause, self.words.folded
        if environment.first > 1 and clause[environment.first - 2] == clause[environment.first]:
            return False
        reach = range(environment.last + 1, min(environment.last + 1 + _DENIAL_REACH, len(folded)))
        negated = min((n.first for n in self.of("negate") if n.first == n.last and n.first in reach), default=len(folded))
        return any(
            clause[w] == clause[environment.last] and folded[w].startswith(_TOUCHING)
            for w in range(negated + 1, min(negated + 1 + _DENIAL_REACH, len(folded)))
        )

    def _adjacent(self, negator: Match[Cue], environment: Match[Cue]) -> bool:
        between = self.words.folded[negator.last + 1 : environment.first]
        return all(len(w) <= 3 for w in between) and self.words.clause[negator.last] == self.words.clause[environment.first]

    def scope(self, main: Mention | None) -> tuple[Scope, Match[Cue] | None]:
        """Scope words in the clause of the main action, or of the whole text when there is none."""
        hits = self.of("scope")
        if main is not None:
            last = max([main.last, *(o.last for o in main.objects)]) + 3
            hits = [
                m
                for m in hits
                if main.first - 4 <= m.first <= last and self.words.sentence[m.first] == self.words.sentence[main.first]
            ]
        for name in ("all", "some", "one"):
            for match in hits:
                if match.payload.name == name:
                    return Scope(name), match
        return Scope.UNKNOWN, None


def _settle(mentions: list[Mention], circumstances: _Circumstances) -> list[Mention]:
    """Decide what only the whole text can tell: a purpose clause that says 'all' or 'production' is meant."""
    grave = (
        circumstances.has("scope", "all")
        or circumstances.has("irreversible", "irreversible")
        or (circumstances.environment is not None and circumstances.environment.payload.name == "production")
    )
    if not grave:
        return mentions
    return [replace(m, described=False) if m.described and is_purpose(circumstances.words, m, mentions) else m for m in mentions]


def _assemble(words: Words, mentions: Sequence[Mention], around: _Circumstances) -> Frame:
    mood = _mood(mentions, around)
    main = _main(mentions, mood)
    scope, scope_match = around.scope(main)
    waived = dict(around.waived)
    safeguards = dict(around.safeguards)
    _move_refused(words, mentions, safeguards, waived)
    objects = _names(main.objects) if main else ()
    environment = Environment(around.environment.payload.name) if around.environment else Environment.UNKNOWN
    if environment is Environment.STAGING:
        safeguards.pop("staging_first", None)
    proof = [scope_match, around.environment, *safeguards.values(), *waived.values()]
    asked_none = bool(mentions) and main is None
    return Frame(
        action=main.action if main else "none",
        objects=objects,
        scope=scope,
        environment=environment,
        safeguards=tuple(sorted(safeguards)),
        waived=tuple(sorted(waived)),
        negation=asked_none and any(m.negated for m in mentions),
        reversibility=_reversibility(main, objects, safeguards, around),
        mood=mood,
        protective=main is not None
        and not waived
        and main.action in _STRENGTHENING
        and bool(_PROTECTIONS.intersection(objects[:2])),
        urgent=bool(around.of("urgent")),
        actions=tuple(_mention_record(words, m, mood) for m in mentions),
        evidence=tuple(_span(words, m) for m in proof if m is not None),
    )


def _mention_record(words: Words, mention: Mention, mood: Mood) -> ActionMention:
    last = max([mention.last, *(o.last for o in mention.objects[:2])])
    first = min([mention.first, *(o.first for o in mention.objects[:1])])
    quote, start, end = words.quote(first, last)
    return ActionMention(
        action=mention.action,
        negated=mention.negated,
        described=mention.described or (mood is Mood.REPORT and mention.action not in ("fail", "fix", "investigate", "restore")),
        objects=_names(mention.objects),
        evidence=Span(quote=quote, start=start, end=end),
    )


def _names(objects: Sequence[Match[Cue]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(o.payload.name for o in objects))


def _main(mentions: Sequence[Mention], mood: Mood) -> Mention | None:
    """The action that the text is about."""
    asked = [m for m in mentions if m.is_asked]
    if mood is Mood.REPORT:
        failing = [m for m in asked if m.action == "fail"]
        return next(iter(failing or asked), None)
    doing = [m for m in asked if m.action != "fail"]
    if not doing:
        return asked[0] if asked else None
    first = doing[0]
    for name in _GRAVE:
        for mention in doing:
            if mention.action == name and mention.objects:
                return mention
    return first


def _mood(mentions: Sequence[Mention], around: _Circumstances) -> Mood:
    asked = [m.action for m in mentions if m.is_asked]
    if around.has("mood", "wish"):
        return Mood.WISH
    only_trouble = "fail" in asked and not set(asked) - {
        "fail",
        "fix",
        "investigate",
        "read",
        "create",
        "modify",
        "notify",
        "pay",
    }
    starts_with_fail = "fail" in asked and asked[0] == "fail" and not set(asked) & {"destroy", "disable", "grant", "expose"}
    if (around.has("mood", "report") and "fail" in asked) or starts_with_fail or (only_trouble and asked[0] != "fix"):
        return Mood.REPORT
    if around.has("mood", "question") and not set(asked) & {"destroy", "disable", "expose", "grant"}:
        return Mood.QUESTION
    return Mood.REQUEST


def _end_of_head(words: Words, mention: Mention) -> int:
    """Last word of 'remove that second manager's approval', if nothing that is known stands between: an article and words that qualify."""
    objects_after = [o.first for o in mention.objects if o.first > mention.last]
    end = min([mention.last + 1 + _REFUSAL_REACH, len(words) - 1, *(first - 1 for first in objects_after)])
    for word in range(mention.last + 1, end + 1):
        if words.clause[word] != words.clause[mention.last] or words.folded[word] in _HEAD_ENDS:
            return word - 1
    return end


def _move_refused(
    words: Words, mentions: Sequence[Mention], safeguards: dict[str, Match[Cue]], waived: dict[str, Match[Cue]]
) -> None:
    """'Turn off monitoring' refuses monitoring; 'delete the backups' is no backup; asking for one later is no safeguard."""
    for mention in mentions:
        if mention.action not in _REFUSING or not mention.is_asked:
            continue
        # only the head of the object: in 'delete the data after a backup' the backup is stated, not destroyed
        spans = {w for o in mention.objects[:1] for w in range(o.first, o.last + 1)}
        spans.update(range(mention.first, mention.last + 1))
        end_of_head = _end_of_head(words, mention)
        for name, match in list(safeguards.items()):
            asks_for_it = match.first < mention.first <= match.last  # 'the customer asked us to erase her data'
            is_head = mention.last < match.first and match.last <= end_of_head
            if not asks_for_it and (is_head or spans.intersection(range(match.first, match.last + 1))):
                waived.setdefault(name, safeguards.pop(name))


def _reversibility(
    main: Mention | None, objects: Sequence[str], safeguards: dict[str, Match[Cue]], around: _Circumstances
) -> Reversibility:
    if around.of("irreversible") and main is not None and main.action in ("destroy", "replace", "migrate"):
        return Reversibility.IRREVERSIBLE
    if main is None or main.action in _READING:
        return Reversibility.REVERSIBLE
    keeps = _KEEPING.intersection(safeguards) or around.of("reversible")
    if main.action == "destroy":
        if not DURABLE.intersection(objects):
            return Reversibility.REVERSIBLE if objects else Reversibility.UNKNOWN
        return Reversibility.HARD if keeps else Reversibility.IRREVERSIBLE
    if main.action in _HARD:
        return Reversibility.REVERSIBLE if keeps else Reversibility.HARD
    return Reversibility.REVERSIBLE
