"""Follow an upload at a server to its end. What is not done when somebody stops to look goes on there."""

from typing import TYPE_CHECKING

from commands.answers.answering import Progress
from commands.remote.faults import NotSignedIn

if TYPE_CHECKING:
    from commands.intake.upload_report import UploadReport
    from commands.remote.ledger import Remote

WAIT_S = 10


def followed(remote: "Remote", report: "UploadReport", progress: Progress) -> "UploadReport":
    """Raises NotSignedIn where the token expires meanwhile, and says what became of the upload."""
    upload, is_ended = str(report.upload), False
    while not is_ended:
        try:
            report, is_ended = remote.report(upload, wait_s=WAIT_S)
        except NotSignedIn as refusal:
            refusal.message = (
                f"Your token expired while {upload} was followed. The file is in the ledger and goes on."
            )
            refusal.hint = "The same command again goes on from here. Sign in first"
            raise
        outcomes = [*(one.outcome for one in report.sessions), *(one.outcome for one in report.clusterings)]
        progress(sum(outcome != "pending" for outcome in outcomes), len(outcomes))
    return report
