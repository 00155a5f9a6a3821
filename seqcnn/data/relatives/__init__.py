"""Relatives among records: near-duplicates and homologs, found by seeds and verified by alignment."""

from seqcnn.data.relatives.families import Pairs, families, near, near_pairs

__all__ = ["Pairs", "families", "near", "near_pairs"]
