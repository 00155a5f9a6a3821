"""The Model, its file, its training record, its card and its evaluation."""
