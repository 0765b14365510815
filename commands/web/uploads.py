"""Input files over HTTP: taken in at once, processed by threads of the server, followed until they are."""

from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Path, Query, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.responses import Response

from commands.door.actor import Actor
from commands.door.command import checked_command_id
from commands.intake.checking import CheckedFile
from commands.intake.upload_report import UploadReport
from commands.intake.uploading import report_of, take_in
from commands.intake.validation import validate
from commands.web.answering import answered
from commands.web.callers import Refused, caller
from commands.web.openapi import documented
from commands.web.operations import refuse_unknown
from commands.web.problems import Problem
from commands.web.serving import Serving

PATHS = frozenset({"/api/v1/uploads", "/api/v1/validations"})
_MOST_PATIENCE_S = 30
_OK = {"ok": {"type": "boolean"}}
_FileName = Annotated[
    str, Query(min_length=1, max_length=255, description="What the file is called.", examples=["12345.yml"])
]
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/yaml": {"schema": {"type": "string"}},
            "application/json": {"schema": {"type": "object"}},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object", "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}  # fmt: skip


def uploads(serving: Serving) -> APIRouter:
    router = APIRouter()
    router.add_api_route(
        "/uploads",
        _upload(serving),
        methods=["POST"],
        operation_id="upload",
        summary="Take in an input file.",
        openapi_extra=_BODY,
        **documented((UploadReport,), _OK, status=202, refused=422),
    )
    router.add_api_route(
        "/validations",
        _validate(serving),
        methods=["POST"],
        operation_id="validate",
        openapi_extra=_BODY,
        summary="Check an input file; ingest nothing.",
        **documented((CheckedFile,), _OK),
    )
    router.add_api_route(
        "/uploads/{upload}/report",
        _report(serving),
        methods=["GET"],
        operation_id="get_upload_report",
        summary="What became of an upload by now.",
        **documented((UploadReport,), _OK),
    )
    return router  # fmt: skip


def _upload(serving: Serving) -> Any:
    async def upload(request: Request, filename: _FileName = "upload.yml") -> Response:
        """Answers 202 as soon as the file is accepted, with what it stands for; 422 with the findings where it is not.

        Follow the address of the header Location to see what becomes of it. The same Idempotency-Key does nothing twice
        and answers as the first time.
        """
        actor = await run_sync(caller, serving, request)
        refuse_unknown(request, {"filename"})
        command_id = idempotency_key(request)
        data, name = await _file(request, serving.settings.limits.input_file_bytes, filename)
        report: UploadReport = await run_sync(taken_in, serving, actor, data, name, command_id)
        if not report.ok:
            return await run_sync(lambda: answered(report, status=422))
        address = f"/api/v1/uploads/{report.upload}/report"
        return await run_sync(lambda: answered(report, status=202, headers={"Location": address}))

    return upload


def taken_in(serving: Serving, actor: Actor, data: bytes, name: str, command_id: str | None) -> UploadReport:
    settings = serving.settings
    report = take_in(
        serving.daybook(actor),
        data,
        filename=name,
        roots=settings.roots,
        limits=settings.limits,
        command_id=command_id,
    )
    if report.ok and serving.working is not None:
        serving.working.put(actor, int(str(report.upload)[1:]))
    return report


def _validate(serving: Serving) -> Any:
    async def validations(
        request: Request, filename: _FileName = "upload.yml", record: bool = True
    ) -> Response:
        """Stages 0 to 2. Without ``record`` no event says that the file was checked."""
        actor = await run_sync(caller, serving, request)
        refuse_unknown(request, {"filename", "record"})
        command_id = idempotency_key(request)
        limits, roots = serving.settings.limits, serving.settings.roots
        data, name = await _file(request, limits.input_file_bytes, filename)

        def check() -> Response:
            checked = validate(
                serving.daybook(actor), data, filename=name, roots=roots, limits=limits,
                record=record and actor.may_write, command_id=command_id,
            )  # fmt: skip
            return answered(checked)

        return await run_sync(check)

    return validations


def _report(serving: Serving) -> Any:
    def report(
        request: Request,
        upload: Annotated[str, Path(examples=["u34"], pattern="^u[1-9][0-9]{0,17}$")],
        wait: Annotated[
            int, Query(examples=[10], ge=0, le=_MOST_PATIENCE_S, description="Seconds to wait for its end.")
        ] = 0,
    ) -> Response:
        """200 where nothing of it is processed any more, 202 while something is."""
        actor = caller(serving, request)
        refuse_unknown(request, {"wait"})
        number = int(upload[1:])
        ended = serving.working is None or serving.working.waited_for(number, wait)
        found = report_of(serving.daybook(actor), number)
        outcomes = [*(one.outcome for one in found.sessions), *(one.outcome for one in found.clusterings)]
        return answered(found, status=200 if ended and "pending" not in outcomes else 202)

    return report


def idempotency_key(request: Request) -> str | None:
    given = request.headers.get("idempotency-key")
    if given is not None:
        request.state.command_id = checked_command_id(given)
    return given


async def _file(request: Request, most: int, filename: str) -> tuple[bytes, str]:
    """The bytes and the name. ``bounds`` limits the body while it arrives; this limits the file."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        data, filename = await _part(request, filename)
    elif kind == "application/x-www-form-urlencoded":
        raise Refused(
            Problem(415, "not-a-file", "A form holds no file.", "Send the bytes, or multipart/form-data.")
        )
    else:
        data = await request.body()
    if len(data) > most:
        raise Refused(
            Problem(
                413,
                "too-large",
                f"The file has {len(data):,} bytes; {most:,} are the most.",
                "Upload it in parts.",
            )
        )
    return data, filename


async def _part(request: Request, filename: str) -> tuple[bytes, str]:
    try:
        async with request.form(max_files=1, max_fields=1) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise Refused(
                    Problem(
                        422, "no-file", 'The form has no file called "file".', "Send one part with that name."
                    )
                )
            return await file.read(), (file.filename or filename)[:255]
    except MultiPartException as error:
        raise Refused(
            Problem(400, "multipart", f"This is not multipart/form-data: {error.message}", "Send it again.")
        ) from None
