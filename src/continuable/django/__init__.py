"""The Django app: tables of progress, the admin, and `manage.py continuable`.

Add `"continuable.django"` to `INSTALLED_APPS` and run `manage.py migrate`.
"""
