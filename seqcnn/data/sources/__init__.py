"""The sources of Datasets: one input kind a file."""
