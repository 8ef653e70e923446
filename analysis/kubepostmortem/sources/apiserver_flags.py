"""Settings of an API server: its command line, as text, as JSON or in the manifest of its pod."""

from __future__ import annotations

import re
import shlex
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Any

from kubepostmortem.sources.content import BLANK, Unusable, content, dig, listed
from kubepostmortem.sources.documents import Contents, load_documents
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.json_content import compact, documents
from kubepostmortem.sources.source import Numbered, Reading, Rejection, Target

name = "API server flags"
describes = "Command line of kube-apiserver: as text, as JSON {args, policy}, or its pod as JSON"

PROGRAM = "kube-apiserver"
POLICY = "audit-policy"
WITHHELD = "(withheld)"

COMMENTS = re.compile(r"(?:\s|#[^\n]*(?:\n|$))*")
COMMAND = re.compile(rf"[^\n{{}}\[\]<>]*{PROGRAM}[\s\0\\]+--?\w")
FLAG = re.compile(r"--?\w")  # a line --- begins YAML
OWN_FLAG = re.compile(
    r"--(etcd-servers|max-(mutating-)?requests-inflight|enable-priority-and-fairness)\b"
)
POD = re.compile(r'"kind"\s*:\s*"Pod"')
POD_COMMAND = re.compile(rf'{PROGRAM}"\s*,\s*"-')
SECRET = re.compile(r"(password|secret|token)$")
URL_LOGIN = re.compile(r"(?<=://)[^/@\s,]+(?=@)")


def recognises(file: InputFile) -> bool:
    """Arguments or a pod that run kube-apiserver; a text that begins with its command or flags."""
    keys, text = file.document_keys, file.text.lstrip(BLANK)
    if "args" in keys:
        return bool(POD_COMMAND.search(text) or OWN_FLAG.search(text))
    if {"apiVersion", "kind"} <= keys and "items" not in keys:
        return bool(POD.search(text) and POD_COMMAND.search(text))
    return text[:1] not in ("{", "[") and _begins_command(text)


def _begins_command(text: str) -> bool:
    comments = COMMENTS.match(text)
    start = comments.end() if comments else 0
    flags = FLAG.match(text, start) and OWN_FLAG.search(text, start)
    return bool(flags or COMMAND.match(text, start))


def load(batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Add the settings that are new or have changed."""
    return load_documents(read, batch, target)


def read(file: InputFile, target: Target) -> Contents:
    """Read one row of apiserver_config per flag; values of a repeated flag are joined by commas."""
    contents = Contents()
    damaged = _read_json(file, contents) if _is_json(file) else _read_text(file, contents)
    contents.records += len(damaged)
    contents.rejections += damaged
    return contents


def settings(arguments: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Return the value of each flag after the program's name, and the words that belong to none.

    A flag without a value is true. Secrets are withheld.
    """
    words, stray = deque(_after_program(list(arguments))), []
    values: dict[str, list[str]] = {}
    while words:
        word = words.popleft()
        flag, equals, value = word.lstrip("-").partition("=")
        if not word.startswith("-") or not flag:
            stray.append(word)
            continue
        if not equals:
            value = words.popleft() if words and not words[0].startswith("-") else "true"
        values.setdefault(flag, []).append(_presentable(flag, value))
    return {flag: ",".join(given) for flag, given in values.items()}, stray


def settings_of_pod(pod: Any) -> dict[str, str]:
    """Return the flags of the pod's container that runs kube-apiserver; {} where none does."""
    for container in listed(dig(pod, "spec", "containers")):
        words = [*_words(dig(container, "command")), *_words(dig(container, "args"))]
        if any(map(_is_program, words)):
            return settings(words)[0]
    return {}


def _is_json(file: InputFile) -> bool:
    return file.text.lstrip(BLANK)[:1] in ("{", "[")


def _read_json(file: InputFile, contents: Contents) -> list[Rejection]:
    found, damaged = documents(file)
    for document in found:
        if dig(document, "kind") == "Pod":
            _add(contents, str(dig(document, "metadata", "name") or ""), settings_of_pod(document))
        else:
            damaged += _add_arguments(contents, _words(dig(document, "args")))
            damaged += _add_policy(contents, dig(document, "policy"))
    return damaged


def _read_text(file: InputFile, contents: Contents) -> list[Rejection]:
    data, broken = content(file)
    text = data.decode("utf-8", errors="replace").lstrip("\ufeff").replace("\0", "\n")
    lines = text.replace("\\\r\n", " ").replace("\\\n", " ").splitlines()
    words = [word for line in lines if not line.lstrip().startswith("#") for word in _split(line)]
    lost = [Rejection(broken, b"", None, len(data))] if broken else []
    return _add_arguments(contents, words) + lost


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()


def _add_arguments(contents: Contents, words: Iterable[str]) -> list[Rejection]:
    found, stray = settings(words)
    _add(contents, "", found)
    return [Rejection("not a flag", word.encode()) for word in stray]


def _add(contents: Contents, apiserver: str, found: dict[str, str]) -> None:
    for setting, value in found.items():
        contents.records += 1
        contents.add("apiserver_config", apiserver=apiserver, setting=setting, value=value)


def _add_policy(contents: Contents, policy: Any) -> list[Rejection]:
    """Add the audit policy, a text or an object."""
    try:
        text = policy if isinstance(policy, str) else compact(policy)
    except Unusable as why:
        return [Rejection(str(why), POLICY.encode())]
    _add(contents, "", {POLICY: text} if policy else {})
    return []


def _words(value: Any) -> list[str]:
    return _split(value) if isinstance(value, str) else [str(word) for word in listed(value)]


def _after_program(words: list[str]) -> list[str]:
    at = next((i for i, word in enumerate(words) if _is_program(word)), -1)
    return words[at + 1 :]


def _is_program(word: str) -> bool:
    return PurePosixPath(word).name == PROGRAM


def _presentable(flag: str, value: str) -> str:
    return WITHHELD if SECRET.search(flag) else URL_LOGIN.sub(WITHHELD, value)
