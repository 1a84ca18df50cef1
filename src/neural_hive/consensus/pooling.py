"""Five risks → one: a logarithmic opinion pool with a severity floor, and how far the opinions agree."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from neural_hive.contracts import Opinion

#: Probabilities are kept this far from 0 and 1, so that one certain vote cannot decide the pool alone.
EDGE = 0.08
#: Every specialist keeps this much weight, however little it is concerned.
MIN_RELEVANCE = 0.03
#: Trust is learnt from reviews and stays within these bounds; it starts at 1.
MIN_TRUST, MAX_TRUST = 0.5, 1.5
#: A finding becomes credible between these likelihoods; a credible one is never outvoted.
DOUBTED_BELOW, CREDIBLE_FROM = 0.25, 0.45
#: Share of a credible finding's severity × likelihood below which the pooled risk cannot fall.
FLOOR_SHARE = 0.95
#: Risk that each degree of caution stands for, and the weight of experience beside the specialists' votes.
CAUTION_RISK = {"go": 0.08, "care": 0.45, "stop": 0.8}
EXPERIENCE_WEIGHT = 2.5
#: Risk that a specialist who did not answer is taken to see: worse than its silence can be read.
MISSING_RISK = 0.6


def weight(relevance: float, trust: float) -> float:
    """Weight of a vote: relevance × trust, both bounded."""
    return max(MIN_RELEVANCE, relevance) * min(MAX_TRUST, max(MIN_TRUST, trust))


def pool(votes: Sequence[tuple[float, float]]) -> float:
    """Logarithmic opinion pool of (risk, weight) pairs, in [0, 1]; 0 for no votes.

    The weighted mean of log-odds (Genest & Zidek 1986). Sums are exact (`math.fsum`), so the order of votes never matters.
    """
    total = math.fsum(w for _, w in votes)
    if not total:
        return 0.0
    log_odds = math.fsum(w * _log_odds(r) for r, w in votes) / total
    return 1.0 / (1.0 + math.exp(-log_odds))


def _log_odds(risk: float) -> float:
    clipped = min(1.0 - EDGE, max(EDGE, risk))
    return math.log(clipped / (1.0 - clipped))


def severity_floor(opinions: Sequence[Opinion]) -> float:
    """The least risk that the most serious credible finding allows; grows smoothly where credibility begins."""
    floor = 0.0
    for opinion in opinions:
        for finding in opinion.findings:
            credible = min(1.0, max(0.0, (finding.likelihood - DOUBTED_BELOW) / (CREDIBLE_FROM - DOUBTED_BELOW)))
            floor = max(floor, FLOOR_SHARE * credible * finding.severity * finding.likelihood)
    return floor


def agreement(votes: Sequence[tuple[float, float]]) -> float:
    """How far those whose business it is see the same risk, in [0, 1]: 1 for one opinion, 0 for none.

    1 − twice the weighted mean absolute deviation from the weighted mean of (risk, weight) pairs.
    """
    total = math.fsum(w for _, w in votes)
    if not total:
        return 0.0
    mean = math.fsum(w * r for r, w in votes) / total
    return min(1.0, max(0.0, 1.0 - 2.0 * math.fsum(w * abs(r - mean) for r, w in votes) / total))


#: (raw, told) knots of the scale on which risk is told. Flat where phrasings of one request differ by chance (measured between
#: languages: ±0.07), steep where a decision turns.
SCALE = ((0.0, 0.02), (0.05, 0.11), (0.2, 0.18), (0.3, 0.37), (0.47, 0.45), (0.57, 0.66), (0.85, 0.76), (0.93, 0.92), (1.0, 0.98))


def told(risk: float) -> float:
    """Raw pooled risk → the risk that is told: monotone, continuous, in [0, 1]."""
    for (x0, y0), (x1, y1) in pairwise(SCALE):
        if risk <= x1:
            return y0 + (y1 - y0) * (risk - x0) / (x1 - x0)
    return SCALE[-1][1]


def experience(caution: Mapping[str, float]) -> list[tuple[float, float]]:
    """The vote of experience: the risk that such texts usually carry, from the caution head; none without it."""
    if not caution:
        return []
    risk = math.fsum(CAUTION_RISK[degree] * p for degree, p in sorted(caution.items()) if degree in CAUTION_RISK)
    return [(risk, EXPERIENCE_WEIGHT)]


def votes_of(
    opinions: Sequence[Opinion], missing: Sequence[str], relevances: Mapping[str, float], trust: Mapping[str, float]
) -> list[tuple[float, float]]:
    """(risk, weight) of each opinion, and of each missing one as a cautious vote."""
    votes = [(o.risk, weight(o.relevance, trust.get(o.specialist, 1.0))) for o in opinions]
    return votes + [(MISSING_RISK, weight(relevances.get(m, 0.2), trust.get(m, 1.0))) for m in missing]
