"""The queue of cases that wait for a person, and verdicts."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from neural_hive.console.exports import every_case
from neural_hive.console.operating import tallied
from neural_hive.console.rendering import page
from neural_hive.console.tallies import SPANS
from neural_hive.console.visitors import check_own_form, own_path, visitor_of
from neural_hive.contracts import Outcome
from neural_hive.gateway.auth import Role
from neural_hive.gateway.intents import checked_id
from neural_hive.gateway.refusals import FieldError, InvalidFieldsError
from neural_hive.gateway.reviews import UNNAMED_REVIEWER
from neural_hive.gateway.routing import hive_of
from neural_hive.ports import CaseQuery

_N_WAITING = 25
#: Newest cases that are looked through for verdicts.
_N_LOOKED_THROUGH = 200
_N_REVIEWED = 8
_MAX_COMMENT = 4000


async def get_reviews(request: Request) -> Response:
    """What waits for a person, and what people decided lately."""
    hive, visitor = hive_of(request), visitor_of(request)
    tenant = visitor.identity.tenant
    waiting = await hive.cases(CaseQuery(tenant, limit=_N_WAITING, waiting=True))
    looked_through = [case async for case in every_case(hive, CaseQuery(tenant), _N_LOOKED_THROUGH)]
    reviewed = [case for case in looked_through if case.reviews][:_N_REVIEWED]
    month = await tallied(hive, tenant, SPANS["month"])
    return page(
        request,
        visitor,
        "reviews.html",
        waiting=waiting.items,
        has_more=waiting.next_cursor is not None,
        reviewed=reviewed,
        agreed=sum(tally.n_agreed for tally in month),
        judged=sum(tally.n_judged for tally in month),
    )


async def post_review(request: Request) -> Response:
    """Record a verdict; the case's card, or the page where the verdict was given."""
    check_own_form(request)
    visitor = visitor_of(request)
    visitor.identity.require(Role.REVIEWER)
    form = await request.form()
    case = await hive_of(request).review(
        visitor.identity.tenant,
        checked_id(request.path_params["case_id"]),
        reviewer=visitor.identity.actor or UNNAMED_REVIEWER,
        verdict=_verdict(str(form.get("verdict", ""))),
        comment=_comment(str(form.get("comment", ""))),
    )
    if "hx-request" not in request.headers:
        return RedirectResponse(own_path(str(form.get("back", "/reviews"))), 303)
    is_on_case_page = str(form.get("back", "")).startswith("/cases/")
    return page(request, visitor, "case/reviews.html" if is_on_case_page else "reviewed.html", case=case)


def _verdict(given: str) -> Outcome:
    try:
        return Outcome(given)
    except ValueError:
        raise _refusal("verdict", "Choose a verdict.") from None


def _comment(given: str) -> str:
    comment = given.replace("\r\n", "\n").strip()
    if len(comment) > _MAX_COMMENT or "\0" in comment:
        raise _refusal("comment", f"A comment has at most {_MAX_COMMENT} characters of plain text.")
    return comment


def _refusal(field: str, reason: str) -> InvalidFieldsError:
    return InvalidFieldsError((FieldError(f"/{field}", reason),), reason)
