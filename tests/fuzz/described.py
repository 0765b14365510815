"""Requests made from the server's own description by schemathesis, as it says and as it forbids: no answer is a fault,
none is another than the description says.

A case is one operation with a few requests of both kinds, made from its seed alone.
"""

import warnings
from functools import cache
from typing import Any

import hypothesis
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis import Case, GenerationMode, checks
from schemathesis.specs.openapi import checks as described

from tests.fuzz import http

REQUESTS = 4  # of one case and kind
CHECKS: list[Any] = [
    checks.not_a_server_error, described.status_code_conformance, described.content_type_conformance,
    described.response_schema_conformance, described.response_headers_conformance,
]  # fmt: skip


_ENDLESS = ("/api/v1/events",)
"""What is followed, and not answered: tested by itself."""


def operations(document: dict[str, Any]) -> list[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [each.ok() for each in schemathesis.openapi.from_dict(document).get_all_operations()]
    return [each for each in found if each.path not in _ENDLESS]


def examine(operation: Any, seed: int, client: Any, *, number: int = REQUESTS) -> None:
    """Raises what schemathesis raises where an answer is not as described."""
    with requests.Session() as session:
        session.trust_env = False
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _examine(operation.as_strategy(generation_mode=mode), seed, client, session, number)


def _examine(strategy: Any, seed: int, client: Any, session: requests.Session, number: int) -> None:
    headers = {"Authorization": client.headers["Authorization"]}

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=number, deadline=None, database=None, phases=[Phase.generate], derandomize=False,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @hypothesis.given(case=strategy)
    def asked(case: Case) -> None:
        answer = case.call(base_url=str(client.base_url), session=session, headers=headers)
        case.validate_response(answer, checks=CHECKS)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            asked()
    except hypothesis.errors.Unsatisfiable:  # nothing of it can be wrong
        return


@cache
def _known() -> list[Any]:
    return operations(http.client().get("/api/v1/openapi.json").raise_for_status().json())


def one_case(seed: int) -> None:
    known = _known()
    examine(known[seed % len(known)], seed, http.client())
