"""Redaction: evidence under pseudonyms, so that an incident can be shown to others."""

from __future__ import annotations

from kubepostmortem.redaction.redaction import Redaction

__all__ = ["Redaction"]
