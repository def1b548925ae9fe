"""Its settings."""

import os
from urllib.parse import urlsplit

place = urlsplit(os.environ["SHOP_DATABASE"])

SECRET_KEY = "no secret"
USE_TZ = True
INSTALLED_APPS = ["continuable.django", "shop"]
CONTINUABLE_APP = "shop.jobs:app"
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
