"""The addresses of `manage.py sandbox`: the vendors' fakes and nothing else."""

from __future__ import annotations

from django.urls import include, path

from apps.portal.api import problems

urlpatterns = [path("__sandbox/", include("apps.integrations.sandbox.urls"))]

handler404 = problems.not_found
handler500 = problems.server_error
handler400 = problems.bad_request
