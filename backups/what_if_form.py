"""What the what-if page is asked: numbers, a day to come, days without a backup."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.utils.dateparse import parse_date

from backups.slots import POLICY, Numbers
from backups.what_if import Play
from portal.days import months_later
from portal.words import company_zone

MOST = Numbers(daily=366, monthly=120, elsewhere=2)
LONGEST_MONTHS = 24
MOST_DAYS = 100  # named one by one
SEPARATORS = re.compile(r"[\s,;]+")


def _number(label: str, most: int, help_text: str, least: int = 1) -> forms.IntegerField:
    few = "At least one has to be kept" if least else "Enter 0 or more"
    return forms.IntegerField(
        label=label,
        min_value=least,
        max_value=most,
        help_text=help_text,
        error_messages={
            "required": f"Enter a whole number from {least} to {most}.",
            "invalid": f"Enter a whole number from {least} to {most}.",
            "min_value": f"{few}: enter a whole number from {least} to {most}.",
            "max_value": f"That is more than can be played with: enter a whole number from {least} to {most}.",
        },
    )


class WhatIfForm(forms.Form):
    """Everything is in the address; what is not there is as the policy has it, today."""

    daily = _number("Daily", MOST.daily, f"The policy says {POLICY.daily}.")
    monthly = _number("Monthly", MOST.monthly, f"The policy says {POLICY.monthly}.")
    elsewhere = _number("In the other region", MOST.elsewhere, f"The policy says {POLICY.elsewhere}.")
    until = forms.DateField(
        label="As of the end of",
        help_text="Today shows the plan as it is now.",
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={
            "required": "Enter a day as year, month and day, such as 2026-12-31.",
            "invalid": "Enter a day as year, month and day, such as 2026-12-31.",
        },
    )
    missing = _number("Next days without", LONGEST_MONTHS * 31, "How many, from today on.", least=0)
    days = forms.CharField(
        label="Other days without",
        required=False,
        max_length=2000,
        help_text="Such as 2026-12-24, 2026-12-25.",
        error_messages={"max_length": f"Name at most {MOST_DAYS} days."},
    )

    def __init__(self, address: Mapping[str, str], now: datetime) -> None:
        self.now = now
        self.today = now.astimezone(company_zone()).date()
        usual: dict[str, Any] = {**POLICY._asdict(), "until": self.today.isoformat(), "missing": 0, "days": ""}
        data = {name: address.get(name, value) for name, value in usual.items()}
        super().__init__(data)
        self.is_asked = any(str(data[name]) != str(value) for name, value in usual.items())

    def clean_until(self) -> date:
        """A day from today to two years from now."""
        until: date = self.cleaned_data["until"]
        last = months_later(self.today, LONGEST_MONTHS)
        if until < self.today:
            raise forms.ValidationError(f"{until} is over. Enter today or a day to come.")
        if until > last:
            raise forms.ValidationError(f"That is too far ahead to say. Enter a day up to {last}.")
        return until

    def clean_days(self) -> frozenset[date]:
        """Days from today on."""
        words = [word for word in SEPARATORS.split(self.cleaned_data["days"]) if word]
        if len(words) > MOST_DAYS:
            raise forms.ValidationError(f"Name at most {MOST_DAYS} days.")
        return frozenset(self._day(word) for word in words)

    def _day(self, word: str) -> date:
        try:
            day = parse_date(word)
        except ValueError:
            day = None
        if day is None:
            raise forms.ValidationError(
                f"“{word[:20]}” is no day. Enter each as year, month and day, such as 2026-12-24, with commas between."
            )
        if day < self.today:
            raise forms.ValidationError(f"{day} is over: what was taken then is there. Name days from today on.")
        return day

    def clean(self) -> dict[str, Any]:
        """A day is missed only if it is looked at."""
        data: dict[str, Any] = super().clean() or {}
        until, days = data.get("until"), data.get("days") or ()
        beyond = sorted(day for day in days if until is not None and day > until)
        if beyond:
            self.add_error("days", f"{beyond[0]} is after {until}. Take it out, or look at a later day.")
        return data

    def play(self) -> Play:
        """What is played with, once valid."""
        data = self.cleaned_data
        missed = {self.today + timedelta(days=number) for number in range(data["missing"])} | data["days"]
        numbers = Numbers(data["daily"], data["monthly"], data["elsewhere"])
        return Play(self.now, company_zone(), data["until"], numbers, frozenset(missed))
