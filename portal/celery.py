"""Celery: the queues, the static schedule, and the broker of one machine.

Redis redelivers a message after its visibility timeout and any broker may lose or double one, so nothing here is
relied upon: the database row decides who does what (the claim), and the sweepers send again what was lost.
"""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from kombu.entity import Queue
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

from django.conf import settings

QUEUES = ("control", "backups", "restores", "checkups", "telling")

LATER = 6
"""The priority of ordinary restores, for Redis and for our file queue alike: 0, which all else has, comes first."""

TRANSPORT_ALIASES["filesystem"] = "portal.filequeue:Transport"

app = Celery("portal")


def _transport_options() -> dict[str, Any]:
    if settings.EMBEDDED_BROKER:
        folder = settings.DATA_DIR / "broker"
        for name in ("messages", "control"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        return {
            "data_folder_in": str(folder / "messages"),
            "data_folder_out": str(folder / "messages"),
            "control_folder": str(folder / "control"),
            "polling_interval": 0.1,
        }
    return {
        "visibility_timeout": 3600,
        "socket_timeout": 5,
        "socket_connect_timeout": 5,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
    }


app.conf.update(
    broker_url=settings.CELERY_BROKER_URL,
    broker_transport_options=_transport_options(),
    broker_connection_retry_on_startup=True,
    broker_connection_timeout=5,
    task_publish_retry=False,  # a person waits for the page: the sweeper sends again
    task_ignore_result=True,  # our rows are the results
    task_default_queue="control",
    task_queues=[Queue(name, routing_key=name) for name in QUEUES],  # type: ignore[no-untyped-call]
    task_create_missing_queues=False,
    task_routes={
        "backups.take": "backups",
        "backups.copy": "backups",
        "backups.continue_copy": "backups",
        "restores.restore": {"queue": "restores", "priority": LATER},
        "restores.restore_first": "restores",
        "restores.undo": "restores",
        "restores.go_on": "restores",
        "restores.clean_up": "restores",
        "backups.list_contents": "restores",  # somebody waits for it who wants a restore
        "backups.repair": "backups",
        "backups.retain": "backups",
        "backups.apply_run": "backups",
        "backups.look": "checkups",
        "backups.discover": "checkups",
        "backups.discover_region": "checkups",
        "backups.verify": "checkups",
        "checkups.declare": "checkups",
        "checkups.work_out": "checkups",
        "checkups.seal": "checkups",
        "checkups.watch_records": "checkups",
        "checkups.close_cancelled": "checkups",
        "checkups.try": "checkups",
        "checkups.go_on": "checkups",
        "checkups.tidy": "checkups",
        "checkups.remind": "telling",
        "checkups.tell_ready": "telling",
        "checkups.tell_tasks": "telling",
        "backups.nightly": "checkups",
        "backups.alert": "telling",  # a mail server that hangs keeps nothing else waiting
        "backups.tell_stopped": "telling",
        "backups.digest": "telling",
        "restores.send": "telling",
        "restores.tell_incident": "telling",
        "restores.digests": "telling",
        "backups.tidy": "backups",  # deleting takes its time, and the sweepers must not wait for it
        "restores.tidy": "backups",
    },
    task_acks_late=False,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_enable_remote_control=not settings.EMBEDDED_BROKER,  # nobody asks, and it costs a queue
    worker_cancel_long_running_tasks_on_connection_loss=False,
    enable_utc=True,
    timezone="UTC",
    beat_schedule_filename=str(settings.DATA_DIR / "beat-schedule"),
    beat_schedule={
        "sweep-backups": {
            "task": "backups.sweep",
            "schedule": settings.SWEEP_SECONDS,
            "options": {"queue": "control", "expires": settings.SWEEP_SECONDS},
        },
        "sweep-restores": {
            "task": "restores.sweep",
            "schedule": settings.SWEEP_SECONDS,
            "options": {"queue": "control", "expires": settings.SWEEP_SECONDS},
        },
        "sweep-checkups": {
            "task": "checkups.sweep",
            "schedule": settings.SWEEP_SECONDS,
            "options": {"queue": "control", "expires": settings.SWEEP_SECONDS},
        },
        "remind-of-checkups": {
            "task": "checkups.remind",
            "schedule": 3600,
            "options": {"queue": "telling", "expires": 3600},
        },
        "watch-records-of-checkups": {
            "task": "checkups.watch_records",
            "schedule": 24 * 3600,
            "options": {"queue": "checkups", "expires": 12 * 3600},
        },
        "tidy-restores": {
            "task": "restores.tidy",
            "schedule": 3600,
            "options": {"queue": "backups", "expires": 3600},
        },
        "schedule-backups": {
            "task": "backups.schedule",
            "schedule": 60,
            "options": {"queue": "control", "expires": 60},
        },
        "retention": {
            "task": "backups.retain",
            "schedule": 3600,
            "options": {"queue": "backups", "expires": 3600},
        },
        "nightly-checks": {
            "task": "backups.nightly",
            "schedule": 600,
            "options": {"queue": "checkups", "expires": 600},
        },
        "discover": {
            "task": "backups.discover",
            "schedule": 3600,
            "options": {"queue": "checkups", "expires": 3600},
        },
        "verify-copies": {
            "task": "backups.verify",
            "schedule": 600,
            "options": {"queue": "checkups", "expires": 600},
        },
        "alert": {
            "task": "backups.alert",
            "schedule": 300,
            "options": {"queue": "telling", "expires": 300},
        },
        "digest": {
            "task": "backups.digest",
            "schedule": 600,
            "options": {"queue": "telling", "expires": 600},
        },
        "send-notices": {
            "task": "restores.send",
            "schedule": settings.SWEEP_SECONDS,
            "options": {"queue": "telling", "expires": settings.SWEEP_SECONDS},
        },
        "people-digests": {
            "task": "restores.digests",
            "schedule": 600,
            "options": {"queue": "telling", "expires": 600},
        },
        "tidy-regions": {
            "task": "backups.tidy",
            "schedule": 3600,
            "options": {"queue": "backups", "expires": 3600},
        },
    },
)
app.autodiscover_tasks(["backups", "restores", "checkups"])
