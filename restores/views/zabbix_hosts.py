"""What the monitoring's hosts are: said by IT, never guessed."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from portal.errors import PortalError
from portal.paging import Column, read_page
from restores.actions.zabbix import map_host
from restores.incident_forms import HostForm
from restores.incident_permissions import check_can_map_hosts
from restores.models import ZabbixHost
from restores.views.fetching import person
from restores.views.narrowing import form_to_choose, is_sent

BY_NAME = (Column("host"), Column("pk"))
UNKNOWN_SHOWN = 100


@require_http_methods(["GET", "POST"])
def zabbix_hosts(http: HttpRequest) -> HttpResponse:
    """The unknown hosts first, then what the others are; with ``host`` in the address the form for that one."""
    user = person(http)
    check_can_map_hosts(user)
    form, status = form_to_choose(HostForm, http, _initial(http.GET.get("host", ""))), 200
    if is_sent(http):
        status = 400
        if form.is_valid():
            try:
                host = map_host(by=user, **form.cleaned_data)
            except PortalError as error:
                form.show(error)
            else:
                messages.success(
                    http, f"{host} is known now." if _stands_for_something(host) else f"{host} is unknown again."
                )
                return redirect("zabbix_hosts")
    known = ZabbixHost.objects.known().prefetch_related("resources", "applications__client")
    context = {
        "form": form,
        "unknown": ZabbixHost.objects.unknown().order_by("-seen_at", "host")[:UNKNOWN_SHOWN],
        "page": read_page(known, BY_NAME, http.GET),
    }
    return render(http, "restores/zabbix_hosts.html", context, status=status)


def _initial(host: str) -> dict[str, object]:
    found = ZabbixHost.objects.filter(host=host.replace("\0", "")[:128]).first() if host else None
    if found is None:
        return {"host": host}
    return {
        "host": found.host,
        "resources": list(found.resources.values_list("pk", flat=True)),
        "applications": list(found.applications.values_list("pk", flat=True)),
    }


def _stands_for_something(host: ZabbixHost) -> bool:
    return host.resources.exists() or host.applications.exists()
