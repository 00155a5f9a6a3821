"""What a network is made of and how it was trained, in sentences, from the model's own record."""

from collections.abc import Mapping
from typing import Any

from seqcnn.model.model import Model
from seqcnn.options import TrainOptions
from seqcnn.reporting.words import count, listed, number, plural
from seqcnn.training.ridge import STRENGTHS
from seqcnn.training.schedule import recipe_for


def closed_form(model: Model) -> bool:
    """Return whether the network was fitted at once, not trained in steps."""
    return "fit" in model.record.options


def parts(model: Model) -> list[tuple[str, int]]:
    """Return what the records were used for, and how many for each; a fit at once learns from the validation part too.

    ``[("training", 90), ("validation", 10)]``.
    """
    counts = {name: int(model.record.counts.get(name, 0)) for name in ("train", "valid", "test")}
    if closed_form(model):
        counts["train"], counts["valid"] = counts["train"] + counts["valid"], 0
    spoken = {"train": "training", "valid": "validation", "test": "testing"}
    return [(spoken[name], n) for name, n in counts.items() if n]


def smoothing(model: Model) -> float:
    """Return the share of each label that training gave to all classes; 0 for numbers."""
    told = model.record.options
    if model.task.numeric or closed_form(model) or not told:
        return 0.0
    given = TrainOptions(label_smoothing=told.get("label_smoothing"))
    return recipe_for(model.kind, max(1, model.record.counts.get("train", 1)), given).smoothing


def built(model: Model) -> str:
    """Return what the network is made of, in sentences."""
    network: Any = model.network
    name = type(network).__name__
    if getattr(network, "closed_form", False):
        return _random_filters(network, name)
    layers = [type(layer).__name__ for layer in network.modules() if not list(layer.children())]
    told = listed([f"{layers.count(kind)} {kind}" for kind in dict.fromkeys(layers)])
    summary = (type(network).__doc__ or "").strip().partition("\n")[0]
    text = f"{name}: {summary[:1].lower()}{summary[1:]} " if summary.endswith(".") else f"{name}. "
    text += f"It has {count(model.n_parameters)} trainable weights; its layers: {told}."
    first = getattr(network, "filters", None)
    if first is not None:
        height, width = first.kernel_size
        size = f"of {height} × {width} {_cells(model)}"
        if height == 1:
            size = f"{plural(width, 'position' if model.kind == 'codes' else 'point')} wide"
        text += f" The first layer has {plural(first.out_channels, 'filter')} {size}."
    if getattr(network, "fixed_width", None) is not None:
        text += " It reads by place"
        text += "." if model.encoder.width else f": images are at most {count(network.fixed_width)} columns wide."
    return text


def _cells(model: Model) -> str:
    return "cells" if getattr(model.encoder, "name", "") == "spectrogram" else "pixels"


def _random_filters(network: Any, name: str) -> str:
    """Say what a network of random filters and one linear layer is."""
    random = [bank.conv for bank in network.competing]
    steps = sorted({max(conv.dilation) for conv in random})
    sizes = listed([f"{h} × {w}" for h, w in dict.fromkeys(conv.kernel_size for conv in random)])
    spread = f"at {len(steps)} dilations from {steps[0]} to {steps[-1]}" if len(steps) > 1 else "without dilation"
    text = (
        f"{name}: {count(sum(conv.out_channels for conv in random))} filters of {sizes}, {spread}, on the image and on "
        "its differences from column to column. They are random and were never trained (ROCKET, Dempster et al. 2020). "
        "In groups of eight they compete: how much each wins by, and how often it comes last, are features (Hydra, "
        "Dempster et al. 2023)."
    )
    if len(network.running):
        fixed = sum(bank.conv.out_channels for bank in network.running)
        text += (
            f" Of {count(fixed)} more, with set weights of 2 and −1, the longest stretches above a few levels are "
            "features (after MultiRocket, Tan et al. 2022)."
        )
    weights = sum(p.numel() for p in network.parameters() if p.requires_grad)
    return f"{text} One linear layer of {count(weights)} weights reads the {count(network.out.in_features)} features."


def trained(model: Model) -> str:
    """Return how the network was trained, in sentences."""
    told = model.record.options
    if closed_form(model):
        return _fitted(model, told["fit"])
    if "teacher" in told:
        return " ".join(said for said in (_taught(told), _first_layer(told)) if said)
    together = "combined" in told
    text = _averaged(model, told) if together else _steps(model, told)
    for said in (_first_layer(told), _changed(model, told), _weighed(model), "" if together else _calibrated(model)):
        text += f" {said}" if said else ""
    return text


