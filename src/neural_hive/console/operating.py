"""For whoever runs the hive: the ledger, the specialists, what it depends on, and how it does over time."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response

from neural_hive.console.exports import every_case
from neural_hive.console.rendering import may, page
from neural_hive.console.settings_table import rows
from neural_hive.console.tallies import agreement_with_people, tallies
from neural_hive.console.visitors import visitor_of
from neural_hive.gateway.auth import Role
from neural_hive.gateway.routing import hive_of
from neural_hive.ports import CaseQuery

_N_LINKS = 8
#: Newest cases that the trends are made of.
N_FOR_TRENDS = 1000
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def get_ledger(request: Request) -> Response:
    """The newest links of the chain; checking is asked for, because it reads everything."""
    visitor = visitor_of(request)
    found = await hive_of(request).cases(CaseQuery(visitor.identity.tenant, limit=_N_LINKS * 2))
    links = [case for case in found.items if case.decision is not None][:_N_LINKS]
    return page(request, visitor, "ledger.html", links=links)


async def get_verification(request: Request) -> Response:
    """Check the whole ledger now."""
    result = await hive_of(request).verify()
    broken = _UUID.search(result.first_broken or "")
    return page(request, visitor_of(request), "verification.html", result=result, broken_case=broken.group() if broken else "")


async def get_hive(request: Request) -> Response:
    """Specialists, dependencies and settings."""
    hive, visitor = hive_of(request), visitor_of(request)
    return page(
        request,
        visitor,
        "hive.html",
        specialists=hive.specialists(),
        readiness=await hive.readiness(),
        settings=rows(hive.settings) if may(visitor, Role.ADMIN) else [],
    )


async def get_trends(request: Request) -> Response:
    """Outcomes and risk over time, from the newest cases."""
    visitor = visitor_of(request)
    query = CaseQuery(visitor.identity.tenant)
    cases = [case async for case in every_case(hive_of(request), query, N_FOR_TRENDS)]
    agreed, judged = agreement_with_people(cases)
    people = {"agreed": agreed, "judged": judged}
    return page(request, visitor, "trends.html", tallies=tallies(cases), n=len(cases), limit=N_FOR_TRENDS, people=people)
