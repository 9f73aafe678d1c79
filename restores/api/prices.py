"""Prices over the API: what a restore would cost, the rate cards, and what is agreed with clients."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backups.drivers.base import Mode
from backups.models import Backup
from portal.api.inputs import Input, WithReason, one_of
from portal.api.outputs import NameField
from portal.api.views import Recorded, RecordedViewSet
from portal.entered import whole_number
from portal.errors import InvalidInput
from restores.actions.consenting import may_accept, price_words
from restores.actions.estimating import estimate_for
from restores.actions.parts import measured
from restores.actions.prices import let_off_limit_now, publish_card
from restores.api.amounts import AmountField
from restores.api.choices import CAUSES
from restores.api.inputs import PartKeys, backup_seen_by
from restores.api.serializers import EstimateOut
from restores.charging import Cause, classification_sentence, classify
from restores.models import Rate, RateCard
from restores.money_permissions import check_can_see_prices
from restores.part import Picked
from restores.permissions import check_can_file
from restores.pricing import Rate as RateFacts


class Quote(serializers.Serializer[Any]):
    """What a restore would cost if it were asked for now."""

    classification = serializers.CharField()
    sentence = serializers.CharField(help_text="What the cause means for the charge, in words.")
    estimate = EstimateOut(allow_null=True, help_text="Null where it is free, or no rate is set.")
    accepts = serializers.CharField(
        allow_blank=True, help_text="To be sent as accepts when filing, by a person who may accept it; else empty."
    )


class Asking(Input):
    """A restore of which the price is asked, perhaps of some files or tables alone."""

    backup = serializers.IntegerField(help_text="The backup's id.")
    cause = one_of(CAUSES, help_text="What made it necessary.")
    part = PartKeys()


class EstimateView(Recorded):
    """What a restore would cost."""

    @extend_schema(
        parameters=[
            OpenApiParameter("backup", int, required=True, description="The backup's id."),
            OpenApiParameter("cause", str, required=True, enum=[value for value, _ in CAUSES]),
        ],
        responses=Quote,
        summary="Estimate the price of a restore",
    )
    def get(self, request: Request) -> Response:
        """The price by the rate card in force, frozen into the request once it is filed."""
        backup = backup_seen_by(request.user, whole_number(request.query_params.get("backup", "")) or 0)
        check_can_file(request.user, backup.resource)
        if (entered := request.query_params.get("cause", "")) not in set(Cause):
            raise InvalidInput(f"Name the cause: one of {', '.join(Cause)}.", field="cause")
        return self._quote(backup, Cause(entered), None)

    @extend_schema(request=Asking, responses=Quote, summary="Estimate the price of a restore, or of a part")
    def post(self, request: Request) -> Response:
        """The same, and of a part by what was picked. Nothing is filed."""
        body = Asking(data=request.data)
        body.is_valid(raise_exception=True)
        entered = body.validated_data
        backup = backup_seen_by(request.user, entered["backup"])
        check_can_file(request.user, backup.resource)
        part = entered.get("part")
        picked = measured(backup, part, Mode.BESIDE) if part is not None else None
        return self._quote(backup, Cause(entered["cause"]), picked)

    def _quote(self, backup: Backup, cause: Cause, picked: Picked | None) -> Response:
        estimate = estimate_for(backup, cause, timezone.now(), picked)
        price = estimate.total if estimate else None
        accepts = price_words(price) if price and may_accept(self.person, backup.resource.client) else ""
        return Response(
            {
                "classification": classify(cause).value,
                "sentence": classification_sentence(cause, price),
                "estimate": estimate.as_json() if estimate else None,
                "accepts": accepts,
            }
        )


class RateOut(serializers.ModelSerializer[Rate]):
    """The prices of one kind; an empty kind stands for all that have no line of their own."""

    class Meta:
        model = Rate
        fields = ["kind", "flat", "per_gib", "per_hour", "usual_hours"]


class RateCardOut(serializers.ModelSerializer[RateCard]):
    """A rate card: it holds from its day on, until a later one of its currency takes over."""

    published_by = NameField()
    rates = RateOut(many=True)

    class Meta:
        model = RateCard
        fields = ["id", "currency", "valid_from", "let_off_limit", "published_at", "published_by", "reason", "rates"]


class RateIn(serializers.Serializer[Any]):
    """The prices of one kind."""

    kind = serializers.CharField(allow_blank=True, default="", max_length=20)
    flat = AmountField(max_digits=12, decimal_places=4, default=Decimal(0))
    per_gib = AmountField(max_digits=12, decimal_places=4, default=Decimal(0))
    per_hour = AmountField(max_digits=12, decimal_places=4, default=Decimal(0))
    usual_hours = AmountField(max_digits=6, decimal_places=2, default=Decimal(0))


class Publishing(WithReason):
    """A rate card to be published."""

    currency = serializers.CharField(max_length=3, help_text="ISO 4217, such as EUR.")
    valid_from = serializers.DateField(help_text="The company's day from which on it holds: today or later.")
    rates = RateIn(many=True)
    let_off_limit = AmountField(
        max_digits=12,
        decimal_places=2,
        required=False,
        allow_null=True,
        help_text="The most that an account manager lets a client off on one restore; null: all of it. Left out: as on the"
        " newest card of the currency.",
    )


@extend_schema_view(list=extend_schema(summary="Rate cards"), retrieve=extend_schema(summary="One rate card"))
class RateCardViews(mixins.ListModelMixin, mixins.RetrieveModelMixin, RecordedViewSet[RateCard]):
    """Rate cards."""

    queryset = RateCard.objects.none()
    serializer_class = RateCardOut

    def get_queryset(self) -> QuerySet[RateCard]:
        """All, for those who have to do with requests."""
        check_can_see_prices(self.request.user)
        return RateCard.objects.select_related("published_by").prefetch_related("rates")

    @extend_schema(request=Publishing, responses={201: RateCardOut}, summary="Publish a rate card (administrator)")
    def create(self, request: Request) -> Response:
        """Publish prices from a day on. One that holds is never changed."""
        body = Publishing(data=request.data)
        body.is_valid(raise_exception=True)
        entered = body.validated_data
        kinds = [rate["kind"] for rate in entered["rates"]]
        if len(set(kinds)) != len(kinds):
            raise InvalidInput("A kind has two lines. Send one for each.", field="rates")
        rates = {rate.pop("kind"): RateFacts(**rate) for rate in entered.pop("rates")}
        entered.setdefault("let_off_limit", let_off_limit_now(entered["currency"]))
        card = publish_card(by=self.person, rates=rates, **entered)
        return Response(RateCardOut(self.get_queryset().get(pk=card.pk)).data, status=201)
