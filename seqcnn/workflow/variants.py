"""Effects of variants: a VCF to the same VCF with effects, or to a table, in constant memory."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from seqcnn.alphabet import DNA, Alphabet
from seqcnn.checks import did_you_mean
from seqcnn.errors import DataError, OptionError
from seqcnn.inference.effects import Effect, effect_columns, effects
from seqcnn.inference.predict import stream_logits
from seqcnn.inference.substitutions import Substituter
from seqcnn.io.genome import Genome
from seqcnn.io.meme import read_meme
from seqcnn.io.opening import STDIN, shown
from seqcnn.io.vcf import SUFFIXES, Header, read_vcf
from seqcnn.io.writing import check_apart, check_writable
from seqcnn.model.inputs import KINDS
from seqcnn.model.model import LONGER, Model
from seqcnn.motif import Motif
from seqcnn.motifs.jaspar import RELEASE, jaspar
from seqcnn.options import VariantsOptions
from seqcnn.reporting.variants import Findings, variants_report
from seqcnn.runtime import pick_device
from seqcnn.variant import KINDS as VARIANT_KINDS
from seqcnn.workflow.alleles import SKIPPED, Alleles
from seqcnn.workflow.annotations import Annotations
from seqcnn.workflow.strongest import Strongest


@dataclass(frozen=True)
class Variants:
    """What was scored.

    Parameters
    ----------
    records, scored
        Records read, and alleles scored.
    kinds
        Scored alleles by kind: SNV, MNV, insertion, deletion, indel.
    skipped
        Alleles by why they were not scored.
    notes
        Sentences that say so, and how.
    """

    records: int
    scored: int
    kinds: dict[str, int]
    skipped: dict[str, int]
    notes: tuple[str, ...]


def variants(
    model: Model,
    path: str | os.PathLike[str],
    options: VariantsOptions | None = None,
    *,
    output: str | os.PathLike[str] = STDIN,
    command: str = "",
) -> Variants:
    """Write the effect of each alternative allele of a VCF, in the order of the file.

    Alleles are trimmed to what they change. Either allele is seen in a window of one width, its own letters in the
    middle: an insertion pushes out as much on the left as on the right, a deletion draws in as much. Beyond the ends of
    a chromosome N is read. A model of both strands averages their logits, and `shifts` those of moved windows, before
    the alleles are compared.

    A VCF keeps its lines; INFO gains ``SEQCNN_EFFECT``, ``SEQCNN_REF`` and ``SEQCNN_ALT`` (with the name of the output
    behind, where there are several), a value an allele, and ``SEQCNN_STATUS`` where an allele was not scored or padded.
    A table has a row an allele, places counted from 1 as in VCF.

    Parameters
    ----------
    model
        Of DNA or RNA.
    path
        VCF, plain, gzip or bgzip, or BCF; ``-`` for standard input.
    options
        Genome, window, effect, strands, shifts, phase.
    output
        ``.vcf``, ``.vcf.gz``, ``.bcf`` or ``.tsv``, which appears whole or not at all; ``-`` for a table on standard
        output.
    command
        The shell command, for the header.

    Raises
    ------
    OptionError, DataError
        If the model reads something else, the genome does not have a chromosome, or a place lies beyond its end.
    InputFileError, FormatError, OutputFileError
        As reading and writing find them.
    """
    options = options or VariantsOptions()
    alphabet, genome = _checked(model, path, output, options)
    effect: Effect = options.effect or ("probability" if model.task.numeric else "logit")
    columns = effect_columns(model.task, effect)
    width = options.width or model.fixed_width or model.longest
    header, records = read_vcf(os.fspath(path))
    samples = _samples(header, options, shown(os.fspath(path)))
    strands = "both" if "both" in (options.strands, model.strands) else "forward"
    motifs, database = _motifs(model, options)
    scored = 0
    strongest = None if options.report is None else Strongest(options.top)
    annotations = Annotations(columns, effect, model.task.numeric, phased=options.phased)
    swap = Substituter(model.encoder, model.network, strands=strands, window=width, place=pick_device(options.device))
    job = Alleles(genome, alphabet, width, options, samples=samples, name=shown(os.fspath(path)), substituter=swap)
    with ExitStack() as stack:
        stack.callback(swap.close)
        stream = stream_logits(
            model.encoder, model.network, job.chunks(records), strands=strands, device=options.device
        )
        start = list(islice(stream, 1))  # so that input which cannot be read leaves no lone header
        write = stack.enter_context(annotations.writer(os.fspath(output), header, genome.lengths, command))
        for logits in chain(start, stream):
            chunk = job.waiting.popleft()
            reference, alternative = (model.calibrated(mean) for mean in job.means(chunk, logits))
            scores = effects(model.task, reference, alternative, effect)
            scored += len(reference)
            write(chunk, scores)
            if strongest is not None:
                strongest.add(chunk, scores)
    skipped = {name: job.counts[name] for name in SKIPPED if job.counts[name]}
    kinds = {name: job.kinds[name] for name in VARIANT_KINDS if job.kinds[name]}
    notes = _notes(model, job, options, meaning=annotations.meaning, strands=strands, scored=scored)
    done = Variants(job.records, scored, kinds, skipped, notes)
    if strongest is not None and options.report is not None:
        findings = Findings(
            title=f"Variants of {Path(shown(os.fspath(path))).name}",
            strong=strongest.variants, sample=strongest.sample, columns=columns, effect=effect,
            meaning=annotations.meaning, unit=annotations.unit, strands=strands, facts=_facts(done, width, strands),
            notes=notes[1:], command=command,
        )  # fmt: skip
        report = variants_report(model, findings, motifs=motifs, database=database, device=options.device)
        report.save(options.report)
    return done


def _facts(done: Variants, width: int, strands: str) -> list[tuple[str, str]]:
    """Return what the summary of the report shows at a glance."""
    kinds = {"Unchanged" if name == "none" else f"{name[:1].upper()}{name[1:]}s": n for name, n in done.kinds.items()}
    counts = {"Alleles scored": done.scored, "Records": done.records, **kinds}
    if done.skipped:
        counts["Not scored"] = sum(done.skipped.values())
    shown_counts = [(name, f"{count:,}") for name, count in counts.items()]
    return [*shown_counts, ("Window", f"{width:,} letters"), ("Strands", strands)]


def _motifs(model: Model, options: VariantsOptions) -> tuple[Sequence[Motif], str]:
    """Return the motifs whose gain and loss the report looks for, and what they are called."""
    if options.report is None:
        return (), ""
    if options.database is None:
        named = RELEASE + (f" {options.taxon}" if options.taxon else "")
        return (jaspar(options.taxon), named) if model.alphabet == DNA else ((), "")
    motifs = read_meme(options.database)
    if motifs and motifs[0].alphabet != model.alphabet:
        raise DataError(f"--database {options.database}: {motifs[0].alphabet.name} motifs; the model reads another")
    return motifs, options.database.name


def _checked(
    model: Model, path: str | os.PathLike[str], output: str | os.PathLike[str], options: VariantsOptions
) -> tuple[Alphabet, Genome]:
    """Return the model's alphabet and the genome; refuse what can be refused before any work."""
    alphabet = model.alphabet
    if alphabet is None or not alphabet.has_complement:
        what = KINDS[model.kind] if alphabet is None else f"{alphabet.name} sequences"
        raise OptionError(f"variants: belong to DNA and RNA; this model reads {what}")
    if options.genome is None:
        raise OptionError("--genome: name the FASTA that the variants were called on")
    width = model.fixed_width
    if options.width is not None and width is not None and options.width > width:
        raise OptionError(f"--width {options.width}: this network reads at most {width} positions; pass {width}")
    if not (options.width or width or model.longest):
        raise OptionError("--width: the model does not say how long its training records were; pass a width")
    if not options.phased and (options.sample or options.against != "reference"):
        raise OptionError(f"--{'sample' if options.sample else 'against'}: belongs to --phased; pass both, or neither")
    if options.report is None and options.database is not None:
        raise OptionError("--database: belongs to --report; pass both, or neither")
    outputs = [os.fspath(name) for name in (output, options.report) if name is not None and os.fspath(name) != STDIN]
    for name in outputs:
        check_writable(name)
    check_apart(outputs, (os.fspath(path), os.fspath(options.genome)))
    known = (*SUFFIXES, ".tsv")
    if os.fspath(output) != STDIN and not os.fspath(output).lower().endswith(known):
        raise OptionError(f"-o {os.fspath(output)}: expected a name that ends in {', '.join(known)}")
    return alphabet, Genome(options.genome)


