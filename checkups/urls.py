"""Addresses of what is taken along of checkups."""

from __future__ import annotations

from django.urls import URLPattern, path

from checkups.views import exports

urlpatterns: list[URLPattern] = [
    path("checkups/<int:pk>/record.pdf", exports.pdf, name="checkup-pdf"),
    path("checkups/<int:pk>/record.json", exports.json, name="checkup-json"),
    path("checkups/<int:pk>/record.csv", exports.csv, name="checkup-csv"),
]
