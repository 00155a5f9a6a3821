"""MEME motif files, minimal and full text format: read whole, written so that the MEME suite opens them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import DNA, PROTEIN, RNA, Alphabet
from seqcnn.errors import FormatError
from seqcnn.io.opening import open_bytes
from seqcnn.io.writing import atomic
from seqcnn.motif import Motif, unique_names

#: How far a row's sum may be from 1: MEME files are rounded, some to two decimals.
ROW_TOLERANCE = 0.02
_EXACT = 1e-9
_KEY = re.compile(r"(\w+)=\s*(\S+)")


@dataclass(frozen=True)
class MemeFile:
    """What a MEME file holds: motifs in order, background ``(A,)`` or None, and whether it says both strands."""

    motifs: tuple[Motif, ...]
    alphabet: Alphabet
    background: npt.NDArray[np.float64] | None
    both_strands: bool


def read_meme(path: str | Path) -> list[Motif]:
    """Return every motif of a MEME file, the last one and rows with zeros included; see `read_meme_file`."""
    return list(read_meme_file(path).motifs)


def read_meme_file(path: str | Path) -> MemeFile:
    """Read a MEME motif file, version 4 or later, minimal or full text, plain or .gz, DNA, RNA or protein.

    A row of zeros only (nothing known) becomes equal probabilities; rows rounded in the file are scaled to sum to 1.

    Raises
    ------
    FormatError
        Naming file and line: not a MEME text file, no motif, a matrix cut short, a wrong width or number of
        letters, or a row that does not sum to 1.
    InputFileError
        If the file is missing or cannot be read.
    """
    with open_bytes(path) as stream:
        return _Parser(str(path), (raw.decode("utf-8", "replace") for raw in stream)).parse()


class _Parser:
    """Reads one file line by line; `at` is the current line number."""

    def __init__(self, name: str, lines: Iterator[str]) -> None:
        self.name, self.lines, self.at = name, lines, 0
        self.alphabet: Alphabet | None = None
        self.background: npt.NDArray[np.float64] | None = None
        self.letters: dict[str, float] = {}
        self.both = True
        self.motifs: list[Motif] = []
        self.pending: str | None = None  # a line read too far

    def error(self, expected: str, found: str, advice: str) -> FormatError:
        """Return the error for the current line."""
        return FormatError(f"{self.name}, line {self.at}: expected {expected}, found {found}; {advice}")

    def next_line(self) -> str | None:
        """Return the next line without its end, or None at the end of the file."""
        if self.pending is not None:
            line, self.pending = self.pending, None
            return line
        line_ = next(self.lines, None)
        if line_ is None:
            return None
        self.at += 1
        return line_.rstrip("\r\n")

    def parse(self) -> MemeFile:
        """Read the whole file."""
        self._version()
        names: tuple[str, str] | None = None
        while (line := self.next_line()) is not None:
            text = line.strip()
            if text.startswith("ALPHABET"):
                self._alphabet(text)
            elif text.startswith("strands:"):
                self.both = "-" in text
            elif text.startswith("Background letter frequencies"):
                self._background()
            elif line.startswith("MOTIF"):
                names = self._names(text)
            elif text.startswith("letter-probability matrix:"):
                if names is None:
                    raise self.error("a MOTIF line before a matrix", "none", "name the motif")
                self.motifs.append(self._matrix(text, names))
            elif text.startswith("URL") and self.motifs:
                self.motifs[-1] = replace(self.motifs[-1], url=text[3:].strip())
        if not self.motifs:
            raise self.error("at least one motif with a letter-probability matrix", "none", "is the file complete?")
        alphabet = self.motifs[0].alphabet
        if self.letters:
            ground = np.array([self.letters.get(letter, 0.0) for letter in alphabet.letters])
            if alphabet is not PROTEIN and not ground.all():
                ground[3] = self.letters.get("T", self.letters.get("U", 0.0))
            if ground.sum() > 0:
                self.background = ground / ground.sum()
        return MemeFile(tuple(self.motifs), alphabet, self.background, self.both and alphabet.has_complement)

    def _version(self) -> None:
        """Read up to the line that says this is a MEME file."""
        while (line := self.next_line()) is not None:
            if line.startswith("MEME version"):
                return
            if line.lstrip().startswith(("<?xml", "<!DOCTYPE", "<html")):
                raise self.error("MEME text", "XML or HTML", "pass the text file (meme.txt) that lies beside it")
            if line.strip() and not line.startswith(("#", "*", "MEME -", "\ufeff")) and self.at > 1000:
                break
            if line.startswith((">", "@", "AC ", "TF ")):
                raise self.error("'MEME version 4'", repr(line[:40]), "convert the motifs to MEME format")
        if self.at == 0:
            raise FormatError(f"{self.name}: the file is empty; expected motifs in MEME text format")
        raise self.error("a line 'MEME version 4' (or later)", "none", "pass motifs in MEME text format")

    def _alphabet(self, text: str) -> None:
        """Read ``ALPHABET= ACGT`` or a block that ends with ``END ALPHABET``."""
        _, equals, letters = text.partition("=")
        letters = letters.strip()
        if not equals:
            letters = ""
            while (line := self.next_line()) is not None and not line.strip().startswith("END ALPHABET"):
                word = line.split()
                if "~" in word:
                    letters += word[0] + word[word.index("~") + 1]
                elif word and "=" not in line and len(word[0]) == 1:
                    letters += word[0]
            letters = "".join(sorted(set(letters)))
        for alphabet in (DNA, RNA, PROTEIN):
            if sorted(letters) == sorted(alphabet.letters):
                if letters != alphabet.letters:
                    raise self.error(f"letters in the order {alphabet.letters}", letters, "reorder the columns")
                self.alphabet = alphabet
                return
        raise self.error(
            f"the alphabet {DNA.letters}, {RNA.letters} or {PROTEIN.letters}", repr(letters), "others are not supported"
        )

    def _background(self) -> None:
        """Read the letter frequencies, which may go on over several lines."""
        while (line := self.next_line()) is not None:
            words = line.split()
            pairs = list(zip(words[::2], words[1::2], strict=False))
            if not words or len(words) % 2 or any(len(letter) != 1 for letter, _ in pairs):
                self.pending = line
                return
            for letter, value in pairs:
                number = self._number(value)
                if number < 0:
                    raise self.error("a frequency of 0 or more", value, "correct the background")
                self.letters[letter.upper()] = number

    def _names(self, text: str) -> tuple[str, str]:
        """Return identifier and alternate name of a MOTIF line, old and new full text included."""
        words = text.split()[1:]
        for at, word in enumerate(words):
            if word.startswith("width") and at and (word != "width" or words[at + 1 : at + 2] == ["="]):
                words = words[:at]
                break
        if not words:
            raise self.error("a name after MOTIF", "none", "name the motif")
        return words[0], " ".join(words[1:])

    def _number(self, word: str) -> float:
        try:
            return float(word)
        except ValueError:
            raise self.error("a number", repr(word), "correct the file") from None

    def _matrix(self, text: str, names: tuple[str, str]) -> Motif:
        """Read the rows that follow ``letter-probability matrix:``."""
        keys = dict(_KEY.findall(text))
        width = int(self._number(keys["w"])) if "w" in keys else None
        rows: list[list[float]] = []
        who = f"motif {names[0]!r}"
        while width is None or len(rows) < width:
            line = self.next_line()
            words = (line or "").split()
            if not words or not _is_number(words[0]):
                if line is not None and not words and not rows:
                    continue  # blank lines between the header and the rows
                self.pending = line
                break
            row = [self._number(word) for word in words]
            size = len(rows[0]) if rows else int(self._number(keys.get("alength", str(len(row)))))
            if len(row) != size:
                raise self.error(f"{size} probabilities in {who}", str(len(row)), "the row is cut or too long")
            total = sum(row)
            if min(row) < 0 or (abs(total - 1) > ROW_TOLERANCE and total != 0):
                raise self.error(f"probabilities that sum to 1 in {who}", f"a sum of {total:g}", "correct the row")
            rows.append(row)
        if not rows or (width is not None and len(rows) != width):
            wanted = "at least 1" if width is None else str(width)
            raise self.error(f"{wanted} rows in {who}", str(len(rows)), "the matrix is cut short")
        following = self.next_line()
        if width is not None and (words := (following or "").split()) and all(map(_is_number, words)):
            raise self.error(f"{width} rows in {who}, as its w= says", "more", "correct w= or the rows")
        self.pending = following
        alphabet = self._alphabet_of(len(rows[0]), who)
        matrix = np.array(rows)
        sums = matrix.sum(1, keepdims=True)
        matrix = np.where(sums == 0, 1 / alphabet.size, matrix)
        matrix = matrix / np.where((sums == 0) | (abs(sums - 1) < _EXACT), 1, sums)
        sites = self._number(keys.get("nsites", "0"))
        return Motif(
            names[0],
            matrix,
            alphabet,
            nsites=max(round(sites), 0) if np.isfinite(sites) else 0,
            alt=names[1],
            evalue=self._number(keys["E"]) if "E" in keys else None,
        )

    def _alphabet_of(self, size: int, who: str) -> Alphabet:
        """Return the file's alphabet, told from the number of columns where the file does not say it."""
        if self.alphabet is None:
            for alphabet in (DNA, PROTEIN):
                if alphabet.size == size:
                    self.alphabet = RNA if alphabet is DNA and "U" in self.letters else alphabet
        if self.alphabet is None or self.alphabet.size != size:
            wanted = "4 or 20" if self.alphabet is None else str(self.alphabet.size)
            raise self.error(f"{wanted} probabilities a row in {who}", str(size), "correct the matrix or ALPHABET=")
        return self.alphabet


