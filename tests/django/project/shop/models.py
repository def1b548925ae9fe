"""Its tables."""

from django.db import models


class Order(models.Model):
    """What jobs import."""

    number = models.IntegerField()

    def __str__(self):
        return str(self.number)
