"""The mail that leaves: a thread of the relay that has the duty, since only the portal’s own host knows the server.

Killed at any point it sends nothing twice: a letter is marked before it is handed over, and one that was marked and
never got an answer is taken for sent. All else is tried again, later and later.
"""

import logging
import smtplib
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from django.core.mail import EmailMessage
from django.db import DatabaseError, connections, transaction
from django.utils import timezone

from portal import mail_server
from portal.models import Inbox, Letter
from portal.notifying import notify
from worker import letter_texts, letters

logger = logging.getLogger(__name__)

EVERY = 20.0
AT_ONCE = 100
BACKOFF = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6))
LOST_AFTER = timedelta(minutes=15)
State = Letter.State


class Mailing:
    """Begins a round of letters when it is time and none is running."""

    def __init__(self, over: threading.Event) -> None:
        self._over = over
        self._thread: threading.Thread | None = None
        self._begun = -EVERY

    def begin(self) -> None:
        """Start a thread, at most every EVERY seconds; without a mail server there is nothing to do."""
        is_running = self._thread is not None and self._thread.is_alive()
        if mail_server.is_set() and not is_running and time.monotonic() - self._begun >= EVERY:
            self._begun = time.monotonic()
            self._thread = threading.Thread(target=self._work, name="mailing", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        try:
            perform(self._over.is_set)
        except DatabaseError as error:
            logger.warning("Mail was interrupted and will be tried again: %s", error)
        except Exception:
            logger.exception("A round of mail failed.")
        finally:
            connections.close_all()


def perform(is_over: Callable[[], bool] = lambda: False) -> None:
    """Write the letters that are due and send those whose time has come."""
    letters.write_due()
    _give_up_lost()
    waiting = Letter.objects.filter(state=State.WAITING, not_before__lte=timezone.now())
    for letter in waiting.select_related("user__inbox").order_by("not_before")[:AT_ONCE]:
        if is_over():
            return
        send(letter)


def _give_up_lost() -> None:
    """Letters that a killed relay was sending may have left: they are not sent again."""
    lost = Letter.objects.filter(state=State.SENDING, begun_at__lt=timezone.now() - LOST_AFTER)
    lost.update(state=State.UNSURE, ended_at=timezone.now())


def send(letter: Letter) -> None:
    """Send one letter, unless nothing of it is left to tell."""
    inbox = letter.user.inbox if hasattr(letter.user, "inbox") else Inbox(user=letter.user)
    letter.address = letters.address_of(inbox)
    mail = letter_texts.build(letter, letter.address) if letter.address else None
    if mail is None:
        _end(letter, State.DROPPED)
        return
    now = timezone.now()
    taken = Letter.objects.filter(pk=letter.pk, state=State.WAITING).update(
        state=State.SENDING, begun_at=now, attempts=letter.attempts + 1, address=letter.address, subject=letter.subject
    )
    if taken:
        letter.attempts += 1
        _hand_over(letter, mail)


def _hand_over(letter: Letter, mail: EmailMessage) -> None:
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()), (450, b""))
        if code >= 500:
            _refused(letter, f"{code} {_text(said)}")
        else:
            _later(letter, f"{code} {_text(said)}")
    except smtplib.SMTPResponseException as error:
        why = f"{error.smtp_code} {_text(error.smtp_error)}"
        # A refusal of the sender or of the content is no fault of the address; of our credentials neither.
        is_final = isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500
        _end(letter, State.FAILED, why) if is_final else _later(letter, why)
    except (smtplib.SMTPException, OSError) as error:
        _later(letter, str(error))
    else:
        _end(letter, State.SENT)


def _later(letter: Letter, why: str) -> None:
    """Try again after a while, or give up."""
    if letter.attempts > len(BACKOFF):
        logger.warning("Letter %s could not be sent: %s", letter.pk, why)
        _end(letter, State.FAILED, why)
        return
    after = timezone.now() + BACKOFF[letter.attempts - 1]
    Letter.objects.filter(pk=letter.pk).update(state=State.WAITING, not_before=after, why=why[:300])


def _refused(letter: Letter, why: str) -> None:
    """The address does not exist, or wants nothing from here: stop, and say so where its owner will see it."""
    with transaction.atomic():
        _end(letter, State.REFUSED, why)
        Inbox.objects.filter(user=letter.user).update(refused_address=letter.address, refused_why=why[:300])
        data = {"path": "/settings/notifications"}
        notify("mail_refused", people=[letter.user], about="", by=None, data=data, group="mail_refused")


def _end(letter: Letter, state: str, why: str = "") -> None:
    Letter.objects.filter(pk=letter.pk).update(state=state, why=why[:300], ended_at=timezone.now())


def _text(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said