def _is_number(word: str) -> bool:
    """Tell whether `word` starts as a number does."""
    return word[:1] in "0123456789+-." and any(character.isdigit() for character in word)


def meme_text(motifs: Sequence[Motif], background: npt.NDArray[np.float64] | None = None) -> Iterable[str]:
    """Yield the lines of a MEME file with `motifs` of one alphabet, in order; white space in names becomes ``_``.

    Parameters
    ----------
    motifs
        One or more.
    background
        Letter frequencies ``(A,)``; equal ones if None.

    Raises
    ------
    FormatError
        If there is no motif (MEME files cannot be empty) or the alphabets differ.
    """
    if not motifs:
        raise FormatError("no motif to write: a MEME file holds at least one")
    alphabet = motifs[0].alphabet
    if any(motif.alphabet != alphabet for motif in motifs):
        raise FormatError("a MEME file holds motifs of one alphabet; write one file for each")
    ground = np.full(alphabet.size, 1 / alphabet.size) if background is None else np.asarray(background, np.float64)
    yield "MEME version 4\n\n"
    yield f"ALPHABET= {alphabet.letters}\n\n"
    if alphabet.has_complement:
        yield f"strands: {'+ -' if alphabet is not RNA else '+'}\n\n"
    yield "Background letter frequencies\n"
    yield " ".join(f"{letter} {value:.5f}" for letter, value in zip(alphabet.letters, ground, strict=True)) + "\n"
    for motif in unique_names([replace(motif, name=_word(motif.name) or "motif") for motif in motifs]):
        yield f"\nMOTIF {motif.name} {_word(motif.alt)}".rstrip() + "\n"
        yield (
            f"letter-probability matrix: alength= {alphabet.size} w= {len(motif)} nsites= {motif.nsites} "
            f"E= {0 if motif.evalue is None else motif.evalue:g}\n"
        )
        for row in motif.probabilities:
            yield " " + "  ".join(f"{value:.6f}" for value in row) + "\n"
        if motif.url:
            yield f"URL {_word(motif.url)}\n"


def write_meme(
    target: str | Path | TextIO, motifs: Sequence[Motif], background: npt.NDArray[np.float64] | None = None
) -> None:
    """Write a MEME file to a path (whole or not at all) or an open text stream; see `meme_text`."""
    text = "".join(meme_text(motifs, background))
    if isinstance(target, str | Path):
        with atomic(target, "w") as stream:
            stream.write(text)
    else:
        target.write(text)


def _word(text: str) -> str:
    """Return `text` as one word."""
    return "_".join(text.split())
