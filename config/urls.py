"""Addresses: the API of each app under /api/v1/; where the settings want them its documentation, and the admin."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.decorators.http import require_safe
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from config import problems, views

documentation = [
    path("", views.index, name="index"),
    path("api/schema", require_safe(SpectacularAPIView.as_view()), name="schema"),
    path(
        "api/docs/",
        require_safe(SpectacularSwaggerView.as_view(url_name="schema", template_name="config/docs.html")),
        name="docs",
    ),
]
staff = [path("admin/", admin.site.urls), path("i18n/", include("django.conf.urls.i18n"))]

urlpatterns = [
    *(documentation if settings.PUBLIC_DOCS else ()),
    *(staff if settings.ADMIN_ENABLED else ()),
    path("api/v1/problems/<slug:code>", views.problem),
    path("api/v1/", include("fortunes.urls")),
    path("api/v1/", include("accounts.urls")),
    path("api/v1/", include("cards.urls")),
    path("api/v1/", include("redpackets.urls")),
    # Django's own page for what is not found is HTML while debugging.
    re_path("^api/", problems.not_found),
]

handler400 = "config.problems.bad_request"
handler404 = "config.problems.not_found"
handler500 = "config.problems.server_error"