def _fitted(model: Model, chosen: Mapping[str, Any]) -> str:
    if not getattr(model.network, "closed_form", False):
        return "Fitted at once, to the least regularized loss, the strength by cross-validation."
    every = dict(parts(model)).get("training", 0)
    meant = "the targets" if model.task.numeric else "the classes as +1 and −1"
    if model.task.name == "circular":
        meant = "cosine and sine of the targets"
    text = f"The linear layer alone was fitted, at once, by ridge regression of {meant}"
    text += f" on the features of all {plural(every, 'record')}" if every else ""
    if isinstance(chosen.get("strength"), int | float):
        text += (
            f"; of {len(STRENGTHS)} strengths of the penalty, the one with the least exact leave-one-out error was "
            f"taken ({chosen['strength']:.3g} times the mean squared norm of the features)"
        )
    text += ". No epochs, no validation part and no random changes of records were needed."
    if model.task.numeric:
        return text
    return text + f" The logits were calibrated on the leave-one-out predictions: {_scaled(model)}."


def _steps(model: Model, told: Mapping[str, Any]) -> str:
    steered = bool(model.record.counts.get("valid", 0))
    text = "AdamW under a one-cycle schedule, "
    text += (
        "stopped early on the validation part, the weights with its least loss kept"
        if steered
        else "without a validation part, so that the last weights were kept"
    )
    text += f" ({numbers})" if (numbers := _numbers(told)) else ""
    if told.get("precision") == "bf16":
        text += ", in mixed precision (bfloat16)"
    used = listed([f"{n:,} for {part}" for part, n in parts(model)])
    return text + (f"; records: {used}." if used else ".")


def _numbers(told: Mapping[str, Any]) -> str:
    """Return the settings of a training in steps, with commas."""
    numbers = [
        f"{name} {told[key]:g}"
        for key, name in (("lr", "peak learning rate"), ("weight_decay", "weight decay"), ("batch_size", "batches of"))
        if isinstance(told.get(key), int | float)
    ]
    if isinstance(told.get("epochs"), int):
        numbers.append(f"at most {plural(told['epochs'], 'epoch')}")
    return ", ".join(numbers)


def _taught(told: Mapping[str, Any]) -> str:
    """Say how the teachers answer, and what the student learned of it."""
    teacher = told["teacher"]
    text = (
        f"{count(teacher['networks'])} networks of this design learned from the labels, each without a part of "
        "the records (AdamW under a one-cycle schedule, weights averaged over the last fifth of the steps)"
    )
    weights = {name: f"{float(weight):.2f}" for name, weight in teacher["weights"].items()}
    text += (
        "; they, k-mer regression and a kernel machine (Gaussian kernel ridge regression of how alike records are, by "
        "their words and, where one strand is read, by what stands where) answer together: the mean of the networks' "
        f"logits, times {weights['networks']}, the k-mers', times {weights['kmer']}, and the kernel machine's, times "
        f"{weights['kernel']}, summed. These weights make the likelihood of records they had not seen largest "
        "(stacking, Wolpert 1992). The network of this model learned to answer as they do, on the records and on "
        f"{count(teacher['made_up'])} sequences made of pieces of them (distillation, Hinton et al. 2015)"
    )
    if isinstance(teacher.get("agreement"), int | float):
        text += (
            f"; on such sequences that it had not seen, its logits and theirs correlate at {teacher['agreement']:.3f}"
        )
    return text + ". What the teachers said of records they had not seen is the out-of-fold prediction, and calibrates."


def _averaged(model: Model, told: Mapping[str, Any]) -> str:
    """Say what was averaged, and how."""
    number = count(told["combined"]["networks"])
    text = (
        f"{number} networks of one design learned from the labels, each without a part of the records (AdamW under a "
        f"one-cycle schedule, {_numbers(told)}; stopped early on a tenth of the others). The model holds all of them, "
        "unchanged, and answers with the mean of their logits"
    )
    if not model.task.numeric:
        text += (
            ", each brought to one scale by the mean and spread of its logits on that tenth, and calibrated on the "
            f"predictions for records that they had not seen: {_scaled(model)}"
        )
    return f"{text}. What follows on the first layer, and the curves, are those of the first of them."


