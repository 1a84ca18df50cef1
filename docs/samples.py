"""The decisions that README.md and the tutorial show: what the hive answers now, drawn as on a terminal of 80 columns."""

from __future__ import annotations

import asyncio
import re
from functools import cache
from io import StringIO
from tempfile import TemporaryDirectory

from rich.console import Console

from neural_hive.cli.labels import labels_of
from neural_hive.cli.terminal import print_case
from neural_hive.contracts import Ask, Caller, Case, Channel
from neural_hive.hive import open_hive
from neural_hive.settings import Settings

#: Conditions shown; a case has up to six.
_N_CONDITIONS = 2
_BOX = re.compile(r"^╭─.*?^╰[^\n]*╯\n", re.MULTILINE | re.DOTALL)
_ASKED = re.compile(r'hive ask "([^"\n]+)"')
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def with_decision(page: str, *, is_brief: bool = False) -> str:
    """`page` with its first frame drawn anew, for the last text that is asked before it. The case keeps the id that it has there."""
    shown = _BOX.search(page)
    if shown is None:
        raise ValueError("the page shows no decision")
    text, case_id = _ASKED.findall(page[: shown.start()])[-1], _ID.findall(shown[0])[-1]
    case = _shortened(_answer(text).model_copy(update={"id": case_id}), is_brief=is_brief)
    lines = _drawn(case).splitlines()
    if is_brief:  # neither what was asked, which stands above, nor empty lines
        lines = [line for line in lines if line.strip("│ ") and not line.startswith("│  “")]
    return page[: shown.start()] + "\n".join(lines) + "\n" + page[shown.end() :]


def _shortened(case: Case, *, is_brief: bool) -> Case:
    """Fewer conditions; brief is also without reasons after the second sentence, findings, dissent and guardrails."""
    assert case.decision is not None
    changed: dict[str, object] = {"conditions": case.decision.conditions[:_N_CONDITIONS]}
    opinions = case.opinions
    if is_brief:
        reasons = re.split(r"(?<=\.) ", case.decision.explanation)[:2]
        changed |= {"explanation": " ".join(reasons), "dissent": (), "guardrails": ()}
        opinions = tuple(opinion.model_copy(update={"findings": ()}) for opinion in opinions)
    return case.model_copy(update={"decision": case.decision.model_copy(update=changed), "opinions": opinions})


def _drawn(case: Case) -> str:
    paper = StringIO()
    console = Console(file=paper, width=80, color_system=None, highlight=False, emoji=False, markup=False)
    print_case(console, case, labels_of(case, ""))
    return paper.getvalue()


@cache
def _answer(text: str) -> Case:
    return asyncio.run(_asked(text))


async def _asked(text: str) -> Case:
    """What a new hive answers; its store is thrown away."""
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/hive.db"
        async with open_hive(Settings(ledger_url=url, graph_url=url, bus_url=url)) as hive:
            return await hive.ask(Ask(text=text), Caller(channel=Channel.CLI))
