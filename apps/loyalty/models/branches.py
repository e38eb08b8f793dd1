"""The restaurants (contract loyalty 2): their ids are the stores of the menu system."""

from __future__ import annotations

from django.db import models


class Branch(models.IntegerChoices):
    """Only these ids are accepted from clients; rows may hold others and are shown as they are."""

    GEOFIZIKA = 139235, "Sardoba Geofizika"
    GIJDUVON = 157757, "Sardoba Gijduvon"
    SEVERNIY = 139350, "Sardoba Severniy"
    MK5 = 139458, "Sardoba 5MK"
