"""Relatives among records: near-duplicates and homologs, found by seeds and verified by alignment."""

from seqcnn.data.relatives.kin import kin
from seqcnn.data.relatives.pairs import LONGEST, Pairs, families, near, near_pairs
from seqcnn.data.relatives.sketches import Sketches, related, sketch

__all__ = ["LONGEST", "Pairs", "Sketches", "families", "kin", "near", "near_pairs", "related", "sketch"]