def _first_layer(told: Mapping[str, Any]) -> str:
    if told.get("inherited_filters"):
        kept = plural(int(told["inherited_filters"]), "filter")
        moved = sorted(float(m) for m in told.get("inherited_moved") or (0,))
        text = f"First-layer filters started as the {kept} that mattered most to its teachers"
        seeded = told.get("seeded_motifs") or ()
        if any(seeded):
            words = "words enriched in the records that it learned from"
            least = "" if min(seeded) == max(seeded) else f"{min(seeded)} to "
            text += f", of whom each began with {least}{plural(max(seeded), 'motif')} grown from {words}"
        middle = moved[len(moved) // 2]
        return f"{text}; training moved them by {middle:.2f} (median of 1 - cosine; at most {moved[-1]:.2f})."
    if told.get("seeded_motifs"):
        seeded = plural(int(told["seeded_motifs"]), "motif")
        text = f"First-layer filters started from {seeded} grown from words enriched in the training records"
        moved = [float(m) for m in told.get("seeded_moved") or ()]
        if moved:
            text += f"; training moved them by {min(moved):.2f} to {max(moved):.2f} (1 - cosine)"
        return text + "."
    if told.get("fixed_filters"):
        fixed = int(told["fixed_filters"])
        named = listed([str(name) for name in told.get("filters", ())])
        kept = "stayed as they were" if told.get("frozen") else "were trained on"
        return f"The first {plural(fixed, 'filter')} of the first layer came from {named or 'elsewhere'} and {kept}."
    return ""


def _changed(model: Model, told: Mapping[str, Any]) -> str:
    """Say what was done to training records and their labels."""
    said = []
    names = [str(name).replace("_", " ") for name in told.get("augment") or ()]
    if names:
        strength = told.get("strength")
        how = f" (strength {strength:g})" if isinstance(strength, int | float) else ""
        said.append(f"Training batches were changed at random by {listed(names)}{how}")
    mixed = [f"{name} (alpha {told[name]:g})" for name in ("mixup", "cutmix") if told.get(name)]
    if mixed:
        said.append(f"pairs of records were mixed by {listed(mixed, 'or')}")
    share = smoothing(model)
    if share:
        said.append(f"{100 * share:.3g}% of each label was given to all classes alike (label smoothing)")
    text = "; ".join(said)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _weighed(model: Model) -> str:
    return "Rare classes weighed more in the training loss." if any(model.task.prior_shift) else ""


def _calibrated(model: Model) -> str:
    if model.task.numeric:
        return ""
    if not model.record.counts.get("valid", 0):
        return "There were no validation records to calibrate the logits on."
    if model.record.calibration.get("on") == "folds":
        return (
            "The logits were then calibrated on the out-of-fold predictions, those of each network brought to one "
            f"scale by the mean and spread of its logits on its validation part: {_scaled(model)}."
        )
    return f"The logits were then calibrated on the validation part: {_scaled(model)}."


def _scaled(model: Model) -> str:
    if model.task.name == "multiclass":
        return "one scale for all, and an offset for each class (Guo et al. 2017)"
    pairs = [(name, model.record.calibration.get(key)) for name, key in (("scale", "scale"), ("offset", "bias"))]
    known = [f"{name} {number(value)}" for name, value in pairs if isinstance(value, int | float)]
    return "scaled and shifted" + (f" ({', '.join(known)})" if known else "")


def settled(model: Model) -> str:
    """Return what was found by comparison on the training records and is no matter of strands, in sentences."""
    said = []
    choices = model.record.choices
    found = choices.get("normalize", {})
    if found.get("how") == "compared":
        better = "level and size help" if found["chosen"] == "set" else "level and size do not help"
        said.append(
            "Whether series are normalized each by itself or all on one scale was found by random filters and "
            f"leave-one-out on training records: {better}."
        )
    found = choices.get("mirror", {})
    if found.get("how") == "compared":
        result = "it read those of held-out pictures as well, so about half of each batch was mirrored in training"
        if found["chosen"] != "mirrored":
            result = "it read those of held-out pictures less well, so none was used in training"
        if "rise" not in found.get("figures", {}):
            result = "it learned too little to tell, so none was used in training"
        said.append(f"Whether mirror images mean the same was asked of a short training without any: {result}.")
    return " ".join(said)
