"""``python -m seqcnn`` is the same as ``seqcnn``."""

from seqcnn.cli import start

if __name__ == "__main__":
    start()
