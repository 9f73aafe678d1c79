"""Errors that people read. Each is a sentence; pages and the API show the same one."""

from __future__ import annotations


class PortalError(Exception):
    """Something the person can understand and act upon.

    ``sentence`` says what is wrong and what to do; ``field`` names the input at fault, if one is; ``status`` is
    the HTTP status with which pages and the API answer.
    """

    status = 400

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field


class InvalidInput(PortalError):
    """What was entered cannot be used."""


class NotPermitted(PortalError):
    """This person may not do this."""

    status = 403


class Refused(PortalError):
    """It cannot be done now, as things stand, whoever asks."""

    status = 409
