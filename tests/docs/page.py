"""Runs one page of the documentation, as a reader would who types in every block in turn.

``python page.py PAGE.md RESULTS.jsonl`` runs in the current folder and appends a line of JSON to
the results after each block: its line in the page, and what went wrong, if anything.
"""

import ast
import asyncio
import atexit
import doctest
import importlib
import inspect
import json
import os
import re
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>```+)(?P<info>.*)$")
FILE = re.compile(r"^ *<!-- file: (?P<name>\S+) -->$")
COMMAND = re.compile(r"^\$ (?P<command>(\w+=\S+ )*(continuable|python)\b.*)$")
SECONDS_PER_COMMAND = 60


@dataclass(frozen=True)
class Block:
    """A fenced block: the line of its opening fence, its language, and what is in it."""

    line: int
    language: str
    text: str
    file: str | None

    @property
    def runs(self) -> bool:
        if self.file or self.language == "python":
            return True
        return self.language in {"console", "sh"} and any(self.commands())

    def commands(self) -> Iterator[tuple[str, str]]:
        """Each command of ours, with the output that the page shows for it."""
        for entry in re.split(r"^(?=\$ )", self.text.replace("\\\n", " "), flags=re.MULTILINE):
            command, _, output = entry.partition("\n")
            if ours := COMMAND.match(command):
                yield ours["command"], output.strip()


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page that are to be run, those inside HTML comments included."""
    lines = enumerate(page.read_text(encoding="utf-8").splitlines(), start=1)
    file = None
    for number, line in lines:
        if named := FILE.match(line):
            file = named["name"]
        elif fence := FENCE.match(line):
            block = Block(number, language(fence["info"]), text_until(fence, lines), file)
            file = None
            if block.runs:
                yield block
        elif line.strip():
            file = None


def language(info: str) -> str:
    return (info.split() or [""])[0]


def text_until(fence: re.Match[str], lines: Iterator[tuple[int, str]]) -> str:
    text = []
    for _, line in lines:
        if line.strip() == fence["ticks"]:
            break
        text.append(line.removeprefix(fence["indent"]) + "\n")
    return "".join(text)


class Reader:
    """Someone with an empty folder, an open Python session and a terminal."""

    def __init__(self, page: Path) -> None:
        self.page = page
        self.namespace: dict[str, object] = {"__name__": "__main__"}

    def follow(self, block: Block) -> None:
        if block.file:
            self.write(block.file, block.text)
        elif block.language == "python":
            self.execute(block)
        else:
            for command, output in block.commands():
                self.type(command, output)

    def write(self, name: str, text: str) -> None:
        """Save the file; the names of a Python file are at hand afterwards."""
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        if path.suffix == ".py":
            module = ".".join(path.with_suffix("").parts)
            sys.modules.pop(module, None)
            importlib.invalidate_caches()
            names = vars(importlib.import_module(module))
            self.namespace |= {n: value for n, value in names.items() if not n.startswith("__")}

    def execute(self, block: Block) -> None:
        """Run the block; in a traceback, its lines are those of the page."""
        source = "\n" * block.line + block.text
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        code = compile(source, str(self.page), "exec", flags, dont_inherit=True)
        outcome = eval(code, self.namespace)
        if inspect.iscoroutine(outcome):
            asyncio.run(outcome)

    def type(self, command: str, output: str) -> None:
        with subprocess.Popen(
            command,
            shell=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as shell:
            try:
                printed, _ = shell.communicate(timeout=SECONDS_PER_COMMAND)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(shell.pid, signal.SIGKILL)  # and whatever it has started
        assert shell.returncode == 0, f"$ {command}\n{printed}\nexit code {shell.returncode}"
        options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        alike = doctest.OutputChecker().check_output(output, printed.strip(), options)
        assert not output or alike, f"$ {command}\nexpected:\n{output}\ngot:\n{printed}"


def main(page: Path, results: Path) -> None:
    sys.path[0] = str(Path.cwd())
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    reader = Reader(page)
    for block in blocks(page):
        try:
            reader.follow(block)
        except BaseException:  # an Interrupt, a SystemExit: whatever it is, the page did not run
            error = traceback.format_exc()
        else:
            error = None
        with results.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"line": block.line, "error": error}) + "\n")
        if error:
            break
    atexit._run_exitfuncs()  # which end the servers and workers of the page
    sys.stdout.flush()
    os._exit(0)  # without waiting for a worker thread that the page has started


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
