"""The thread of the server that sends events to webhooks."""

import contextlib
import threading

from commands.answers.webhook_sending import EVERY_S, send_due
from commands.door.incidents import record
from commands.door.logs import LOG
from commands.web.serving import Serving
from ledger.errors import Refusal


class Hooking:
    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._thread = threading.Thread(target=self._run, name="daybook-webhooks", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        serving = self._serving
        while not serving.stopping.wait(EVERY_S):
            try:
                send_due(
                    serving.ledger, serving.key, serving.settings.webhooks, stopped=serving.stopping.is_set
                )
            except Refusal as refusal:  # the ledger is not reached: it is later
                LOG.warning("webhooks not sent", extra={"refusal": refusal.code})
            except Exception as error:  # noqa: BLE001 - the thread goes on
                with contextlib.suppress(Exception):
                    incident, _ = record(error, verb="serve: webhooks", beside=serving.folder)
                    LOG.error("incident", extra={"refusal": incident})

    def stop(self) -> None:
        self._serving.stopping.set()
        self._thread.join()
