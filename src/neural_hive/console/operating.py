"""For whoever runs the hive: the ledger, the specialists, what it depends on, and how it does over time."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from neural_hive.console.breaks import links_around
from neural_hive.console.models_table import model_rows
from neural_hive.console.rendering import may, page
from neural_hive.console.settings_table import rows
from neural_hive.console.tallies import SPANS, Span, Tally, tallies
from neural_hive.console.visitors import visitor_of
from neural_hive.gateway.auth import Role
from neural_hive.gateway.ports import JudgingHive
from neural_hive.gateway.routing import hive_of
from neural_hive.ports import CaseQuery

_N_LINKS = 8


async def get_ledger(request: Request) -> Response:
    """The newest links of the chain; checking is asked for, because it reads everything."""
    visitor = visitor_of(request)
    found = await hive_of(request).cases(CaseQuery(visitor.identity.tenant, limit=_N_LINKS * 2))
    links = [case for case in found.items if case.decision is not None][:_N_LINKS]
    return page(request, visitor, "ledger.html", links=links)


async def get_verification(request: Request) -> Response:
    """Check the whole ledger now."""
    hive, visitor = hive_of(request), visitor_of(request)
    result = await hive.verify()
    links = [] if result.ok else await links_around(hive, visitor.identity.tenant, result)
    return page(request, visitor, "verification.html", result=result, links=links)


async def get_hive(request: Request) -> Response:
    """Specialists, dependencies and settings."""
    hive, visitor = hive_of(request), visitor_of(request)
    return page(
        request,
        visitor,
        "hive.html",
        specialists=hive.specialists(),
        readiness=await hive.readiness(),
        models=model_rows(hive.models()),
        settings=rows(hive.settings) if may(visitor, Role.ADMIN) else [],
    )


async def get_trends(request: Request) -> Response:
    """Outcomes and risk over the time that was chosen; every decided case of it counts."""
    visitor = visitor_of(request)
    chosen = request.query_params.get("period", "")
    chosen = chosen if chosen in SPANS else "month"
    counted = await tallied(hive_of(request), visitor.identity.tenant, SPANS[chosen])
    return page(
        request,
        visitor,
        "trends.html",
        tallies=counted,
        spans=tuple(SPANS),
        chosen=chosen,
        n=sum(tally.n for tally in counted),
        n_judged=sum(tally.n_judged for tally in counted),
        n_agreed=sum(tally.n_agreed for tally in counted),
    )


async def tallied(hive: JudgingHive, tenant: str, span: Span) -> list[Tally]:
    """The decided cases of a tenant in a span that ends now."""
    start = span.start(datetime.now(UTC))
    return tallies(await hive.tally(tenant, start, span.length), start, span)
