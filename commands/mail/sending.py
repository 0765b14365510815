"""Send what is in the outbox. The only module that speaks SMTP. What could not be sent is tried again, ever later."""

import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from commands.accounts.times import from_now, now
from commands.door.incidents import record_beside
from commands.door.settings import MailSettings
from commands.mail.outbox import Post
from ledger import outbox, people
from ledger.errors import Refusal

_LEASE = timedelta(minutes=10)
_ATTEMPTS = 12
_LONGEST_WAIT = timedelta(hours=6)
_SECONDS = 20
_LONGEST_REASON = 300
Connect = Callable[[], smtplib.SMTP]


@dataclass(frozen=True, slots=True)
class Sent:
    """How many were sent, and how many could not be."""

    sent: int
    failed: int


def send_due(post: Post, settings: MailSettings, *, goes_on: Callable[[], bool] = lambda: True) -> Sent:
    sent = failed = 0
    while goes_on():
        with post.ledger.database.writing() as transaction:
            mail = outbox.take_due(transaction, now(), from_now(_LEASE))
            known = None if mail is None else people.find(transaction, mail.username)
        if mail is None:
            break
        try:
            reason, is_final = _sent(post, settings, mail, None if known is None else known.email)
        except Exception as fault:  # noqa: BLE001 - the other mails are sent
            incident = record_beside(fault, verb="mail: a letter", database=post.ledger.database)
            reason, is_final = f"a fault of daybook itself (incident {incident})", False
        with post.ledger.database.writing() as transaction:
            if not reason:
                outbox.mark_sent(transaction, mail.id, now())
                sent += 1
            else:
                again = None if is_final or mail.attempts >= _ATTEMPTS else _later(mail.attempts)
                outbox.mark_failed(transaction, mail.id, reason[:_LONGEST_REASON], again)
                failed += 1
    return Sent(sent, failed)


def _later(attempts: int) -> str:
    return from_now(min(timedelta(minutes=2**attempts), _LONGEST_WAIT))


def _sent(post: Post, settings: MailSettings, mail: outbox.Mail, address: str | None) -> tuple[str, bool]:
    """Why it was not, empty where it was; and whether that will not change."""
    if not address:
        return "the user has no mail address any more", True
    if mail.until is not None and mail.until <= now():
        return "what it was about has expired", True
    try:
        message = _message(settings, mail, post.key.decrypted(mail.body), address)
        with _connected(settings) as connection:
            connection.send_message(message)
    except Refusal as refusal:
        return refusal.message, True
    except smtplib.SMTPResponseException as error:
        return f"the mail server answered {error.smtp_code}", 500 <= error.smtp_code < 600
    except smtplib.SMTPRecipientsRefused as error:
        codes = sorted({code for code, _ in error.recipients.values()})
        return f"the mail server refuses the address: {codes}", all(code >= 500 for code in codes)
    except (smtplib.SMTPException, OSError, ValueError) as error:
        return f"the mail server cannot be reached: {type(error).__name__}", False
    return "", False


def _message(settings: MailSettings, mail: outbox.Mail, body: str, address: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = settings.sender, address, mail.subject
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(idstring=mail.id.replace(" ", "-")[:40])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body)
    return message


def _connected(settings: MailSettings) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if settings.security == "tls":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            settings.host, settings.port, timeout=_SECONDS, context=context
        )
    else:
        connection = smtplib.SMTP(settings.host, settings.port, timeout=_SECONDS)
    if settings.security == "starttls":
        connection.starttls(context=context)
    if settings.user is not None:
        connection.login(settings.user, settings.password())
    return connection
