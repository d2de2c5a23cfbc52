"""How fast does a sparse autoencoder train, and what does it find? TopK and BatchTopK, d = 128 to 1024 latents, k = 16.

Speed: samples a second on planted sparse data, the ways in turns, against the plain loop one would write first (dense
codes, autograd through all of them) and against sae-lens where it is installed; each at the better of two learning
rates. What is found: at the middle block of the base `tiny`, over three seeds, with its unexplained variance, the
cross-entropy recovered, and how well latents match what the world knows of its authors, beside the match that permuted
samples give.
"""

from __future__ import annotations

import importlib.util
import statistics
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.peers import median, take_turns, threads
from organoid.lab.bases import load_base
from organoid.lab.latents import labelled_activations
from organoid.measure.matching import matched_correlation
from organoid.models.batches import by_length, collate
from organoid.models.hooks import capture
from organoid.models.language_model import LanguageModel
from organoid.models.sparse_autoencoder import SaeConfig, SparseAutoencoder, quality, train_sae
from organoid.models.spliced import spliced

WIDTH, LATENTS, K = 128, 1024, 16
NUM_SPEED, NUM_FOUND, NUM_REPLIES = 400_000, 300_000, 3000
NUM_TURN, TURNS = 51_200, 7
SEEDS = 3
BATCH = 512
RATES = (2e-3, 4e-3)


def run() -> dict[str, float | str]:
    """Return samples a second and FVU of each way, and what autoencoders of a base find."""
    with threads(1):
        return _speed() | _found()


# ---- speed ------------------------------------------------------------------------------------------------


def _speed() -> dict[str, float | str]:
    acts_ND, unseen_ND = _planted(0, 40_000), _planted(1, 5_000)
    config = SaeConfig(num_latents=LATENTS, k=K, num_samples=NUM_SPEED, batch_size=BATCH)
    ways: dict[str, Callable[[SaeConfig], Any]] = {
        "topk": lambda settings: train_sae(acts_ND, settings),
        "batch_topk": lambda settings: train_sae(acts_ND, replace(settings, kind="batch-topk")),
        "plain_loop": lambda settings: _plain(acts_ND, settings),
    }
    numbers: dict[str, float | str] = {}
    if importlib.util.find_spec("sae_lens") is None:
        numbers["sae_lens"] = "skipped: not installed; it cannot share an environment with transformer-lens 4"
    else:
        ways["sae_lens"] = lambda settings: _peer(acts_ND, settings)
    best = dict[str, float]()
    for name, train in ways.items():
        tried = list[tuple[float, float]]()
        for rate in RATES:
            sae = train(replace(config, learning_rate=rate))
            error = float((sae(unseen_ND) - unseen_ND).square().sum())
            tried.append((error / float((unseen_ND - unseen_ND.mean(0)).square().sum()), rate))
        numbers[f"speed_{name}_fvu"], best[name] = min(tried)
    times = take_turns(
        {
            name: partial(train, replace(config, num_samples=NUM_TURN, learning_rate=best[name]))
            for name, train in ways.items()
        },
        turns=TURNS,
    )
    for name in ways:
        numbers[f"speed_{name}_samples_per_s"] = NUM_TURN / median(times, name)
        ratios = [one / ours for one, ours in zip(times[name], times["topk"], strict=True)]
        numbers[f"speed_{name}_over_topk"] = statistics.median(ratios)
        numbers[f"speed_{name}_over_topk_range"] = f"[{min(ratios):.2f}, {max(ratios):.2f}]"
    return numbers


def _planted(seed: int, num: int) -> Tensor:
    """Sums of 16 of 512 fixed directions, with a little noise."""
    directions_GD = F.normalize(torch.randn(512, WIDTH, generator=torch.Generator().manual_seed(99)), dim=-1)
    generator = torch.Generator().manual_seed(seed)
    places_NK = torch.rand(num, 512, generator=generator).topk(K, dim=-1).indices
    sizes_NK = 0.5 + torch.rand(num, K, generator=generator)
    acts_ND = torch.zeros(num, 512).scatter(1, places_NK, sizes_NK) @ directions_GD
    return acts_ND + 0.05 * torch.randn(num, WIDTH, generator=generator)


