"""Mail of a server: a thread that looks what is to be told, and sends it. Nobody waits for it."""

import threading
from collections.abc import Callable
from typing import Any

from commands.door.incidents import record
from commands.door.logs import LOG
from commands.mail.notices import look
from commands.mail.outbox import Post, put_secret
from commands.mail.sending import send_due
from commands.web.serving import Serving
from ledger.errors import Refusal

EVERY_S = 30.0


def post_of(serving: Serving) -> Post:
    return Post(serving.ledger, serving.key, serving.public_url)


def send_secret(serving: Serving, action: str, answer: Any, secret: Any) -> None:
    """After an action that told something once: by mail, too, where mail is set up. It fails nothing."""
    if serving.settings.mail is None or secret is None:
        return
    try:
        if put_secret(post_of(serving), action, answer, secret) and serving.posting is not None:
            serving.posting.wake()
    except Exception as error:  # noqa: BLE001 - what was asked for is done already
        _note(serving, error)


class Posting:
    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._woken, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="daybook-mail", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._woken.set()

    def stop(self) -> None:
        """The mail that is on its way is sent."""
        self._stopping.set()
        self._woken.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            for step in (look, self._send):  # what cannot be told keeps nothing else from being sent
                try:
                    self._once(step)
                except Exception as error:  # noqa: BLE001 - the next look may succeed
                    _note(self._serving, error)
            self._woken.wait(EVERY_S)
            self._woken.clear()

    def _once(self, step: Callable[[Post], object]) -> None:
        if self._serving.settings.mail is not None:
            step(post_of(self._serving))

    def _send(self, post: Post) -> None:
        settings = self._serving.settings.mail
        if settings is not None:
            send_due(post, settings, goes_on=lambda: not self._stopping.is_set())


def _note(serving: Serving, error: Exception) -> None:
    if isinstance(error, Refusal):
        LOG.warning("mail refused", extra={"refusal": error.code})
    else:
        incident, _ = record(error, verb="serve: mail", beside=serving.folder)
        LOG.error("incident", extra={"refusal": incident})
