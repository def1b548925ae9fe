"""`manage.py continuable VERB ...`: the command line, on the app that the settings name."""

from __future__ import annotations

import os
from argparse import REMAINDER
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from continuable.cli import main
from continuable.cli.reading.targets import ENVIRONMENT


class Command(BaseCommand):
    """All verbs, and their own options and help."""

    help = "Run, watch and steer jobs: list, show, watch, worker, check, ..."

    def run_from_argv(self, argv: list[str]) -> None:
        """Hand everything behind the command's name on, `--help` too."""
        self._run(argv[2:])

    def add_arguments(self, parser: CommandParser) -> None:
        """Those of `call_command`."""
        parser.add_argument("words", nargs=REMAINDER)

    def handle(self, *_: Any, words: list[str], **__: Any) -> None:
        """Run a verb for `call_command`."""
        self._run(words)

    @staticmethod
    def _run(words: list[str]) -> None:
        if app := getattr(settings, ENVIRONMENT, None):
            os.environ.setdefault(ENVIRONMENT, app)
        main(words, "manage.py continuable")
