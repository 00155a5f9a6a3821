"""Relatives among records: near-duplicates and homologs, found by seeds and verified by alignment."""

from seqcnn.data.relatives.pairs import Pairs, families, near, near_pairs
from seqcnn.data.relatives.sketches import Sketches, related, sketch

__all__ = ["Pairs", "Sketches", "families", "near", "near_pairs", "related", "sketch"]
