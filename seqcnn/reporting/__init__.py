"""The report: one self-contained HTML page, one section a file."""
