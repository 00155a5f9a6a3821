"""The default network for sequences: whole motifs in the first layer, their company in the blocks behind it."""

from collections.abc import Sequence
from typing import Literal, cast

import torch
from torch import Tensor, nn

from seqcnn.checks import one_of
from seqcnn.errors import OptionError
from seqcnn.networks.network import Network, minimum_through
from seqcnn.nn.dropout import Dropout
from seqcnn.nn.exponential import Exponential
from seqcnn.nn.fused import best_sites, rectified
from seqcnn.nn.padding import masked, normalized, out_lengths
from seqcnn.nn.pooling import GlobalMax, GlobalMean
from seqcnn.nn.stages import Act, Pad, Pool, Residual, Stages, Step, Summary, convolved, folded, headed, normed

#: Start of the first norm's scale: an exponential of one standard deviation would be a steep start.
_FIRST_SCALE = 0.3
#: Weights of what is made of another network's filters, as a share of those of a network's own.
_QUIET = 0.3
#: Records of so many receptive fields need no zeros around them.
_WIDE = 4


class Block(nn.Module):
    """Two valid convolutions of width 3 whose result is added to the middle of their input (He et al. 2016)."""

    def __init__(self, channels: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.dilation, self.lost = dilation, 2 * (dilation + 1)
        self.conv1 = nn.Conv2d(channels, channels, (1, 3), dilation=(1, dilation), bias=False)
        self.norm1, self.act1 = nn.BatchNorm2d(channels), nn.ReLU()
        self.conv2 = nn.Conv2d(channels, channels, (1, 3), bias=False)
        self.norm2, self.act2 = nn.BatchNorm2d(channels), nn.ReLU()
        self.drop = Dropout(dropout, maps=True)

    def forward(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return features of `lost` fewer columns, and how many of them are real."""
        inner = None if lengths is None else (lengths - 2 * self.dilation).clamp(min=0)
        lengths = None if lengths is None else (lengths - self.lost).clamp(min=0)
        z = rectified(self.conv1(x), inner, norm=self.norm1, act=self.act1)
        z = rectified(self.conv2(z), lengths, norm=self.norm2, act=self.act2, skip=x, drop=self.drop)
        return z, lengths

    def staged(self) -> Residual:
        """Return the block in use, before its last rectifier."""
        inner = (convolved(self.conv1, self.norm1), Act(torch.relu, rising=True), convolved(self.conv2, self.norm2))
        return Residual(inner)


class Motif(Network):
    """Wide filters that each learn one motif; the best site of each, and what stands beside what.

    A convolution of whole motifs, a pool that keeps the best of neighboring sites (before norm and activation, which
    is three times faster), an exponential that lets only good sites through; then a convolution and residual blocks
    over the maps of sites for spacing, order and company; then the strongest and the mean of every feature, and with
    `positions` also where they stand.

    Short records, and proteins, are surrounded by columns without letters, and their maps by cells without sites
    (zeros), so that a site at the end of a record counts like one in its middle, and filters can tell that a record
    begins or ends. In windows of four receptive fields and more all convolutions are valid: what they find depends on
    the letters there alone.

    The design was chosen on a fifth held out of training files (AUROC on transcription factors of GUE, NANOG, FOXA1 and
    PUM2, at most 20,000 records each; accuracy on splice sites). Filters of 15 (.870 on GUE's tf_0) beat those of 21
    (.854); dilated blocks over padded maps (.863-.881) beat one layer of company (.849-.861); without cells around the
    maps, sites at the ends of 101 bp were lost (.851); ReLU and exponential were level. Where places matter, every
    position counts (core promoters .97, with a pool of 4 .93), and so does a hidden layer. Averaged weights were worth
    .001 to .002, distilling an ensemble .02 (NANOG: one network .877, three .890, their student .898). A kernel machine
    among the teachers took splice sites from .963 to .981 and two mutations of GB1 from .72 to .84 (Spearman), and
    students of proteins that see where records begin and end (zeros around them) answer as their teachers do: locations
    in the cell .82, .72 without (accuracy on proteins without relatives; teachers .83). Of 128 filters about 20 become
    motifs where 12 are planted; a student that starts with those of all its teachers, and no others, found all 12 where
    one that starts from nothing finds 8 (AUROC .966 and .925; its teachers .955), and of three other dozens 11, 11, 10.
    Variants of one protein (GB1, four of 265 letters vary) were learned to .900 when all letters were read (a plain CNN
    .923), to .931 when only those that vary were, and to .940 in four times as many steps, for which there is then
    time. Columns in which amino acids resemble each other as in BLOSUM62 were no better than one-hot ones (single
    networks: peptides .84 to .85 beside .84, locations .67 to .70 beside .71).

    Parameters
    ----------
    filters, filter_width
        Number (128, or 64 with `positions`) and width of the motifs.
    positions
        Whether the head sees where in the record things are; needs `width`.
    span
        With `positions`: the columns that are read, first and end; None for all. Of variants of one sequence those
        that vary.
    pool
        Positions among which only the best site of a filter counts: 4, or 1 with `positions`.
    context, context_width
        Features behind the motifs (64, or 32 with `positions`), and the width of the convolution that makes them, in
        pooled positions.
    dilations
        One residual block each.
    padded
        Whether records and maps of sites are surrounded by zeros; None for short records only.
    bottleneck, hidden
        With `positions`: features a place, and units of the layer that sees all places.
    activation
        Of the first layer: ``exponential`` for clear motifs, or ``relu``.
    map_dropout
        Share of whole maps dropped in training.
    dropout
        Share of features dropped in training.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        outputs: int,
        height: int = 1,
        width: int | None = None,
        filters: int | None = None,
        filter_width: int = 15,
        positions: bool = False,
        span: Sequence[int] | None = None,
        pool: int | None = None,
        context: int | None = None,
        context_width: int = 5,
        dilations: Sequence[int] = (1, 2, 4),
        padded: bool | None = None,
        bottleneck: int = 16,
        hidden: int = 64,
        activation: Literal["exponential", "relu"] = "exponential",
        map_dropout: float = 0.1,
        dropout: float | None = None,
    ) -> None:
        filters = (64 if positions else 128) if filters is None else filters
        context = (32 if positions else 64) if context is None else context
        pool = (1 if positions else 4) if pool is None else pool
        dropout = (0.3 if positions else 0.2) if dropout is None else dropout
        one_of(activation, ("exponential", "relu"), "activation")
        lost = context_width - 1 + sum(2 * (d + 1) for d in dilations)  # cells, from the pool to the head
        field = minimum_through((filter_width, 1), (pool, pool), (lost + 1, 1))
        if span is not None and (not positions or width is None or not 0 <= span[0] < span[1] <= width):
            raise OptionError(f"motif: span={list(span)} needs positions=True and columns within width={width}")
        read = width if span is None else span[1] - span[0]
        if padded is None:
            padded = read is None or read < _WIDE * field
        if span is not None and not padded and span[1] - span[0] < field:
            raise OptionError(f"motif: span={list(span)} is narrower than a field, {field} columns; pass padded=True")
        side = filter_width - 1 if padded else 0
        super().__init__(
            in_channels=in_channels, outputs=outputs, height=height, width=width, filters=filters,
            filter_width=filter_width, positions=positions, span=span and list(span), pool=pool, context=context,
            context_width=context_width, dilations=list(dilations), padded=padded, bottleneck=bottleneck,
            hidden=hidden, activation=activation, map_dropout=map_dropout, dropout=dropout,
        )  # fmt: skip
        self.margin = (-(-lost // 2), lost // 2) if padded else (0, 0)
        self.span, self.minimum_width = span, 1 if padded else field
        self.filter_width, self.pool_width, self.context_width = filter_width, pool, context_width
        self.conv = nn.Conv2d(in_channels, filters, (height, filter_width), padding=(0, side), bias=False)
        self.pool = nn.MaxPool2d((1, pool))
        self.norm = nn.BatchNorm2d(filters)
        nn.init.constant_(self.norm.weight, _FIRST_SCALE if activation == "exponential" else 1.0)
        self.act = Exponential() if activation == "exponential" else nn.ReLU()
        self.map_drop = Dropout(map_dropout, maps=True)
        self.context = nn.Conv2d(filters, context, (1, context_width), bias=False)
        self.context_norm, self.context_act = nn.BatchNorm2d(context), nn.ReLU()
        self.blocks = nn.ModuleList(Block(context, d, map_dropout) for d in dilations)
        self.strongest, self.mean = GlobalMax(), GlobalMean()
        self.drop = Dropout(dropout)
        self.places = None
        features = 2 * context
        if positions:
            if width is None:
                raise OptionError("motif: positions=True needs the width of the longest record; pass width=")
            self.fixed_width, self.begins = width, 0 if span is None else span[0]
            columns = max(read or width, self.minimum_width) + 2 * side
            cells = (columns - filter_width + 1) // pool + sum(self.margin) - lost
            self.places = Places(context, bottleneck)
            features += bottleneck * cells
        self.out: nn.Module = nn.Linear(features, outputs)
        if positions and hidden:
            self.out = nn.Sequential(
                nn.Linear(features, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU(), Dropout(dropout),
                nn.Linear(hidden, outputs),
            )  # fmt: skip

    @property
    def filters(self) -> nn.Conv2d:
        """The convolution whose filters are motifs."""
        return self.conv

    @torch.no_grad()
    def regrown(self, filters: Sequence[tuple["Motif", int]]) -> "Motif":
        """Return a copy with other first filters: those of networks of this design, each given by its index there.

        Filters of this network keep what it makes of them; it makes little of the others as yet.
        """
        grown = type(self)(**{**self.config, "filters": len(filters)}).to(self.filters.weight.device)
        grown.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        state, own = grown.state_dict(), self.state_dict()
        sources = [(source.state_dict(), f) for source, f in filters]
        mine = torch.tensor([source is self for source, _ in filters])
        for name, value in own.items():
            if name.startswith(("conv.", "norm.")) and value.dim():
                state[name] = torch.stack([source[name][f] for source, f in sources])
            elif name != "context.weight":
                state[name] = value.clone()
        kept = own["context.weight"][:, [f for source, f in filters if source is self]]
        company = state["context.weight"]
        company[:, mine] = kept
        if kept.numel() > 1:
            company[:, ~mine] *= _QUIET * kept.std() / company.std()
        grown.load_state_dict(state)
        return grown

    def features(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:  # noqa: D102
        x, lengths = self.prepare(x, lengths)
        lengths = self.pooled(lengths)
        maps = best_sites(
            self._conv(x), lengths, pool=self.pool, norm=self.norm, act=self.act, drop=self.map_drop, margin=self.margin
        )
        return self.company(maps, lengths)  # of (N, F, 1, cells)

    def first(self, x: Tensor, lengths: Tensor | None) -> Tensor:  # noqa: D102
        lengths = out_lengths(self._sided(lengths), self.filter_width)
        return masked(self.act(normalized(self.norm, self._conv(x), lengths)), lengths)

    def gathered(self, activations: Tensor, lengths: Tensor | None) -> Tensor:  # noqa: D102
        # Where the norm turns a map upside down, the best site of the convolution is the least activation.
        sign = torch.where(self.norm.weight < 0, -1.0, 1.0)[:, None, None]
        return masked(self.pool(activations * sign) * sign, self.pooled(lengths))

    def rest(self, gathered: Tensor, lengths: Tensor | None) -> Tensor:  # noqa: D102
        return self.company(nn.functional.pad(self.map_drop(gathered), self.margin), self.pooled(lengths))

    def pooled(self, lengths: Tensor | None) -> Tensor | None:
        """Return how many pooled positions are real in records of `lengths`."""
        return out_lengths(out_lengths(self._sided(lengths), self.filter_width), self.pool_width, self.pool_width)

    def reads(self, lengths: Tensor) -> Tensor:  # noqa: D102
        lengths = super().reads(lengths)
        return lengths if self.span is None else (lengths - self.span[0]).clamp(0, self.span[1] - self.span[0])

    def _conv(self, x: Tensor) -> Tensor:
        """Return the maps of the first layer."""
        maps: Tensor = self.conv(x if self.span is None else x[..., self.span[0] : self.span[1]])
        return maps

    def _sided(self, lengths: Tensor | None) -> Tensor | None:
        """Return how many columns are read, with those of zeros on both sides."""
        return None if lengths is None else self.reads(lengths) + 2 * int(self.conv.padding[1])

    def company(self, maps: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the features of pooled maps ``(N, F, 1, cells)`` and their margins, of which `lengths` are real."""
        lengths = None if lengths is None else lengths + sum(self.margin)
        lengths = out_lengths(lengths, self.context_width)
        z = rectified(self.context(maps), lengths, norm=self.context_norm, act=self.context_act)
        for block in self.blocks:
            z, lengths = block(z, lengths)
        found = [self.strongest(z, lengths), self.mean(z, lengths)]
        if self.places is not None:
            found.append(self.places(z, lengths))
        return torch.cat(found, 1)

    def head(self, z: Tensor) -> Tensor:  # noqa: D102
        logits: Tensor = self.out(self.drop(z))
        return logits

    def staged(self) -> tuple[Stages, ...]:  # noqa: D102
        if self.height > 1 or self.span is not None:  # few columns are soon computed
            return ()
        relu, side = Act(torch.relu, rising=True), int(self.conv.padding[1])
        act = torch.exp if isinstance(self.act, Exponential) else torch.relu
        steps: list[Step] = [Pad(side, side)] if side else []
        steps += [convolved(self.conv), Pool(self.pool_width), normed(self.norm), Act(act, rising=True)]
        steps += [Pad(*self.margin)] if sum(self.margin) else []
        steps += [convolved(self.context, self.context_norm), relu]
        for block in self.blocks:
            steps += [cast(Block, block).staged(), relu]
        summaries = [Summary("max"), Summary("mean")]
        if self.places is not None:
            summaries.append(Summary("flat", (convolved(self.places.conv, self.places.norm), relu)))
        width = None if self.fixed_width is None else max(self.fixed_width, self.minimum_width)
        layers = self.out if isinstance(self.out, nn.Sequential) else [self.out]
        return (Stages(folded(steps), tuple(summaries), *headed(layers), width=width),)


class Places(nn.Module):
    """A few features of every place, side by side: ``(N, C, 1, cells)`` to ``(N, bottleneck * cells)``."""

    def __init__(self, channels: int, bottleneck: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, bottleneck, 1, bias=False)
        self.norm, self.act = nn.BatchNorm2d(bottleneck), nn.ReLU()

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the features, zero beyond `lengths`."""
        return rectified(self.conv(x), lengths, norm=self.norm, act=self.act).flatten(1)
