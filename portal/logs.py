"""Logs: one JSON line per event on standard error, with the reference that an error page shows."""

from __future__ import annotations

import logging
import logging.config

import structlog


def logging_config(level: str) -> None:
    """Send structlog and the standard library's loggers through one JSON formatter."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "json": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": shared,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        structlog.processors.format_exc_info,
                        structlog.processors.JSONRenderer(),
                    ],
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
            "loggers": {
                # It warns of the file queue's having no host name, each time something is handed over.
                "kombu.connection": {"level": "ERROR"},
                # It tells of every table of every typeface that a document takes letters from.
                "fontTools": {"level": "WARNING"},
                # They repeat the addresses that they call, and those of chats hold secrets.
                "apprise": {"level": "CRITICAL"},
                "urllib3": {"level": "WARNING"},
                # They tell of every credential that they find and every connection that they open.
                "botocore": {"level": "WARNING"},
                # It warns of what it raises as well, with pages of traceback.
                "botocore.credentials": {"level": "ERROR"},
                "boto3": {"level": "WARNING"},
            },
            "root": {"handlers": ["stderr"], "level": level},
        }
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
