"""Augmentation: random changes of training batches that leave their meaning alone, one family a file."""
