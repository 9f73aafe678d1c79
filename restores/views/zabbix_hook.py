"""Where Zabbix reports problems. A program's door: a secret in a header, short JSON in, a short sentence out."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from rest_framework.throttling import SimpleRateThrottle

from portal.entered import whole_number
from restores.actions.zabbix import take_message
from restores.zabbix_message import LARGEST, UnreadableMessage, read_message

HEADER = "X-Zabbix-Secret"


class HookThrottle(SimpleRateThrottle):
    """So many messages a minute, right and wrong ones counted apart: noise from outside keeps no report out."""

    scope = "zabbix"

    def get_cache_key(self, request: Any, view: Any) -> str:
        """One count for those with the secret, one for the others."""
        return self.cache_format % {"scope": self.scope, "ident": view}


@csrf_exempt
@login_not_required
@require_POST
def zabbix_hook(http: HttpRequest) -> JsonResponse:
    """Take one message. Nothing is stored of one that is not Zabbix's, too large, or none that can be read."""
    if not settings.ZABBIX_WEBHOOK_SECRET:
        raise Http404
    known = constant_time_compare(http.headers.get(HEADER, ""), settings.ZABBIX_WEBHOOK_SECRET)
    if not HookThrottle().allow_request(http, "known" if known else "unknown"):  # type: ignore[arg-type]  # a name will do
        return _answer(429, "Too many messages. Try again in a minute.")
    if not known:
        return _answer(403, f"The header {HEADER} is missing or wrong.")
    if (whole_number(http.headers.get("Content-Length") or "") or 0) > LARGEST:
        return _answer(413, f"A message has {LARGEST} bytes at most.")
    now = timezone.now()
    try:
        message = read_message(http.body, now)
    except UnreadableMessage as error:
        return _answer(400, str(error))
    return _answer(200, take_message(message, now))


def _answer(status: int, sentence: str) -> JsonResponse:
    return JsonResponse({"detail": sentence}, status=status)
