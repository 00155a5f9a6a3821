"""Datasets: raw records with targets, where they come from, and how they are split and augmented."""
