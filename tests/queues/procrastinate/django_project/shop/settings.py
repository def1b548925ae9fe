"""Its settings."""

import os

from psycopg.conninfo import conninfo_to_dict

place = conninfo_to_dict(os.environ["SHOP_DATABASE"])

SECRET_KEY = "no secret"
USE_TZ = True
INSTALLED_APPS = [
    "procrastinate.contrib.django",
    "continuable.django",
    "shop",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": place["dbname"],
        "HOST": place["host"],
        "PORT": place["port"],
        "USER": place["user"],
        "CONN_MAX_AGE": 600,
    }
}
PROCRASTINATE_IMPORT_PATHS = ["shop.late"]

if without := os.environ.get("SHOP_WITHOUT"):
    INSTALLED_APPS.remove(without)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s:%(name)s:%(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
