"""Which frame to correct next, told from the quality of all frames: the agent of IVOS-W.

Yin, Zheng, Xia, Lu, Xu, Huang: "Learning to Recommend Frame for Interactive Video Object Segmentation in the Wild",
CVPR 2021, with the key names of its `agent.pt`. It sees neither pictures nor masks.
"""
from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.checkpoint import load_into, load_state

_WIDTH = 128


class QualityAgent(nn.Module):
    """The network of `agent.pt` (10 tensors): what correcting each frame would be worth."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder_fc1 = nn.Linear(2, _WIDTH)
        self.encoder_fc2 = nn.Linear(_WIDTH, _WIDTH)
        self.lstm_cell = nn.LSTMCell(_WIDTH, _WIDTH, bias=False)
        self.decoder_fc1 = nn.Linear(2 * _WIDTH, _WIDTH)
        self.decoder_fc2 = nn.Linear(_WIDTH, 1)

    def forward(self, state: Tensor) -> Tensor:
        """Value every frame of a video.

        Args:
            state: [N, T, 2]: quality 0..1 of a frame, and how many times it was annotated so far.

        Returns:
            [N, T]; the frame with the highest value is the one to correct.
        """
        frames = self.encoder_fc2(F.relu(self.encoder_fc1(state)))
        forward, backward = self._walk(frames), self._walk(frames.flip(1)).flip(1)
        return self.decoder_fc2(F.relu(self.decoder_fc1(F.relu(torch.cat([forward, backward], 2)))))[..., 0]

    def _walk(self, frames: Tensor) -> Tensor:
        """What is known at each frame of those up to it: [N, T, C] -> [N, T, C]; one cell serves both directions."""
        hidden = cell = frames.new_zeros(len(frames), _WIDTH)
        seen = []
        for frame in frames.unbind(1):
            hidden, cell = self.lstm_cell(frame, (hidden, cell))
            seen.append(hidden)
        return torch.stack(seen, 1)


def load_quality_agent(path: Path) -> QualityAgent:
    """The network of a published file; in eval mode, on the CPU, float32.

    Raises:
        AppError: the file cannot be read or holds something else.
    """
    network = QualityAgent()
    load_into(network, load_state(path), path)
    return network.eval().requires_grad_(False)
