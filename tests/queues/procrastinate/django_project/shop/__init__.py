"""A Django project whose jobs run on Procrastinate; tests copy it into a folder of their own."""
