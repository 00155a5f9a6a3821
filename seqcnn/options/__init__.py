"""The options of each verb, one frozen dataclass a verb, shared by shell, config file and notebook."""

from seqcnn.options.check import CheckOptions
from seqcnn.options.data import DataOptions
from seqcnn.options.demo import DemoOptions
from seqcnn.options.explain import ExplainOptions
from seqcnn.options.mapping import from_mapping
from seqcnn.options.motifs import MotifOptions, SitesOptions
from seqcnn.options.region import RegionOptions
from seqcnn.options.score import ScoreOptions
from seqcnn.options.train import TrainOptions
from seqcnn.options.variants import VariantsOptions

__all__ = [
    "CheckOptions",
    "DataOptions",
    "DemoOptions",
    "ExplainOptions",
    "MotifOptions",
    "RegionOptions",
    "ScoreOptions",
    "SitesOptions",
    "TrainOptions",
    "VariantsOptions",
    "from_mapping",
]
