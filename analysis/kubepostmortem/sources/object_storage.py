"""Objects in S3, Google Cloud Storage and Azure Blob Storage, and in whatever speaks S3."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from kubepostmortem.errors import NoUsableInput
from kubepostmortem.sources import storage_access
from kubepostmortem.sources.remote_file import (
    NO_ACCESS,
    PIECE,
    RemoteFile,
    public_name,
    refusal,
)

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import ObjectStore

ADDRESS = re.compile(r"(?P<root>(?P<scheme>\w+)://(?P<bucket>[^/]+))(?:/(?P<key>.*))?", re.DOTALL)
LOGIN = re.compile(r"^(s3a?|gs)://.*@|://.*:", re.IGNORECASE)  # abfs://container@account has none
STATUS = re.compile(r"status code: (\d{3})")
CODE = re.compile(r"<Code>(\w{1,60})</Code>")
OTHER_REGION = re.compile(r"PermanentRedirect|AuthorizationHeaderMalformed|configured region")
UNTRUSTED = "its certificate is not trusted; SSL_CERT_FILE may name the file of another authority"
UNSPEAKABLE = "a key there has `.`, `..` or nothing between two slashes, which no client can name"
IN_URL = "credentials belong in environment variables, not in a URL"


def files_under(given: str) -> list[RemoteFile]:
    """List the object of this name and those under it as a prefix. Raises NoUsableInput."""
    root, key = _parts(given)
    try:
        store = storage_access.bucket(root)
        found = _named(store, key) if key and not given.endswith("/") else []
        found += _below(store, key, needed=not found)
    except Exception as failed:
        raise _refused(given, failed) from None
    if not found:
        raise NoUsableInput(f"not found: {public_name(given)}; a prefix ends at a slash")
    return [_remote(root, file) for file in found]


def pieces(remote: RemoteFile) -> Iterator[bytes]:
    """Yield the content of an object. Raises NoUsableInput."""
    root, key = _parts(remote.address)
    try:
        for piece in storage_access.bucket(root).get(key).stream(PIECE):
            yield bytes(piece)
    except Exception as failed:
        raise _refused(remote.address, failed) from None


def _parts(address: str) -> tuple[str, str]:
    """Split an address into what names the bucket, and the key, which may hold any sign."""
    parts = ADDRESS.fullmatch(address)
    if parts is None:
        raise NoUsableInput(f"names no bucket: {public_name(address)}")
    if LOGIN.search(parts["root"]):
        raise NoUsableInput(IN_URL)
    return f"{parts['scheme'].lower()}://{parts['bucket']}", (parts["key"] or "").strip("/")


def _remote(root: str, file: ObjectMeta) -> RemoteFile:
    address = f"{root}/{file['path']}"
    modified = int(file["last_modified"].timestamp()) * 1_000_000_000
    return RemoteFile(public_name(address), file["size"], modified, address)


def _named(store: ObjectStore, key: str) -> list[ObjectMeta]:
    """Return the object of this name; none where it may not be read: listing it decides."""
    try:
        return [store.head(key)]
    except FileNotFoundError:
        return []
    except Exception as failed:
        if _forbidden(failed):
            return []
        raise


def _below(store: ObjectStore, key: str, *, needed: bool) -> list[ObjectMeta]:
    """List what is under a prefix; who may read one object may often list nothing."""
    try:
        return [file for piece in store.list(key or None) for file in piece]
    except Exception as failed:
        if _forbidden(failed) and not needed:
            return []
        raise


def _forbidden(failed: Exception) -> bool:
    status = STATUS.search(str(failed))
    return status is not None and int(status[1]) in NO_ACCESS


def _refused(address: str, failed: Exception) -> NoUsableInput:
    """Say why; of the client's long text only what tells, since it may hold a signed URL."""
    name, text = public_name(address), str(failed)
    status, code = STATUS.search(text), CODE.search(text)
    if status:
        return refusal(name, int(status[1]), code[1] if code else "", _hint(address, text))
    if "parse path" in text or "parsing Path" in text or "empty path segment" in text:
        return NoUsableInput(f"cannot read {name}: {UNSPEAKABLE}")
    return refusal(name, None, _unreached(text))


def _hint(address: str, text: str) -> str:
    if OTHER_REGION.search(text):
        return "set AWS_REGION to the region of the bucket"
    return storage_access.lacking(address)


def _unreached(text: str) -> str:
    if "InvalidCertificate" in text:
        return UNTRUSTED
    if OTHER_REGION.search(text):
        return "set AWS_REGION to the region of the bucket"
    if "error sending request" in text:
        return "no answer"
    return re.sub(r"\?\S*", "", text.partition("\n")[0])[:300]
