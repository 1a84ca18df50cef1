"""What the OpenAPI document promises holds for whatever schemathesis thinks of; bounded, so that it stays quick."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from neural_hive.gateway.app import document_for
from neural_hive.settings import Settings

PATHS = document_for(Settings.model_construct())["paths"]
OPERATIONS = [(path, method) for path, methods in PATHS.items() for method in methods]
CHECKS = [
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
]
BOUNDED = settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def api(running_hive: Any) -> Any:
    """The document that the hive serves."""
    return schemathesis.openapi.from_url(f"{running_hive.url}/api/v1/openapi.json")


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_no_answer_is_undeclared(api: Any, path: str, method: str, mode: GenerationMode) -> None:
    @BOUNDED
    @given(case=api[path][method].as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        response = case.call_and_validate(checks=CHECKS)
        if response.status_code != 501:  # what a hive without a speech model answers
            case.validate_response(response, checks=[not_a_server_error])

    check()


def test_the_hive_serves_the_document_that_is_published(api: Any) -> None:
    assert {(path, method) for path in api.raw_schema["paths"] for method in api.raw_schema["paths"][path]} == set(
        OPERATIONS
    )