def _plain(acts_ND: Tensor, config: SaeConfig) -> Any:
    """The loop one would write first: dense codes, autograd through all of them, no auxiliary loss."""
    torch.manual_seed(config.seed)
    decoder_FD = F.normalize(torch.randn(LATENTS, WIDTH), dim=-1)
    encoder_FD, decoder_FD = decoder_FD.clone().requires_grad_(True), decoder_FD.clone().requires_grad_(True)
    bias_F, centre_D = torch.zeros(LATENTS, requires_grad=True), acts_ND.mean(0).clone().requires_grad_(True)
    optimizer = torch.optim.Adam([encoder_FD, decoder_FD, bias_F, centre_D], lr=config.learning_rate)

    def reconstructed(batch_BD: Tensor) -> Tensor:
        codes_BF = F.relu(F.linear(batch_BD - centre_D, encoder_FD, bias_F))
        values_BK, places_BK = codes_BF.topk(K, dim=-1)
        return torch.zeros_like(codes_BF).scatter(-1, places_BK, values_BK) @ decoder_FD + centre_D

    for _ in range(-(-config.num_samples // BATCH)):
        batch_BD = acts_ND[torch.randint(len(acts_ND), (BATCH,))]
        optimizer.zero_grad()
        torch.autograd.backward((reconstructed(batch_BD) - batch_BD).square().mean())
        optimizer.step()
        with torch.no_grad():
            decoder_FD /= torch.linalg.vector_norm(decoder_FD, dim=-1, keepdim=True)
    return lambda acts: reconstructed(acts).detach()


def _peer(acts_ND: Tensor, config: SaeConfig) -> Any:
    lens: Any = importlib.import_module("sae_lens")
    trainer_module: Any = importlib.import_module("sae_lens.training.sae_trainer")
    settings: Any = importlib.import_module("sae_lens.config")
    sae = lens.TopKTrainingSAE(lens.TopKTrainingSAEConfig(d_in=WIDTH, d_sae=LATENTS, k=K, device="cpu"))

    def batches() -> Any:
        while True:
            yield acts_ND[torch.randint(len(acts_ND), (BATCH,))]

    trainer = trainer_module.SAETrainer(
        cfg=settings.SAETrainerConfig(
            n_checkpoints=0,
            checkpoint_path=None,
            save_final_checkpoint=False,
            total_training_samples=config.num_samples,
            device="cpu",
            autocast=False,
            lr=config.learning_rate,
            lr_end=config.learning_rate / 10,
            lr_scheduler_name="constant",
            lr_warm_up_steps=0,
            adam_beta1=0.9,
            adam_beta2=0.99,
            lr_decay_steps=config.num_samples // BATCH // 5,
            n_restart_cycles=1,
            train_batch_size_samples=BATCH,
            dead_feature_window=40,
            feature_sampling_window=2000,
            logger=settings.LoggingConfig(log_to_wandb=False),
        ),
        sae=sae,
        data_provider=batches(),
    )
    trained = trainer.fit()
    return lambda acts: trained(acts).detach()


# ---- what is found ----------------------------------------------------------------------------------------


def _found() -> dict[str, float | str]:
    lm = load_base("tiny")
    layer = lm.num_layers // 2
    known = labelled_activations(lm, num=2 * NUM_REPLIES, layer=layer, seed=0)
    train_ND, test_ND = (
        _every_position(lm, known.rows[:NUM_REPLIES], layer),
        _every_position(lm, known.rows[NUM_REPLIES:], layer),
    )
    numbers: dict[str, float | str] = {}
    for kind in ("topk", "batch-topk"):
        config = SaeConfig(num_latents=LATENTS, k=K, kind=kind, num_samples=NUM_FOUND)
        seeds = [train_sae(train_ND, replace(config, seed=seed)) for seed in range(SEEDS)]
        rows: dict[str, list[float]] = {}
        for sae in seeds:
            found = quality(sae, test_ND)._asdict() | _matched(sae, known)
            lost = spliced(lm, known.rows[-500:], layer, sae, mean_D=train_ND.mean(0))
            for name, value in {**found, "ce_recovered": cast(float, lost.recovered)}.items():
                rows.setdefault(name, []).append(value)
        for name, values in rows.items():
            numbers[f"found_{kind}_{name}"] = statistics.mean(values)
            numbers[f"found_{kind}_{name}_sd"] = statistics.stdev(values)
        nearest_F = (seeds[0].decoder_FD @ seeds[1].decoder_FD.T).max(-1).values
        numbers[f"found_{kind}_same_latent_in_another_seed_frac"] = float((nearest_F > 0.9).float().mean())
    return numbers


def _matched(sae: SparseAutoencoder, known: Any) -> dict[str, float]:
    halves = [
        (sae.encode(known.acts_ND[part]).numpy(), known.latents_NG[part])
        for part in (slice(0, NUM_REPLIES), slice(NUM_REPLIES, None))
    ]
    match = matched_correlation(*halves[0], held_out=halves[1])
    raw = matched_correlation(
        known.acts_ND[:NUM_REPLIES].numpy(),
        halves[0][1],
        held_out=(known.acts_ND[NUM_REPLIES:].numpy(), halves[1][1]),
    )
    of = dict(zip(known.names, match.correlation_G.tolist(), strict=True))
    groups = {
        f"matched_{group.replace(' ', '_')}": statistics.mean(
            value for name, value in of.items() if name.startswith(group)
        )
        for group in ("trait", "context", "disposition", "acts badly")
    }
    by_dimension = dict(zip(known.names, raw.correlation_G.tolist(), strict=True))
    return groups | {
        "matched": match.mean,
        "matched_null": match.null,
        "raw_dimensions_matched": raw.mean,
        "raw_dimensions_matched_acts_badly": by_dimension["acts badly"],
    }


def _every_position(lm: LanguageModel, rows: list[Any], layer: int) -> Tensor:
    """Return the residual activations at every position of every row, shape (N, D)."""
    acts = list[Tensor]()
    for group in by_length(rows, max_tokens=8192):
        batch = collate([rows[index] for index in group])
        with torch.no_grad(), capture(lm.model, layers=[layer]) as captured:
            cast(Any, lm.model).base_model(input_ids=batch.ids_BT, use_cache=False)
        acts += [captured[layer][place, : len(rows[index].ids)] for place, index in enumerate(group)]
    return torch.cat(acts)
