"""Records of letters to codes, with the alphabet told or checked and every replacement counted."""

import warnings
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from seqcnn.alphabet import INVALID, PROTEIN, Alphabet
from seqcnn.errors import AlphabetError, FormatError, SeqcnnWarning
from seqcnn.interval import Place
from seqcnn.record import LETTERS, Letters, Record, ends_of
from seqcnn.registry import resolve
from seqcnn.sequence import Sequences, encode, tally, tell_alphabet

#: Identifiers of some records, their codes, and where each lies on a genome, if anywhere.
Batch = tuple[list[str], Sequences, list[Place | None]]
#: Records from which the alphabet is told, and letters beyond which no more are held for it (chromosomes are long).
SAMPLE = 1000
_SAMPLE_LETTERS = 1 << 22
#: Nucleic letters beyond which a model or option that says protein is doubted.
_ENOUGH = 200


def told_alphabet(
    records: Iterable[Letters], name: str, *, asked: str | Alphabet | None = None, unit: str = "record"
) -> tuple[Alphabet, Iterator[Letters]]:
    """Return the alphabet of `records` and the records again, whole.

    Parameters
    ----------
    records
        What a reader yields; only the first 1,000 are looked at, fewer where they are long.
    name
        How messages call the input.
    asked
        The alphabet that an option, a model or an earlier file says; None to tell it.
    unit
        How messages call a record: ``row`` in tables.

    Raises
    ------
    AlphabetError
        If nucleic acids are asked for and the records look like protein.
    """
    stream, held, sample, letters = iter(records), deque[Letters](), list[Record](), 0
    while len(sample) < SAMPLE and letters < _SAMPLE_LETTERS and (some := next(stream, None)) is not None:
        held.append(some)
        sample += some.part(0, min(len(some), SAMPLE - len(sample)))
        letters += len(some.text)
    told = tell_alphabet(record.letters for record in sample)
    if asked is None:
        alphabet = told
    else:
        alphabet = resolve("alphabet", asked) if isinstance(asked, str) else asked
        _compare(sample, f"{name}, {unit}", told, alphabet)
    return alphabet, _again(held, stream)


def _again(held: deque[Letters], stream: Iterator[Letters]) -> Iterator[Letters]:
    """Yield what was taken from a stream, and the rest, without keeping any of it."""
    while held:
        yield held.popleft()
    yield from stream


def _compare(sample: Sequence[Record], where: str, told: Alphabet, asked: Alphabet) -> None:
    """Raise where protein is given for nucleic acids, and warn where it is the other way round."""
    if told is PROTEIN and asked is not PROTEIN:
        for record in sample:
            at = record.letters.removesuffix(b"*").translate(asked.lookup).find(INVALID)
            if at >= 0:
                raise AlphabetError(
                    f"{where} {record.id}, position {at + 1}: {chr(record.letters[at])!r} is not a letter of the "
                    f"{asked.name} alphabet; this looks like protein: give {asked.name}, or pass --alphabet protein to "
                    "train"
                )
    if asked is PROTEIN and told is not PROTEIN and sum(len(record.letters) for record in sample) >= _ENOUGH:
        warnings.warn(
            f"{where} {sample[0].id} and on: read as protein, but it looks like {told.name}",
            SeqcnnWarning,
            stacklevel=2,
        )


