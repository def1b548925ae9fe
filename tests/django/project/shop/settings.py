"""Its settings."""

import os
from urllib.parse import urlsplit

place = urlsplit(os.environ["SHOP_DATABASE"])

SECRET_KEY = "no secret"
USE_TZ = True
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "continuable.django",
    "shop",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
ROOT_URLCONF = "shop.urls"
STATIC_URL = "static/"
CONTINUABLE_APP = os.environ.get("SHOP_APP", "shop.jobs:app")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if place.scheme == "sqlite":
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": place.path[1:]}}
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": place.path[1:],
            "USER": place.username,
            "HOST": place.hostname,
            "PORT": place.port,
        }
    }
DATABASES["default"]["ATOMIC_REQUESTS"] = "SHOP_ATOMIC_REQUESTS" in os.environ
if "SHOP_JOBS" in os.environ:  # progress in a database of its own
    DATABASES["jobs"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": "jobs.db"}
