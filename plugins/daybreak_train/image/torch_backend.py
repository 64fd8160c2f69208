"""The back end of PyTorch: the same network, data and draws, on a processor or a graphics processor.

Images lie on the device as bytes; a step gathers, shifts and normalises them there. Precisions below
float32 are PyTorch's own mixed precision: parameters stay float32.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daybreak import RequirementError
from daybreak_train.data import ImageData
from daybreak_train.image.choice import Choice
from daybreak_train.image.network import Network
from daybreak_train.image.updates import BETA1, BETA2, EPSILON, MOMENTUM

__all__ = ["TorchBackend", "TorchModel"]

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]

#: images that are evaluated at once
_LOOK = 512


class TorchBackend:
    """Makes models that compute with PyTorch; see `daybreak_train.image.backends`."""

    def __init__(self, data: ImageData, device: str) -> None:
        torch = _import_torch()
        self._torch = torch
        if device.startswith("cuda"):
            _check_gpu(torch, device)
        self._device = torch.device(device)
        self._threads = torch.get_num_threads()
        self.identity: Mapping[str, str] = {"torch": torch.__version__, "device": device}
        if self._device.type == "cuda":
            self.identity = {**self.identity, "gpu": torch.cuda.get_device_name(self._device)}
        self._parts = {
            name: (
                torch.from_numpy(getattr(data, name).images).to(self._device),
                torch.from_numpy(getattr(data, name).labels).to(self._device),
            )
            for name in ("train", "validation", "test")
        }
        self._scale = data.mean, data.deviation
        # the first step of an optimizer imports a large part of PyTorch: here, not in a trial
        some = torch.zeros(1, requires_grad=True)
        some.grad = torch.zeros(1)
        torch.optim.SGD([some], lr=0.0).step()

    def model(self, network: Network, choice: Choice, parameters: Floats) -> Any:
        """Return a model."""
        if self._device.type == "cpu":
            self._torch.set_num_threads(choice.threads)
        return TorchModel(
            self._torch, self._device, self._parts, self._scale, network, choice, parameters
        )

    def close(self) -> None:
        """Free the device's memory, and give PyTorch its threads back."""
        self._parts = {}
        self._torch.set_num_threads(self._threads)
        if self._device.type == "cuda":
            self._torch.cuda.empty_cache()


