"""The architectures, described: layers with their shapes, parameters, memory and shortest input."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from seqcnn.networks import Network, create, options
from seqcnn.registry import REGISTRY, names

#: What a description is drawn up for: sequences of 4 letters, 200 long, or what a network is made for.
_SHAPES: dict[str, dict[str, int]] = {
    "basset": {"in_channels": 4, "height": 1, "width": 600},
    "lenet": {"in_channels": 1, "height": 28, "width": 28},
}
_DEFAULT_SHAPE = {"in_channels": 4, "height": 1, "width": 200}


@dataclass(frozen=True)
class Layer:
    """One layer: its name in the network, its kind with the settings that matter, its output, its parameters."""

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int


@dataclass(frozen=True)
class Description:
    """One architecture for one shape of image.

    Parameters
    ----------
    name, summary
        Registered name, and what it is in a line.
    options
        Options with their defaults.
    image
        ``(C, H, W)`` that the shapes are for.
    layers
        In the order they run; dropout and containers are left out.
    parameters
        Number of trained values.
    shortest
        Columns of the image that the network needs; shorter records get zeros up to it.
    fixed_width
        Longest record it takes as described, None for any.
    memory
        Bytes of the activations of one record, without those of training.
    """

    name: str
    summary: str
    options: dict[str, Any]
    image: tuple[int, int, int]
    layers: tuple[Layer, ...]
    parameters: int
    shortest: int
    fixed_width: int | None
    memory: int

    def rows(self) -> list[list[str]]:
        """Return the layers as rows of text under a header: layer, kind, output, parameters."""
        body = [
            [layer.name, layer.kind, " x ".join(map(str, layer.shape)), f"{layer.parameters:,}"]
            for layer in self.layers
        ]
        return [["layer", "kind", "output", "parameters"], *body]

    def __str__(self) -> str:
        wide = "any length" if self.fixed_width is None else f"records of at most {self.fixed_width}, as built here"
        lines = [
            f"{self.name}: {self.summary}",
            f"for an image of {' x '.join(map(str, self.image))} (channels x height x width) and 1 output",
            "",
            *_aligned(self.rows()),
            "",
            f"parameters       {self.parameters:,}",
            f"shortest input  {self.shortest} columns; {wide}",
            f"memory           {self.memory / 1024:,.0f} KiB of activations a record",
        ]
        if self.options:
            lines.append(f"options          {', '.join(f'{key}={value!r}' for key, value in self.options.items())}")
        return "\n".join(lines)


def describe(name: str, *, outputs: int = 1, **shape: int) -> Description:
    """Describe one registered network; `shape` may hold in_channels, height and width of the images.

    Raises
    ------
    OptionError
        If no network has that name (with a did-you-mean), or the images are too small for it.

    Examples
    --------
    >>> described = describe("deepbind")
    >>> described.layers[0]
    Layer(name='conv', kind='Conv2d 1x24', shape=(64, 1, 177), parameters=6208)
    >>> described.shortest, described.fixed_width
    (24, None)
    """
    settings = options(name)
    image = {**_SHAPES.get(name, _DEFAULT_SHAPE), **shape}
    with torch.random.fork_rng():  # the weights are of no interest, and the caller's random numbers are the caller's
        network = create(name, outputs=outputs, **image).eval()
    layers = _layers(network, image)
    return Description(
        name=name,
        summary=REGISTRY["network"][name].summary,
        options=settings,
        image=(image["in_channels"], image["height"], image["width"]),
        layers=layers,
        parameters=sum(p.numel() for p in network.parameters()),
        shortest=network.minimum_width,
        fixed_width=network.fixed_width,
        memory=4 * sum(torch.Size(layer.shape).numel() for layer in layers),
    )


def overview() -> list[list[str]]:
    """Return a row of text for each registered network, under a header: name, parameters, shortest input, summary."""
    rows = [["network", "parameters", "shortest input", ""]]
    for name in names("network"):
        described = describe(name)
        field = "the whole window" if described.fixed_width else str(described.shortest)
        rows.append([name, f"{described.parameters:,}", field, described.summary])
    return rows


def networks(name: str | None = None) -> str:
    """Return what ``seqcnn networks [NAME]`` shows: a table of the architectures, or one in full.

    >>> print(networks().splitlines()[0])
    network      parameters  shortest input
    """
    return "\n".join(_aligned(overview())) if name is None else str(describe(name))


def _layers(network: Network, image: dict[str, int]) -> tuple[Layer, ...]:
    """Return the layers that a forward pass runs through, in order."""
    found: list[Layer] = []
    hooks, ours = [], ""

    def note(label: str, module: nn.Module) -> None:
        def hook(_: nn.Module, __: Any, output: Tensor) -> None:
            count = sum(p.numel() for p in module.parameters())
            found.append(Layer(label, _kind(module), tuple(output.shape[1:]), count))

        hooks.append(module.register_forward_hook(hook))

    for label, module in network.named_modules():
        if (ours and label.startswith(ours)) or isinstance(module, (nn.Dropout, nn.Dropout2d)):
            continue
        if type(module).__module__.startswith("seqcnn.nn."):
            ours = f"{label}."  # a layer of our own counts as one
            note(label, module)
        elif not list(module.children()):
            note(label or "linear", module)
    with torch.inference_mode():
        network(torch.zeros(1, image["in_channels"], image["height"], image["width"]))
    for registered in hooks:
        registered.remove()
    return tuple(found)


def _kind(module: nn.Module) -> str:
    """Return the class of a layer, with the size of its kernel where it has one."""
    size = getattr(module, "kernel_size", None)
    if size is None:
        return type(module).__name__
    sides = size if isinstance(size, tuple) else (size, size)
    return f"{type(module).__name__} {'x'.join(map(str, sides))}"


def _aligned(rows: list[list[str]]) -> list[str]:
    """Return rows as lines whose columns are aligned; numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    right = [i for i, column in enumerate(zip(*rows, strict=True)) if column[0] == "parameters"]
    lines = []
    for row in rows:
        sized = enumerate(zip(row, widths, strict=True))
        cells = [cell.rjust(width) if i in right else cell.ljust(width) for i, (cell, width) in sized]
        lines.append("  ".join(cells).rstrip())
    return lines
