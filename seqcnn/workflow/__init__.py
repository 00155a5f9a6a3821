"""One verb a file: nouns and options in, nouns out."""
