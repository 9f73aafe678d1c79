"""Accounting's side of charges: months with their totals, trends by cause, and the exports."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django import forms
from django.contrib import messages
from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncMonth
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from moneyed import Money

from portal.errors import NotPermitted, PortalError
from portal.forms import SentenceForm
from portal.models import User
from portal.paging import Column, read_page
from portal.permissions import has_permission, has_permission_somewhere
from portal.roles import Permission
from portal.rules import refusal
from portal.words import company_zone
from restores.actions.exporting import export_charges, to_export
from restores.charging import Cause
from restores.ledger import as_csv
from restores.models import Charge, ChargeExport, ChargeStatus
from restores.money_permissions import check_can_export
from restores.monthchart import charts
from restores.months import Decided, by_cause, by_month
from restores.views.fetching import person
from restores.workbook import as_xlsx

NEWEST_FIRST = (Column("pk", descending=True),)
MONTHS_SHOWN = 24
_ZERO = Decimal(0)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ExportForm(SentenceForm):
    """Until which day is exported."""

    through = forms.DateField(
        label="Decided through",
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"required": "Choose the last day.", "invalid": "Enter a day, such as 2026-11-30."},
    )


@require_GET
def charge_months(http: HttpRequest) -> HttpResponse:
    """What was decided, month by month, per client and by cause."""
    user = person(http)
    _check_sees_charges(user)
    decisions = _decisions(user)
    today = timezone.now().astimezone(company_zone()).date()
    context = {
        "months": by_month(decisions)[:MONTHS_SHOWN],
        "charts": charts(decisions, today.replace(day=1)),
        "causes": by_cause(decisions),
    }
    return render(http, "restores/months.html", context)


def _check_sees_charges(user: User) -> None:
    if not has_permission_somewhere(user, Permission.VIEW_CHARGES):
        raise NotPermitted("Charges are for account managers, the client itself and auditors.")


def _decisions(user: User) -> list[Decided]:
    charged = Q(status__in=[ChargeStatus.CONFIRMED, ChargeStatus.ADJUSTED])
    rows = (
        Charge.objects.visible_to(user)
        .filter(decided_at__isnull=False)
        .annotate(month=TruncMonth("decided_at", tzinfo=company_zone()))
        .values_list("month", "client__name", "currency", "request__cause")
        .annotate(
            restores=Count("pk"),
            all_charged=Sum("amount", filter=charged),
            all_accepted=Sum("estimated", filter=~Q(status=ChargeStatus.VOID)),
        )
        .order_by("month", "client__name", "currency", "request__cause")
    )
    return [
        Decided(
            month.date(),
            client,
            currency,
            Cause(cause).label,
            restores,
            paid or _ZERO,
            max((accepted or _ZERO) - (paid or _ZERO), _ZERO),
        )
        for month, client, currency, cause, restores, paid, accepted in rows
    ]


@require_GET
def charge_exports(http: HttpRequest) -> HttpResponse:
    """The exports, newest first, and what the next one would hold."""
    user = person(http)
    return _show_exports(http, user, ExportForm(initial={"through": _today()}))


def _show_exports(http: HttpRequest, user: User, form: ExportForm, status: int = 200) -> HttpResponse:
    may_not = refusal(check_can_export, user)
    if may_not and not has_permission(user, Permission.VIEW_CHARGES, None):
        raise NotPermitted(may_not)
    waiting = to_export(user).values("currency").annotate(number=Count("pk"), total=Sum("amount")).order_by("currency")
    context = {
        "page": read_page(ChargeExport.objects.visible_to(user).select_related("created_by"), NEWEST_FIRST, http.GET),
        "waiting": [(row["number"], Money(row["total"], row["currency"])) for row in waiting] if not may_not else [],
        "may_not": may_not,
        "form": form,
    }
    return render(http, "restores/exports.html", context, status=status)


@require_POST
def charge_export_new(http: HttpRequest) -> HttpResponse:
    """Export what was charged and not exported yet."""
    user, form, status = person(http), ExportForm(http.POST), 400
    check_can_export(user)
    if form.is_valid():
        try:
            made = export_charges(by=user, through=form.cleaned_data["through"])
            messages.success(http, f"{made.number} holds {made.count} charges. It can be fetched again at any time.")
            return redirect("charge_exports")
        except PortalError as error:
            form.show(error)
            status = error.status
    return _show_exports(http, user, form, status)


@require_GET
def charge_export(http: HttpRequest, pk: int, form: str) -> HttpResponse:
    """One export as a file: the same bytes each time."""
    found = get_object_or_404(ChargeExport.objects.visible_to(person(http)), pk=pk)
    if form == "csv":
        answer = HttpResponse(as_csv(found.rows), content_type="text/csv; charset=utf-8")
    else:
        answer = HttpResponse(as_xlsx(found.number, found.created_at, found.rows), content_type=XLSX)
    answer["Content-Disposition"] = f'attachment; filename="{found.number}.{form}"'
    return answer


def _today() -> date:
    return timezone.now().astimezone(company_zone()).date()
