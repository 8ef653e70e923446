"""Pseudonyms: the same for the same text and key, and without the key nothing leads back."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from hashlib import blake2b

from kubepostmortem.redaction.vocabulary import is_public, is_public_namespace, is_public_user

# What Kubernetes makes suffixes of names from, and so what the macro workload_of_pod looks for.
LETTERS = "bcdfghjklmnpqrstvwxz2456789"
POD = re.compile(
    rf"(?P<owner>.+?)(?P<hash>-[{LETTERS}]{{6,10}})?(?P<suffix>-[{LETTERS}]{{5}})"
    r"|(?P<set>.+)(?P<nth>-[0-9]+)",
    re.DOTALL,
)
LONGEST = 16  # two halves of as many letters as a digest has bytes
ROUNDS = 4  # a Feistel network of so many rounds is a permutation that looks random
ACCOUNT, NODE, ACCOUNTS = "system:serviceaccount:", "system:node:", "system:serviceaccounts:"
BOOTSTRAP = "system:bootstrap:"


@dataclass(frozen=True)
class Pseudonyms:
    """Pseudonyms under one key of 32 bytes."""

    key: bytes = field(repr=False)

    def tag(self, kind: str, text: str) -> str:
        """Return the pseudonym of a text of this kind, like node-x3fa9c21b07.

        The x keeps the digits from being taken for a suffix of a pod's name.
        """
        return f"{kind}-x{self._digest(kind, text).hex()[:10]}"

    def name(self, text: str) -> str:
        """Pseudonym of the name of an object, workload or service account; public names stay."""
        return text if is_public(text) else self.tag("name", text)

    def namespace(self, text: str) -> str:
        """Pseudonym of a namespace; those of Kubernetes stay."""
        return text if is_public_namespace(text) else self.tag("ns", text)

    def node(self, text: str) -> str:
        """Pseudonym of a node."""
        return self.tag("node", text)

    def pod(self, text: str) -> str:
        """Pseudonym of a pod; it shows owner, template and ordinal as the name of a pod does."""
        found = POD.fullmatch(text)
        if found is None:
            return self.name(text)
        if found["nth"]:
            return self.name(found["set"]) + found["nth"]
        parts = filter(None, (found["hash"], found["suffix"]))
        return self.name(found["owner"]) + "".join(f"-{self.letters(part[1:])}" for part in parts)

    def letters(self, text: str) -> str:
        """Replace a random suffix by another of the same length, and no two by the same."""
        if len(text) > LONGEST or set(text) - set(LETTERS):
            return self.tag("name", text)
        left, right = text[: len(text) // 2], text[len(text) // 2 :]
        for _ in range(ROUNDS):
            left, right = right, self._shifted(left, right)
        return left + right

    def user(self, text: str) -> str:
        """Pseudonym of a user; system identities stay, but for the names that they hold."""
        if text.startswith(ACCOUNT):
            namespace, _, name = text.removeprefix(ACCOUNT).partition(":")
            return f"{ACCOUNT}{self.namespace(namespace)}:{self.name(name)}"
        if text.startswith(NODE):
            return NODE + self.node(text.removeprefix(NODE))
        if text.startswith(BOOTSTRAP):
            return BOOTSTRAP + self.tag("token", text)
        return text if _stays(text) else self.tag("user", text)

    def actor(self, text: str) -> str:
        """Pseudonym of who did something, where that is no public program."""
        return text if is_public(text) else self.user(text)

    def group(self, text: str) -> str:
        """Pseudonym of a group; system groups stay, but for the namespaces that they hold."""
        if text.startswith(ACCOUNTS):
            return ACCOUNTS + self.namespace(text.removeprefix(ACCOUNTS))
        return text if _stays(text) else self.tag("group", text)

    def ip(self, text: str) -> str:
        """Pseudonym of an address, itself an address of fd00::/8; loopback stays."""
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return self.tag("ip", text)
        if address.is_loopback or address.is_unspecified:
            return text
        return str(ipaddress.IPv6Address(b"\xfd" + bytes(7) + self._digest("ip", str(address))))

    def _digest(self, kind: str, text: str) -> bytes:
        data = text.encode("utf-8", errors="surrogatepass")
        return blake2b(data, key=self.key, person=kind.encode(), digest_size=8).digest()

    def _shifted(self, text: str, by: str) -> str:
        steps = self._digest("letters", by)
        moved = (LETTERS.index(letter) + steps[i] for i, letter in enumerate(text))
        return "".join(LETTERS[place % len(LETTERS)] for place in moved)


def _stays(identity: str) -> bool:
    return re.fullmatch(r"system:[a-z:-]+", identity) is not None or is_public_user(identity)
