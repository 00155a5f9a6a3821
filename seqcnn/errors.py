"""The exceptions of seqcnn: each is one line that says what, where, expected, found and what to do."""


class SeqcnnError(Exception):
    """Base of every error that seqcnn raises on purpose.

    ``exit_code`` is what the shell returns: 2 for wrong usage or bad input, 1 where the work itself failed.
    """

    exit_code = 2


class OptionError(SeqcnnError, ValueError):
    """An option or argument has a value that cannot be used."""


class FormatError(SeqcnnError, ValueError):
    """A file is not what its format promises: empty, truncated, malformed."""


class ShapeError(SeqcnnError, ValueError):
    """An image does not have the channels, height or width that a network or encoder was built for."""


class AlphabetError(SeqcnnError, ValueError):
    """A sequence holds letters that its alphabet does not know."""


class DataError(SeqcnnError, ValueError):
    """Records, targets or classes cannot be learned from or evaluated on."""


class InputFileError(SeqcnnError, OSError):
    """A file or folder is missing or cannot be read."""


class OutputFileError(SeqcnnError, OSError):
    """A file or folder cannot be written."""

    exit_code = 2


class DiskFullError(OutputFileError):
    """The disk filled up while an output was written; nothing half-written is left."""

    exit_code = 1


class ModelFileError(SeqcnnError, ValueError):
    """A model file is cut, edited, foreign or of a newer format."""


class MissingExtraError(SeqcnnError, ImportError):
    """An optional package is needed; the message names the extra that brings it."""


class OutOfMemoryError(SeqcnnError, MemoryError):
    """Memory ran out; the message names the batch size that fits."""

    exit_code = 1


class TrainingError(SeqcnnError, RuntimeError):
    """Training did not lead to a model."""

    exit_code = 1


class NotFittedError(SeqcnnError, AttributeError):
    """Something was asked of a model or estimator that has not been trained."""


class SeqcnnWarning(UserWarning):
    """Something the user should know that does not stop the work."""
