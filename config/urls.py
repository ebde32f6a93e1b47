"""Addresses: the API of each app under /api/v1/; where the settings want them its documentation, and the admin."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from config import problems, views
from config.page import views as page

documentation = [
    path("", views.index, name="index"),
    path("api/schema", require_safe(SpectacularAPIView.as_view()), name="schema"),
    path(
        "api/docs/",
        require_safe(SpectacularSwaggerView.as_view(url_name="schema", template_name="config/docs.html")),
        name="docs",
    ),
]
players = [
    path("", page.page, name="page"),
    *([path("page/demo-code", page.demo_code, name="demo-code")] if settings.DEMO_SIGN_IN else ()),
]
staff = [path("admin/", admin.site.urls), path("i18n/", include("django.conf.urls.i18n"))]

urlpatterns = [
    *(players if settings.PAGE_ENABLED else ()),
    *(documentation if settings.PUBLIC_DOCS else ()),
    *(staff if settings.ADMIN_ENABLED else ()),
    path("api/v1/problems/<slug:code>", views.problem),
    path("api/v1/", include("fortunes.urls")),
    path("api/v1/", include("accounts.urls")),
    path("api/v1/", include("cards.urls")),
    path("api/v1/", include("redpackets.urls")),
    # Django's own answers are HTML: for what it does not find while debugging, and for a POST without a CSRF token.
    re_path("^api/", csrf_exempt(problems.not_found)),
]

handler400 = "config.problems.bad_request"
handler404 = "config.problems.not_found"
handler500 = "config.problems.server_error"
