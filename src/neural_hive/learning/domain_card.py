"""The domain model's card: what it was made from, how good it is, and what it is not for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

#: Files of phrases that are not the project's own, with source and licence.
_BORROWED = {
    "off_topic_massive": "MASSIVE 1.1 train (Amazon; FitzGerald et al. 2022), unchanged, labelled off topic by us; CC BY 4.0",
    "requirements_datareq": "DataReq-PT, requirements of Brazilian public tenders; MIT",
}
_HEADS = {
    "domain": "which of the seven domains, or none",
    "specialist": "who should lead",
    "kind": "whether there is something to judge",
    "concern": "what could go wrong",
    "caution": "go, care or stop",
    "register": "whether it is worded like the requirements of tenders",
    "tender": "who should lead among those",
}
_ROUNDED = ("accuracy", "accepted", "ece")


def domain_card(
    made_from: Mapping[str, int], labels: Mapping[str, Sequence[str]], metrics: Mapping[str, float], *, encoder: str, weights: str
) -> str:
    """Markdown, after Mitchell et al. 2019, "Model cards for model reporting". Depends on its arguments alone.

    made_from: examples by file. labels: by head. metrics: `HEAD_accuracy`, `HEAD_accepted`, `HEAD_ece` in [0, 1], `HEAD_n`.
    encoder, weights: SHA-256.
    """
    data = "\n".join(
        f"| {name} | {n:,} | {_BORROWED.get(name, 'written for this project; Apache-2.0')} |"
        for name, n in sorted(made_from.items())
    )
    heads = "\n".join(_head_row(head, labels[head], metrics) for head in _HEADS)
    return f"""# The domain model

<!-- Written by `python -m neural_hive.learning.domain_model`. -->

Says of a request in Portuguese, Spanish or English what it is about, who should lead, what could go wrong and how much caution it
calls for. Seven linear heads on a sentence vector and the frame; those for the domain, the specialist and the two of tenders read words
and their parts, too. What the head of tenders says is added to the head of the specialist as far as a text is in that register.

## Data

| file | examples | source and licence |
|---|---|---|
{data}

`rubrics` are the example phrasings of the concerns. `tests/golden` is never trained on.

## How good it is

Out of fold: three folds, parallel phrasings of one thing always in the same. *Accepted* counts labels that a fair person would accept,
too. ECE: expected calibration error, 15 bins (Naeini et al. 2015), after temperature scaling (Guo et al. 2017). The domain's is of the share among the seven
that readers are told, and is wide of the mark on purpose: its temperature is fitted to `data/calibration/domains.jsonl`, 99 requests by
another hand with every domain that a fair person accepts, 2.7 each where phrases name 1.5. Phrases would have it doubt what people do not.

| head | says | labels | examples | right | accepted | ECE |
|---|---|---|---|---|---|---|
{heads}

On texts apart: `python benchmarks/judging.py` and `benchmarks/routing.py`, in docs/reference/quality.md.

## What it is not for

Other languages; decisions about people; anything without the frame rules, guardrails and reviewers around it. Its phrases were written
by few hands: trades, regions and ways of speaking that are rare in `data/phrases` are judged worse.

## Hashes

SHA-256 of the weights: `{weights}`; of the encoder's files: `{encoder}`.
"""


def _head_row(head: str, labels: Sequence[str], metrics: Mapping[str, float]) -> str:
    measured = " | ".join(f"{metrics[f'{head}_{name}']:.3f}" for name in _ROUNDED)
    return f"| {head} | {_HEADS[head]} | {len(labels)} | {metrics[f'{head}_n']:,} | {measured} |"
