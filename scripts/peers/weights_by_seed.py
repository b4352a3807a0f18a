"""Random weights for the networks that are exported to be compared with."""
import torch


def randomise(model):
    """Weights and statistics as large as after training, also where the models begin with zeros."""
    random = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in model.parameters():
            if p.dim() < 2:
                p.add_(0.2 * torch.randn(p.shape, generator=random))
            else:
                p.copy_(torch.randn(p.shape, generator=random) * max(p[0].numel(), 4) ** -0.5)
        for name, b in model.named_buffers():
            if name.endswith("running_mean"):
                b.copy_(0.2 * torch.randn(b.shape, generator=random))
            elif name.endswith("running_var"):
                b.copy_(0.5 + torch.rand(b.shape, generator=random))
