"""Looking inside: arrays in, arrays out, nothing is drawn. For the REPL, lessons and notebooks.

| question                                               | answer                                      |
|--------------------------------------------------------|---------------------------------------------|
| what does the model make of this text?                 | `look`: ids, tokens, every intermediate     |
| what does one token show?                              | `token_text`                                |
| who looks at whom?                                     | `attention`, `attention_summary`            |
| how does the vector move from layer to layer?          | `layer_vectors`                             |
| which tokens make two sentences alike, or unlike?      | `similarity_gradient`                       |
| what does a head contribute?                           | `ablate_head`, `ablate_every_head`          |
| which neurons does the text excite?                    | `neurons`, `neuron_tokens`                  |
| what would come next, and how surprising was it?       | `next_tokens`, `surprise`                   |
| what would another pooling give?                       | `poolings`                                  |
| where do the vectors lie on a map?                     | `principal_components`                      |
| where do the milliseconds go?                          | `forward_times`                             |
| what happens, step by step?                            | `trace_steps`                               |

Arrays lie where the model computes; `backend.to_numpy` brings them to the host. Texts are read as
`Encoder.encode` reads them: default prompt in front, cut at the window. Layers, heads, neurons and tokens are
counted from 0.
"""

from .ablation import ablate_every_head, ablate_head
from .attention import AttentionSummary, attention, attention_summary
from .gradient import SimilarityGradient, similarity_gradient
from .guesses import Guesses, Surprise, next_tokens, surprise
from .layer_vectors import layer_vectors
from .look import Look, Reading, look, read, token_text
from .neurons import Neuron, neuron_tokens, neurons
from .pooled import pooled, pooled_backward, poolings
from .projection import Projection, principal_components
from .times import forward_times
from .trace import Step, trace_steps

__all__ = [
    "AttentionSummary",
    "Guesses",
    "Look",
    "Neuron",
    "Projection",
    "Reading",
    "SimilarityGradient",
    "Step",
    "Surprise",
    "ablate_every_head",
    "ablate_head",
    "attention",
    "attention_summary",
    "forward_times",
    "layer_vectors",
    "look",
    "neuron_tokens",
    "neurons",
    "next_tokens",
    "pooled",
    "pooled_backward",
    "poolings",
    "principal_components",
    "read",
    "similarity_gradient",
    "surprise",
    "token_text",
    "trace_steps",
]
