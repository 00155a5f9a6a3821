"""File formats: one family a file, as iterators of records; outputs that appear whole or not at all."""
