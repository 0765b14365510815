"""The application: its routes, and how each way to fail is answered."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio.to_thread import current_default_thread_limiter, run_sync
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.responses import Response

from commands.web import actions, callers, exports, following, health, operations, pages, signing_in, uploads
from commands.web.bounds import Bounds
from commands.web.openapi import describe
from commands.web.pages import ingest
from commands.web.pages.showing import failed
from commands.web.problems import Problem
from commands.web.serving import Serving
from ledger import __version__

API = "/api/v1"
THREADS = 32
_ESCAPED = 2  # bytes for one of a file in a JSON document
NO_PAGE = Problem(
    404, "no-such-page", "There is no page at this address.", "Look for it from the first page, or search the help."
)  # fmt: skip
_NO_TELEMETRY: TelemetryConfig = {
    "tracing": False, "metrics": False, "logs": False, "operation_spans": False, "auto_configure": False,
}  # fmt: skip


def application(serving: Serving) -> FastAPI:
    @asynccontextmanager
    async def living(_app: FastAPI) -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = THREADS
        yield

    app = FastAPI(
        title="Daybook", version=__version__, docs_url=None, redoc_url=None, openapi_url=f"{API}/openapi.json",
        lifespan=living, telemetry=_NO_TELEMETRY, redirect_slashes=False,
    )  # fmt: skip
    app.include_router(uploads.uploads(serving), prefix=API)
    app.include_router(operations.questions(serving), prefix=API)
    app.include_router(actions.actions(serving), prefix=API)
    app.include_router(exports.exports(serving), prefix=API)
    app.include_router(following.following(serving), prefix=API)
    app.include_router(signing_in.signing_in(serving), prefix=API)
    app.include_router(pages.pages(serving))
    app.include_router(health.health(serving))
    app.add_middleware(
        Bounds,
        serving=serving,
        files=dict.fromkeys(uploads.PATHS, 1)
        | dict.fromkeys(actions.PATHS_OF_FILES | operations.PATHS_OF_FILES, _ESCAPED)
        | ingest.BYTES_OF_FILES,
    )
    describe(app, __version__)
    _answer_failures(app, serving)
    return app


def is_of_a_browser(request: Request) -> bool:
    """Whether somebody looks for a page."""
    return not request.url.path.startswith(f"{API}/") and "text/html" in request.headers.get("accept", "")


def _answer_failures(app: FastAPI, serving: Serving) -> None:
    async def refused(_request: Request, error: Exception) -> Response:
        assert isinstance(error, callers.Refused)  # noqa: S101
        return error.problem.response(serving.settings.contact)

    async def wrong_parameters(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        errors = [
            {"where": ".".join(map(str, each["loc"])), "message": str(each["msg"])}
            for each in error.errors()[:20]
        ]
        first = errors[0] if errors else {"where": "the request", "message": "it is not as documented"}
        message = f"{first['where']}: {first['message']}."
        return Problem(422, "usage", message, f"See {API}/openapi.json.", errors=errors).response(
            serving.settings.contact
        )

    async def no_address(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        if error.status_code == 404 and is_of_a_browser(request):
            return await run_sync(failed, serving, NO_PAGE)
        codes = {404: "no-such-address", 405: "no-such-method"}
        code = codes.get(error.status_code, "http")
        headers = dict(error.headers or {})
        return Problem(
            error.status_code, code, f"{error.detail}.", f"See {API}/openapi.json.", headers=headers
        ).response(serving.settings.contact)

    app.add_exception_handler(callers.Refused, refused)
    app.add_exception_handler(RequestValidationError, wrong_parameters)
    app.add_exception_handler(HTTPException, no_address)
