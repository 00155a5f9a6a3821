"""What a network has learned, as motifs: found, compared with databases, located in sequences."""
