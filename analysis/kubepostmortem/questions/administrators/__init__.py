"""Administrators in an overload: how they fared, who was exempt, what they had left."""