class Coder:
    """Turns records into codes, remembering what it replaced.

    Examples
    --------
    >>> from seqcnn.alphabet import DNA
    >>> coder = Coder(DNA)
    >>> some = Letters.of([Record("a", b"ACGTRn"), Record("b", b"uu-")])
    >>> batches = list(coder.batches([some], "x.fa"))
    >>> batches[0][0], batches[0][1].lengths.tolist()
    (['a', 'b'], [6, 3])
    >>> coder.replaced == {"ambiguous": 1, "N": 1, "gap": 1, "U read as T": 2, "soft-masked": 3}
    True
    """

    def __init__(self, alphabet: Alphabet, *, unknown: str = "error", unit: str = "record") -> None:
        self.alphabet = alphabet
        self.unit = unit
        self.unknown = unknown
        self.records = 0
        self._letters = np.zeros(256, np.int64)  # but the plain ones
        self._plain = alphabet.letters.encode()
        self._stops = 0

    def batches(self, records: Iterable[Letters], name: str, *, size: int = LETTERS) -> Iterator[Batch]:
        """Yield ids, codes and places of the records, in order: as many at a time as have `size` letters or more.

        Raises
        ------
        AlphabetError
            Naming record, position and letter, where a letter is unknown and not to be masked.
        FormatError
            Where nothing is left of a record without its final stop.
        """
        held, letters = list[Letters](), 0
        for some in records:
            left = self._started(some, name)
            del some
            while letters + len(left.text) >= size:
                count = int(np.searchsorted(left.offsets[1:], size - letters)) + 1
                held.append(left.part(0, count))
                left, batch = left.part(count, len(left)), self._encode(held, name)
                held, letters = [], 0
                yield batch
            if len(left):
                held.append(left)
                letters += len(left.text)
        if held:
            yield self._encode(held, name)

    def _started(self, some: Letters, name: str) -> Letters:
        """Return records without their final stops."""
        if b"*" in some.text:
            letters = np.frombuffer(some.text, np.uint8)
            lengths = np.diff(some.offsets)
            stops = some.offsets[1:][lengths > 0] - 1
            stops = stops[letters[stops] == ord("*")]
            self._stops += len(stops)
            before = np.searchsorted(stops, some.offsets)
            some = replace(some, text=np.delete(letters, stops).tobytes(), offsets=some.offsets - before)
        lengths = np.diff(some.offsets)
        if not lengths.all():
            raise FormatError(
                f"{name}, {self.unit} {some.ids[int(lengths.argmin())]}: no sequence; add it, or delete the {self.unit}"
            )
        return some

    def _encode(self, some: list[Letters], name: str) -> Batch:
        """Return records as codes, and count their letters."""
        joined = b"".join(part.text for part in some)
        ids = [identifier for part in some for identifier in part.ids]
        places = [place for part in some for place in part.places or [None] * len(part)]
        translated = joined.translate(self.alphabet.lookup)
        codes = np.frombuffer(translated, np.uint8)
        if INVALID.to_bytes() in translated:
            for part in some:
                for record in part:
                    where = f"{name}, {self.unit} {record.id}"
                    encode(record.letters, self.alphabet, unknown=self.unknown, where=where)
            codes = np.where(codes == INVALID, np.uint8(self.alphabet.any_code), codes)
        told = joined.translate(None, self._plain)  # counting all would take longer than encoding them
        self._letters += tally(told)
        self.records += len(ids)
        lengths = np.concatenate([np.diff(part.offsets) for part in some])
        return ids, Sequences(codes, ends_of(lengths)), places

    @property
    def replaced(self) -> dict[str, int]:
        """What stands in the codes as something else than a plain canonical letter, with its count."""
        alphabet = self.alphabet
        counts: Counter[str] = Counter()
        for byte in np.flatnonzero(self._letters).tolist():
            letter, number = chr(byte), int(self._letters[byte])
            code = alphabet.lookup[byte]
            symbol = letter.upper()
            meaning = alphabet.synonyms.get(symbol, symbol)
            if code == INVALID:
                counts[f"unknown read as {alphabet.any_letter}"] += number
            elif meaning == "-":
                counts["gap"] += number
            elif meaning == alphabet.any_letter:
                counts[alphabet.any_letter] += number
            elif meaning in alphabet.letters:
                if meaning != symbol:
                    counts[f"{symbol} read as {meaning}"] += number
            elif len(alphabet.ambiguous[meaning]) == 1:
                counts[f"{symbol} read as {alphabet.ambiguous[meaning]}"] += number
            else:
                counts["ambiguous"] += number
            if letter != symbol:
                counts["soft-masked"] += number
        if self._stops:
            counts["final * dropped"] = self._stops
        return dict(counts)


def gather(batches: Iterable[Batch]) -> Batch:
    """Return batches as one."""
    ids, places = list[str](), list[Place | None]()
    buffers, lengths = [np.zeros(0, np.uint8)], [np.zeros(1, np.int64)]
    for names, sequences, some in batches:
        ids += names
        places += some
        buffers.append(sequences.buffer)
        lengths.append(sequences.lengths)
    return ids, Sequences(np.concatenate(buffers), np.cumsum(np.concatenate(lengths))), places


def replaced_notes(replaced: dict[str, int]) -> list[str]:
    """Return the sentence that says what was replaced; none if nothing was."""
    words = {"soft-masked": "in lower case (soft-masked), read as usual"}
    said = [f"{number:,} {words.get(what, what)}" for what, number in replaced.items()]
    return [f"letters: {', '.join(said)}"] if said else []


def warn_duplicates(ids: Sequence[str]) -> None:
    """Warn, with the count, where records share an identifier."""
    again = len(ids) - len(set(ids))
    if again:
        first = next(iter((Counter(ids) - Counter(set(ids))).keys()))
        warnings.warn(
            f"{again:,} record{'s' * (again > 1)} with an id that occurred before, such as {first!r}; "
            "results are told apart by order only",
            SeqcnnWarning,
            stacklevel=2,
        )