def _samples(header: Header, options: VariantsOptions, name: str) -> list[int]:
    """Return the columns of the samples whose haplotypes count."""
    if not options.phased:
        return []
    if not header.samples:
        raise DataError(f"{name}: --phased needs genotypes (GT), and the file has no sample")
    for wanted in options.sample:
        if wanted not in header.samples:
            raise OptionError(f"--sample {wanted!r}: {name} has no such sample{did_you_mean(wanted, header.samples)}")
    return [header.samples.index(sample) for sample in dict.fromkeys(options.sample or header.samples)]


def _notes(
    model: Model, job: Alleles, options: VariantsOptions, *, meaning: str, strands: str, scored: int
) -> tuple[str, ...]:
    """Return the sentences that say what was done."""
    kinds = ", ".join(f"{job.kinds[name]:,} {name}" for name in VARIANT_KINDS if job.kinds[name])
    window = f"windows of {job.width:,} with the change in the middle"
    read = f"{'both strands' if strands == 'both' else 'the forward strand'}"
    if options.shifts:
        read += f", {2 * options.shifts + 1} shifts averaged"
    said = [
        f"scored {scored:,} alleles of {job.records:,} records{f' ({kinds})' if kinds else ''}: {meaning}; "
        f"{window}, {read}"
    ]
    if model.longest and job.width > LONGER * model.longest:
        said.append(
            f"windows of {job.width:,} are longer than {LONGER:g} times the longest training record "
            f"({model.longest:,}); their scores may mean little"
        )
    if job.substituter is not None and job.substituter.why is not None and scored:
        said.append(f"both alleles of each variant were computed in full: {job.substituter.why}")
    if job.styled:
        first = next(iter(job.styled.items()))
        said.append(f"chromosomes called otherwise in the genome, such as {first[0]} for {first[1]}: {len(job.styled)}")
    left = [f"{text} ({job.counts[name]:,})" for name, text in SKIPPED.items() if job.counts[name]]
    if left:
        said.append(f"not scored: {', '.join(left)}")
    if job.mismatches:
        more = ", ..." if job.counts["ref_mismatch"] > len(job.mismatches) else ""
        most = job.counts["ref_mismatch"] > scored
        said.append(
            f"REF that is not the genome's: {'; '.join(job.mismatches)}{more}"
            + ("; is this the genome the variants were called on?" if most else "")
        )
    if job.counts["padded"]:
        said.append(f"windows over the edge of a chromosome, padded with N: {job.counts['padded']:,}")
    if job.long:
        said.append(f"alleles longer than the window, of which the middle was seen: {job.long:,}")
    if job.phase is not None:
        said.append(f"alleles with neighbors of one haplotype, applied together: {job.joined:,}")
        if job.phase.disordered:
            said.append(
                f"records out of order: {job.phase.disordered:,}; neighbors that stand apart in the file were not "
                "applied together; sort it (bcftools sort)"
            )
    return tuple(said)
