"""The four steps, the same for every engine. Plain Python: an engine's script wraps them and runs them durably."""

import json
import subprocess
import sys
from pathlib import Path

DOCUMENT, ANSWER = sys.argv[1:3]


def list_documents() -> list[dict[str, str]]:
    """Step 1: the project's documents with their titles."""
    paths = sorted(Path("docs").rglob("*.md"))
    return [{"path": path.as_posix(), "title": title(path)} for path in paths]


def title(path: Path) -> str:
    with path.open(encoding="utf-8") as lines:
        return lines.readline().removeprefix("# ").rstrip("\n")


def run_echo() -> dict:
    """Step 2: a process that prints a JSON object."""
    command = ["/bin/echo", ANSWER]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def write_answer(answer: dict) -> str:
    """Step 3: the object as a file."""
    path = Path("answer.json")
    path.write_text(json.dumps(answer, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return str(path)


def edit_document() -> str:
    """Step 4: another value in one line of a document."""
    path = Path(DOCUMENT)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("**Status:** Draft\n", "**Status:** Reviewed\n", 1), encoding="utf-8")
    return str(path)


def report(documents: list[dict[str, str]], seconds: float) -> None:
    """Tells the bench what was listed, and how long the workflow took without imports and start-up."""
    print(json.dumps({"documents": documents, "seconds": seconds}), flush=True)
