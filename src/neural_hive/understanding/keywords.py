"""Reading → keywords: what a text is about, in its own words.

Runs of content words between stop words and breaks are candidates (Rose et al. 2010, "Automatic keyword extraction from individual
documents"); an action stands alone, so that what it is done to is named without it.
"""

from __future__ import annotations

from collections.abc import Sequence

from neural_hive.phrases import Words
from neural_hive.understanding.frames import Reading
from neural_hive.understanding.stopwords import STOPWORDS

#: Most keywords of a text, and most words of one.
MAX_KEYWORDS, _MAX_WORDS = 8, 3
_JOINTS = frozenset({"de", "do", "da", "dos", "das", "del", "of"})
_HYPHENS = frozenset("-‐‑")


def keywords(reading: Reading) -> tuple[str, ...]:
    """Up to eight keywords of one to three words, as written but in lower case, without repeats: things that the hive knows first, then
    actions, then all else; of each the longer first. Never a placeholder, a stop word alone or a number alone."""
    words = reading.words
    starts = {m.evidence.start for m in reading.frame.actions}
    actions = {i for i, start in enumerate(words.starts) if start in starts}
    ranked = sorted(_runs(words, actions, reading.cue_words), key=lambda run: _rank(run, words, reading.cue_words, actions))
    found = {" ".join(words.folded[i] for i in run): run for run in reversed(ranked)}
    chosen = sorted(found.values(), key=ranked.index)[:MAX_KEYWORDS]
    return tuple(words.text[words.starts[run[0]] : words.ends[run[-1]]].lower() for run in chosen)


def _rank(run: Sequence[int], words: Words, cues: frozenset[int], actions: set[int]) -> tuple[int, int, int]:
    kind = 1 if run[0] in actions else 0 if cues.intersection(run) else 2
    return kind, -sum(len(words.folded[i]) for i in run), run[0]


def _runs(words: Words, actions: set[int], cues: frozenset[int]) -> list[list[int]]:
    """Indices of the words of each candidate, in order."""
    runs: list[list[int]] = []
    for i in range(len(words)):
        if not _is_content(words, i) and not _is_joint(words, i, cues):
            continue
        last = runs[-1] if runs else []
        follows = bool(last) and last[-1] == i - 1 and words.clause[i] == words.clause[i - 1]
        if follows and len(last) < _MAX_WORDS and not {i, i - 1} & actions:
            last.append(i)
        else:
            runs.append([i])
    return [run for run in runs if not all(words.folded[i].isdigit() for i in run)]


def _is_content(words: Words, i: int) -> bool:
    word, written = words.folded[i], words.text[words.starts[i] : words.ends[i]]
    if word.startswith("‹"):
        return False
    if len(word) > 2:
        return word not in STOPWORDS
    is_abbreviation = len(word) == 2 and written.isupper() and not words.text.isupper()
    return is_abbreviation or _is_hyphenated(words, i)


def _is_joint(words: Words, i: int, cues: frozenset[int]) -> bool:
    """'de' of 'base de dados', which is one thing."""
    return words.folded[i] in _JOINTS and {i - 1, i, i + 1} <= cues and _is_content(words, i - 1) and _is_content(words, i + 1)


def _is_hyphenated(words: Words, i: int) -> bool:
    """'e' of 'e-mail': it is written as one word with the next."""
    return i + 1 < len(words) and words.text[words.ends[i] : words.starts[i + 1]] in _HYPHENS
