"""Drawings of nouns and arrays: each takes ``ax`` and returns ``ax``."""
