"""The reference as one page without scripts: `/api/v1/docs`. Works offline and under the strict content policy."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from importlib import resources

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from neural_hive.gateway.operations import Operation, operations
from neural_hive.gateway.routing import API

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: HTTP reference</title>
<link rel="stylesheet" href="{api}/docs/reference.css">
</head>
<body>
<header><h1>{title} <small>{version}</small></h1>
<p>{description}</p>
<p><a href="{api}/openapi.json">OpenAPI document</a> · <a href="{api}/schemas">JSON Schemas</a></p></header>
<nav aria-label="Operations"><ul>{index}</ul></nav>
<main>{sections}</main>
</body>
</html>
"""


def render(app: FastAPI) -> str:
    """The page for an application's OpenAPI document."""
    found = list(operations(app.openapi()))
    return _PAGE.format(
        api=API,
        title=escape(app.title),
        version=escape(app.version),
        description=escape(app.description),
        index="".join(f'<li><a href="#{_anchor(o)}">{_name(o)}</a></li>' for o in found),
        sections="".join(_section(o) for o in found),
    )


def _anchor(operation: Operation) -> str:
    return escape(f"{operation.method}-{operation.path}".lower().replace("/", "-").replace("{", "").replace("}", ""))


def _name(operation: Operation) -> str:
    return f"<code><b>{escape(operation.method)}</b> {escape(operation.path)}</code>"


def _section(operation: Operation) -> str:
    tables = [
        _table("Parameters", ("Name", "In", "Type", "Meaning"), operation.parameters),
        _table("Body", ("Type", "Record"), operation.bodies),
        _table("Answers", ("Status", "Record", "Meaning"), operation.answers),
    ]
    head = f'<h2 id="{_anchor(operation)}">{_name(operation)}</h2><p>{escape(operation.text)}</p>'
    return f"<section>{head}{''.join(tables)}</section>"


def _table(caption: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    if not lines:
        return ""
    names = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{names}</tr></thead><tbody>{lines}</tbody></table>"


def add_routes(app: FastAPI) -> None:
    """The page and its style."""
    style = resources.files(__package__).joinpath("reference.css").read_bytes()

    async def get_page(_request: Request) -> Response:
        return HTMLResponse(render(app))

    async def get_style(_request: Request) -> Response:
        return Response(style, media_type="text/css")

    app.router.add_route(f"{API}/docs", get_page, include_in_schema=False)
    app.router.add_route(f"{API}/docs/reference.css", get_style, include_in_schema=False)
