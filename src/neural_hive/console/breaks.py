"""Where a chain breaks: the entries around the first one that is not as it was written."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import orjson

from neural_hive.canonical import digest
from neural_hive.contracts import Verification
from neural_hive.errors import HiveError
from neural_hive.gateway.ports import JudgingHive
from neural_hive.storage.ledger.chain import GENESIS, export_line

#: Entries shown before and after the broken one.
N_BEFORE, N_AFTER = 2, 2
#: How an entry is: as it was written; not; there is none; not checked, because it comes after a break.
State = Literal["intact", "broken", "missing", "unchecked"]
#: What is wrong with a broken entry: its content gives another hash; it does not follow the entry before it; itself it is
#: as written, but the lists of cases say something else; it cannot be read any more.
Flaw = Literal["", "content", "order", "lists", "unreadable"]


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of the chain as it is now, or the place of one that is gone.

    number: from 1. kind: accepted, decided or reviewed. at: None for one that is gone. is_own: whether the visitor may see
    whose case it is. hash, previous_hash: as written; content_hash: of what it holds now.
    """

    number: int
    state: State
    kind: str = ""
    at: datetime | None = None
    case_id: str = ""
    is_own: bool = False
    hash: str = ""
    previous_hash: str = ""
    content_hash: str = ""
    flaw: Flaw = ""


async def links_around(hive: JudgingHive, tenant: str, found: Verification) -> list[Link]:
    """The entries around the first broken one, in order; none where the break is in no entry or cannot be read.

    It reads the chain up to there once more, as the check has done.
    """
    try:
        broken = int(found.first_broken or "")
    except ValueError:
        return []
    before: deque[Link] = deque(maxlen=N_BEFORE)
    try:
        return await _around(hive.export(None), before, tenant, broken)
    except (HiveError, UnicodeDecodeError, orjson.JSONEncodeError, orjson.JSONDecodeError):
        # What it holds can be so damaged that it cannot even be copied out; the reason is told beside this.
        return [*before, Link(broken, "broken", flaw="unreadable")]


async def _around(rows: AsyncIterator[dict[str, Any]], before: deque[Link], tenant: str, broken: int) -> list[Link]:
    after: list[Link] = []
    async for row in rows:
        link = _link(row, tenant, broken)
        if link.number < broken:
            before.append(link)
            continue
        after.append(link)
        if len(after) > N_AFTER:
            break
    if not after or after[0].number > broken:
        return [*before, Link(broken, "missing"), *after]
    return [*before, replace(after[0], flaw=_flaw(after[0], before[-1].hash if before else GENESIS)), *after[1:]]


def _flaw(link: Link, hash_before: str) -> Flaw:
    if link.previous_hash != hash_before:
        return "order"
    return "lists" if link.content_hash == link.hash else "content"


def _link(row: dict[str, Any], tenant: str, broken: int) -> Link:
    line = export_line(row)
    raw = line[len(b'{"entry":') : -len(b',"hash":""}') - len(row["hash"])]
    entry = orjson.loads(raw)
    number = int(entry["seq"])
    return Link(
        number=number,
        state="intact" if number < broken else "broken" if number == broken else "unchecked",
        kind=entry["kind"],
        at=datetime.fromisoformat(entry["at"]),
        case_id=entry["case_id"],
        is_own=entry["tenant"] == tenant,
        hash=str(row["hash"]),
        previous_hash=entry["previous_hash"],
        content_hash=digest(raw),
    )