class TorchModel:
    """A network in training; see `daybreak_train.image.backends.Model`."""

    def __init__(
        self,
        torch: Any,
        device: Any,
        parts: Mapping[str, tuple[Any, Any]],
        scale: tuple[float, float],
        network: Network,
        choice: Choice,
        parameters: Floats,
    ) -> None:
        self._torch, self._device, self._parts, self._scale = torch, device, parts, scale
        self._network = network
        self._shift = choice.shift
        self._tensors = {
            name: torch.from_numpy(view.copy()).to(device).requires_grad_()
            for name, view in network.views(parameters).items()
        }
        self._optimizer = _optimizer(torch, choice.optimizer, list(self._tensors.values()), device)
        precision = choice.precision
        self._autocast = precision in ("bfloat16", "float16")
        self._type = getattr(torch, precision) if self._autocast else torch.float32
        # gradients of float16 fall below its smallest number unless the loss is scaled up
        self._scaler = torch.amp.GradScaler(device.type, enabled=precision == "float16")
        self._tensor_cores = precision == "tf32"
        self._loss = torch.zeros((), dtype=torch.float64, device=device)
        self._steps = 0

    def _inputs(self, images: Any, offsets: Labels | None) -> Any:
        """Return images of bytes as the network sees them: shifted, normalised, float32."""
        torch = self._torch
        if offsets is not None and self._shift:
            height, width = images.shape[2:]
            framed = torch.nn.functional.pad(images, (self._shift,) * 4)
            corner = torch.from_numpy(np.ascontiguousarray(offsets)).to(self._device)
            rows = corner[:, 0, None] + torch.arange(height, device=self._device)
            columns = corner[:, 1, None] + torch.arange(width, device=self._device)
            number = torch.arange(len(images), device=self._device)
            images = framed[
                number[:, None, None, None],
                torch.arange(images.shape[1], device=self._device)[None, :, None, None],
                rows[:, None, :, None],
                columns[:, None, None, :],
            ]
        mean, deviation = self._scale
        return (images.float() - mean) / deviation

    def _scores(self, x: Any) -> Any:
        functional, tensors = self._torch.nn.functional, self._tensors
        with self._precision():
            for number, block in enumerate(self._network.blocks):
                x = functional.conv2d(
                    x, tensors[f"conv{number}.weight"], tensors[f"conv{number}.bias"], padding=1
                )
                if block.pool:
                    x = functional.max_pool2d(x, 2)
                x = functional.relu(x)
            x = functional.linear(x.flatten(1), tensors["dense.weight"], tensors["dense.bias"])
        return x.float()

    @contextlib.contextmanager
    def _precision(self) -> Any:
        """Compute in the chosen precision."""
        torch = self._torch
        with contextlib.ExitStack() as stack:
            if self._device.type == "cuda":
                flags = torch.backends
                before = flags.cuda.matmul.allow_tf32, flags.cudnn.allow_tf32
                flags.cuda.matmul.allow_tf32 = flags.cudnn.allow_tf32 = self._tensor_cores
                stack.callback(setattr, flags.cuda.matmul, "allow_tf32", before[0])
                stack.callback(setattr, flags.cudnn, "allow_tf32", before[1])
            if self._autocast:
                stack.enter_context(torch.autocast(self._device.type, dtype=self._type))
            yield

    def _batch(self, indices: Labels, offsets: Labels | None) -> tuple[Any, Any]:
        images, labels = self._parts["train"]
        chosen = self._torch.from_numpy(np.ascontiguousarray(indices)).to(self._device)
        return self._inputs(images[chosen], offsets), labels[chosen]

    def step(self, indices: Labels, offsets: Labels | None, rate: float) -> None:
        """Take one step."""
        torch = self._torch
        inputs, labels = self._batch(indices, offsets)
        loss = torch.nn.functional.cross_entropy(self._scores(inputs), labels)
        self._optimizer.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self._loss += loss.detach()
        self._steps += 1

    def synchronize(self) -> None:
        """Wait for the device."""
        if self._device.type == "cuda":
            self._torch.cuda.synchronize(self._device)

    def mean_loss(self) -> float:
        """Return the mean training loss since the last call."""
        mean = float(self._loss) / self._steps if self._steps else float("nan")
        self._loss.zero_()
        self._steps = 0
        return mean

    def evaluate(self, part: str) -> tuple[float, float]:
        """Return accuracy and mean loss on a part of the data."""
        torch = self._torch
        images, labels = self._parts[part]
        right = torch.zeros((), dtype=torch.int64, device=self._device)
        loss = torch.zeros((), dtype=torch.float64, device=self._device)
        with torch.no_grad():
            for at in range(0, len(labels), _LOOK):
                scores = self._scores(self._inputs(images[at : at + _LOOK], None))
                wanted = labels[at : at + _LOOK]
                right += (scores.argmax(1) == wanted).sum()
                loss += torch.nn.functional.cross_entropy(scores, wanted, reduction="sum")
        return int(right) / len(labels), float(loss) / len(labels)

    def logits(self, images: NDArray[np.uint8]) -> Floats:
        """Return the scores of images."""
        torch = self._torch
        with torch.no_grad():
            parts = [
                self._scores(
                    self._inputs(torch.from_numpy(images[at : at + _LOOK]).to(self._device), None)
                )
                for at in range(0, len(images), _LOOK)
            ]
            scores: Floats = torch.cat(parts).cpu().numpy()
        return scores

    def gradient(self, indices: Labels, offsets: Labels | None) -> Floats:
        """Return the gradient of the mean loss."""
        torch = self._torch
        inputs, labels = self._batch(indices, offsets)
        loss = torch.nn.functional.cross_entropy(self._scores(inputs), labels)
        # scaled as in a step, so that float16 is judged by what it computes there
        slopes = torch.autograd.grad(self._scaler.scale(loss), list(self._tensors.values()))
        scale = self._scaler.get_scale()
        return self._flat([slope / scale for slope in slopes])

    def parameters(self) -> Floats:
        """Return a copy of the parameters."""
        return self._flat([tensor.detach() for tensor in self._tensors.values()])

    def _flat(self, tensors: list[Any]) -> Floats:
        joined = self._torch.cat([tensor.reshape(-1).float() for tensor in tensors])
        flat: Floats = joined.cpu().numpy().copy()
        return flat

    def close(self) -> None:
        """Forget parameters and state."""
        self._tensors = {}


def _optimizer(torch: Any, name: str, tensors: list[Any], device: Any) -> Any:
    if name == "adam":
        return torch.optim.Adam(
            tensors, lr=1.0, betas=(BETA1, BETA2), eps=EPSILON, fused=device.type == "cuda" or None
        )
    if name == "momentum":
        return torch.optim.SGD(tensors, lr=1.0, momentum=MOMENTUM, nesterov=True)
    return torch.optim.SGD(tensors, lr=1.0)


def _import_torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise RequirementError(
            f"the back end torch needs PyTorch: {error}",
            field="backend",
            remedy="pip install 'daybreak[train-torch]'",
        ) from None
    return torch


def _check_gpu(torch: Any, device: str) -> None:
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    number = int(device.partition(":")[2] or 0)
    if number < count:
        return
    if torch.version.cuda is None and getattr(torch.version, "hip", None) is None:
        why, remedy = (
            f"this PyTorch ({torch.__version__}) is built for processors only",
            "pip install torch, in its build for your graphics processor; or device: cpu",
        )
    else:
        why = f"PyTorch finds {count} graphics processors"
        remedy = "nvidia-smi says what the driver sees; or device: cpu"
    raise RequirementError(f"there is no device '{device}': {why}", field="device", remedy=remedy)
