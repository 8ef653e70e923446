"""Access to buckets: credentials, region and endpoint, as the clouds' own tools take them.

They come from environment variables (AWS_*, GOOGLE_*, AZURE_*). Without credentials, objects are
asked for anonymously; the address of a machine's own role is never asked unless told to.
"""

from __future__ import annotations

import os
import re
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubepostmortem.sources.remote_file import CONNECT_SECONDS, SILENCE_SECONDS

if TYPE_CHECKING:
    from obstore.store import ObjectStore

CLOUDS = {"s3": "AWS", "s3a": "AWS", "gs": "GOOGLE"}  # all others are Azure
CREDENTIALS = {
    "AWS": re.compile(r"AWS_(ACCESS_KEY_ID|WEB_IDENTITY_TOKEN_FILE|CONTAINER_CRED.*|SKIP_SIG.*)"),
    "GOOGLE": re.compile(r"GOOGLE_(SERVICE_ACCOUNT.*|APPLICATION_CREDENTIALS|SKIP_SIG.*)"),
    "AZURE": re.compile(
        r"AZURE_(.*KEY|.*SAS.*|.*TOKEN.*|CLIENT_.*|MSI.*|USE_AZURE_CLI|SKIP_SIG.*)"
    ),
}
GCLOUD_LOGIN = Path(".config/gcloud/application_default_credentials.json")
HINTS = {
    "AWS": 'set AWS_ACCESS_KEY_ID and the like: eval "$(aws configure export-credentials '
    '--format env)"; for the role of an EC2 instance, AWS_SKIP_SIGNATURE=false',
    "GOOGLE": "log in with `gcloud auth application-default login`",
    "AZURE": "set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or log in with "
    "`az login` and set AZURE_USE_AZURE_CLI=true",
}
TRIES: Any = {"max_retries": 4, "retry_timeout": timedelta(minutes=2)}


def bucket(root: str) -> ObjectStore:
    """Open a bucket like s3://name; once, however many of its objects are read."""
    cloud = _cloud(root)
    settings = {name: text for name, text in os.environ.items() if name.startswith(f"{cloud}_")}
    return _opened(root, cloud, frozenset(settings.items()))


@lru_cache(maxsize=8)
def _opened(root: str, cloud: str, settings: frozenset[tuple[str, str]]) -> ObjectStore:
    from obstore.store import from_url

    given = dict(settings)
    endpoint = given.get("AWS_ENDPOINT_URL_S3") or given.get("AWS_ENDPOINT_URL") or ""
    client: Any = {
        "allow_http": endpoint.lower().startswith("http://"),
        "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
        "read_timeout": timedelta(seconds=SILENCE_SECONDS),
        "timeout": timedelta(days=1),  # of a whole download: silence ends it much earlier
    }
    options: Any = {"skip_signature": True} if _anonymous(cloud) else {}
    store: ObjectStore = from_url(root, client_options=client, retry_config=TRIES, **options)
    return store


def _anonymous(cloud: str) -> bool:
    if cloud == "GOOGLE" and (Path.home() / GCLOUD_LOGIN).exists():
        return False
    return not any(CREDENTIALS[cloud].fullmatch(name) for name, text in os.environ.items() if text)


def lacking(address: str) -> str:
    """Say how to give credentials, if this address is asked without any; else nothing."""
    cloud = _cloud(address)
    return f"asked without credentials: {HINTS[cloud]}" if _anonymous(cloud) else ""


def _cloud(address: str) -> str:
    return CLOUDS.get(address.partition(":")[0].lower(), "AZURE")
