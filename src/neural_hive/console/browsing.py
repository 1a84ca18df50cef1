"""All cases: search, filter, page, take away as a file."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from neural_hive.console.exports import as_csv, as_json, every_case
from neural_hive.console.rendering import page
from neural_hive.console.visitors import visitor_of
from neural_hive.contracts import Domain, Outcome
from neural_hive.gateway.routing import hive_of
from neural_hive.ports import CaseQuery

_N_PER_PAGE = 25
#: Longest search, in characters.
_MAX_SEARCH = 200
Word = TypeVar("Word", bound=StrEnum)


async def get_cases(request: Request) -> Response:
    """One page of the cases that fit."""
    visitor = visitor_of(request)
    query = query_of(request, visitor.identity.tenant)
    found = await hive_of(request).cases(query)
    filters, older = _links(query, found.next_cursor)
    return page(request, visitor, "cases.html", cases=found.items, asked=query, filters=filters, older=older)


def query_of(request: Request, tenant: str) -> CaseQuery:
    """Which cases the address asks for; words that are none of ours are no filter."""
    given = request.query_params
    return CaseQuery(
        tenant,
        limit=_N_PER_PAGE,
        cursor=given.get("cursor") or None,
        outcome=_word(Outcome, given.get("outcome")),
        domain=_word(Domain, given.get("domain")),
        text=(given.get("q") or "").strip()[:_MAX_SEARCH] or None,
    )


def _word(kind: type[Word], given: str | None) -> Word | None:
    try:
        return kind(given or "")
    except ValueError:
        return None


def _links(query: CaseQuery, next_cursor: str | None) -> tuple[str, str]:
    """(the query string of the filters, address of the next page), each empty where there is none."""
    chosen = {"q": query.text, "outcome": query.outcome, "domain": query.domain}
    kept = urlencode({name: value for name, value in chosen.items() if value})
    older = urlencode({name: value for name, value in {**chosen, "cursor": next_cursor}.items() if value})
    return f"?{kept}" if kept else "", f"/cases?{older}" if next_cursor else ""


async def get_csv(request: Request) -> Response:
    """All cases that fit, as CSV."""
    return _file(request, "csv", "text/csv; charset=utf-8")


async def get_json(request: Request) -> Response:
    """All cases that fit, as JSON."""
    return _file(request, "json", "application/json")


def _file(request: Request, ending: str, media_type: str) -> Response:
    cases = every_case(hive_of(request), query_of(request, visitor_of(request).identity.tenant))
    body = as_csv(cases) if ending == "csv" else as_json(cases)
    headers = {"Content-Disposition": f'attachment; filename="cases.{ending}"'}
    return StreamingResponse(body, media_type=media_type, headers=headers)
