"""`DjangoProgress`: a store in a database of a Django project.

Add `"continuable.progress.django"` to `INSTALLED_APPS` and run `manage.py migrate`.
"""

from continuable.progress.django.store import DjangoProgress

__all__ = ["DjangoProgress"]
