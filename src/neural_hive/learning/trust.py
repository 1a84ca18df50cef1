"""Reviews → trust: how often a specialist's recommendation was what a person then decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from neural_hive.contracts import SEVERITY_ORDER, Case, Outcome

#: Reviews that a specialist starts with, half of them in its favour: trust begins at 1 and moves slowly.
PRIOR_REVIEWS = 8.0
#: Credit for a recommendation by its distance from the verdict in the order approved … rejected.
CREDIT = {0: 1.0, 1: 0.5}
#: A specialist is judged only on cases that were its business.
MIN_RELEVANCE = 0.2


class TrustBook:
    """Counts agreement with reviewers. Trust is 0.5 + the smoothed share of agreement (a Beta prior), so in [0.5, 1.5]."""

    def __init__(self) -> None:
        self._credit: dict[str, float] = {}
        self._n_reviews: dict[str, int] = {}

    def learn(self, case: Case, verdict: Outcome) -> None:
        """Count one verdict on a decided case."""
        for opinion in case.opinions:
            if opinion.relevance < MIN_RELEVANCE:
                continue
            distance = abs(SEVERITY_ORDER.index(opinion.recommendation) - SEVERITY_ORDER.index(verdict))
            self._credit[opinion.specialist] = self._credit.get(opinion.specialist, 0.0) + CREDIT.get(distance, 0.0)
            self._n_reviews[opinion.specialist] = self._n_reviews.get(opinion.specialist, 0) + 1

    def learn_all(self, cases: Iterable[Case]) -> None:
        """Count every verdict of recorded cases."""
        for case in cases:
            for review in case.reviews:
                self.learn(case, review.verdict)

    def trust(self) -> Mapping[str, float]:
        """Trust by specialist, rounded to 0.001 so that equal books give equal decisions; absent means 1."""
        return {
            name: round(0.5 + (self._credit[name] + PRIOR_REVIEWS / 2) / (n_reviews + PRIOR_REVIEWS), 3)
            for name, n_reviews in sorted(self._n_reviews.items())
        }
