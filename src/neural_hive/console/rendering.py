"""Templates → pages: what every template may use, and one address per version of a static file."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse

from neural_hive import __version__
from neural_hive.consensus.guardrails import reasons_of
from neural_hive.console import charts
from neural_hive.console.highlighting import entities_of, evidence_ref, highlighted_text, quotes_of
from neural_hive.console.visitors import Visitor
from neural_hive.console.wording import FALLBACK, LANGUAGES
from neural_hive.contracts import Case, Domain, Outcome, SpecialistName
from neural_hive.gateway.auth import Role

STATIC = Path(str(resources.files(__package__).joinpath("static")))


@lru_cache(maxsize=64)
def asset(path: str) -> str:
    """Address of a static file, with a piece of its SHA-256, so that browsers may keep it for good."""
    return f"/static/{path}?v={sha256((STATIC / path).read_bytes()).hexdigest()[:12]}"


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("neural_hive.console"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        asset=asset,
        charts=charts,
        entities_of=entities_of,
        evidence_ref=evidence_ref,
        guardrail_reasons=guardrail_reasons,
        answer_language_of=answer_language_of,
        highlighted_text=highlighted_text,
        quotes_of=quotes_of,
        sprite=asset("icons.svg"),
        languages=LANGUAGES,
        outcomes=tuple(Outcome),
        domains=tuple(Domain),
        specialist_names=tuple(SpecialistName),
        version=__version__,
    )
    return environment


def answer_language_of(case: Case, chosen: str) -> str:
    """The language that a case's decision is written in. chosen: the setting HIVE_ANSWER_LANGUAGE."""
    said = chosen or (case.understanding.language if case.understanding else "")
    return said if said in LANGUAGES else FALLBACK


def guardrail_reasons(case: Case, chosen: str) -> tuple[str, ...]:
    """What the guardrails that forced the decision say, in the decision's language."""
    return reasons_of(case.decision.guardrails, answer_language_of(case, chosen)) if case.decision else ()


def render(template: str, visitor: Visitor, **values: Any) -> str:
    """A template as text. Raises jinja2.UndefinedError for a value that it lacks."""
    return _environment().get_template(template).render(t=visitor.t, visitor=visitor, **values)


def page(request: Request, visitor: Visitor, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A whole page; only its main part where htmx asks for it."""
    is_part = "hx-request" in request.headers and "hx-history-restore-request" not in request.headers
    text = render(
        template,
        visitor,
        frame="part.html" if is_part else "base.html",
        path=request.url.path,
        query=request.url.query,
        may_review=may(visitor, Role.REVIEWER),
        **values,
    )
    headers = {"Vary": "HX-Request, Accept-Language, Cookie", "Cache-Control": "no-store"}
    return HTMLResponse(text, status, headers=headers)


def may(visitor: Visitor, role: Role) -> bool:
    """Whether the visitor has this role or a higher one."""
    order = tuple(Role)
    return order.index(visitor.identity.role) >= order.index(role)
