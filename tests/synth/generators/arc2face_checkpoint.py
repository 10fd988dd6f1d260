"""Arc2Face checkpoints of random weights in the published layout: tiny ones for tests, full-size ones for timings."""

import json
import math
from pathlib import Path

import torch
from diffusers.models import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel

WORDS = ("photo", "of", "id", "person")  # those of the prompt that have more than one letter
LETTERS = "abcdefghijklmnopqrstuvwxyz"
START, END = "<|startoftext|>", "<|endoftext|>"

# As published: Stable Diffusion 1.5 and its CLIP ViT-L/14.
UNET = {
    "sample_size": 64,
    "block_out_channels": [320, 640, 1280, 1280],
    "layers_per_block": 2,
    "cross_attention_dim": 768,
    "attention_head_dim": 8,
    "down_block_types": [*["CrossAttnDownBlock2D"] * 3, "DownBlock2D"],
    "up_block_types": ["UpBlock2D", *["CrossAttnUpBlock2D"] * 3],
}
TEXT = {
    "vocab_size": 49408,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "max_position_embeddings": 77,
    "hidden_act": "quick_gelu",
    "bos_token_id": 0,
    "eos_token_id": 2,
    "pad_token_id": 1,
}
VAE = {
    "sample_size": 512,
    "block_out_channels": [128, 256, 512, 512],
    "layers_per_block": 2,
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
}
SCHEDULER = {
    "_class_name": "PNDMScheduler",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
    "steps_offset": 1,
    "trained_betas": None,
    "clip_sample": False,
}
TINY_VAE = {"latent_channels": 4}

# The same networks, narrow: 64 px pictures. The text encoder must hold vectors of 512 numbers.
SMALL_UNET = UNET | {
    "sample_size": 8,
    "block_out_channels": [32, 64],
    "layers_per_block": 1,
    "cross_attention_dim": 512,
    "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
    "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"],
}
SMALL_TEXT = TEXT | {
    "vocab_size": 128,
    "hidden_size": 512,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}
SMALL_VAE = VAE | {
    "sample_size": 64,
    "block_out_channels": [16, 16, 16, 16],
    "norm_num_groups": 8,
    "layers_per_block": 1,
}
SMALL_TINY_VAE = TINY_VAE | {
    "encoder_block_out_channels": [16, 16, 16, 16],
    "decoder_block_out_channels": [16, 16, 16, 16],
    "num_encoder_blocks": [1, 1, 1, 1],
    "num_decoder_blocks": [1, 1, 1, 1],
}

VAE_NAMES = (("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn"))  # ours, published


def write_checkpoint(folder, *, full_size=False, seed=0):
    """Writes weights and base model under `folder`; returns the two folders, as Arc2Face's options take them.

    Full size: 860 M + 123 M + 84 M random numbers, as float16 files of 2.1 GB.
    """
    weights, base = Path(folder) / "weights", Path(folder) / "base"
    unet, text, vae = (UNET, TEXT, VAE) if full_size else (SMALL_UNET, SMALL_TEXT, SMALL_VAE)
    dtype = torch.float16 if full_size else torch.float32
    write_model(weights / "arc2face", UNet2DConditionModel, unet, dtype, seed)
    write_encoder(weights / "encoder", text, dtype, seed + 1)
    write_model(base / "vae", AutoencoderKL, vae, dtype, seed + 2, rename=published_vae_name)
    write_tokenizer(base / "tokenizer", text["vocab_size"])
    write_json(base / "scheduler" / "scheduler_config.json", SCHEDULER)
    return weights, base


def write_tiny_vae(folder, *, full_size=False, seed=3):
    """Writes a folder like madebyollin/taesd; returns it."""
    config, dtype = (TINY_VAE, torch.float16) if full_size else (SMALL_TINY_VAE, torch.float32)
    return write_model(Path(folder), AutoencoderTiny, config, dtype, seed)


def write_lora(path, weights, *, rank=4, alpha=2.0, seed=4):
    """Writes a LoRA of the UNet in folder `weights`, named like latent-consistency/lcm-lora-sdv1-5; returns its path.

    As published it adapts attention, feed-forward and residual blocks with their time projections and resampling.
    """
    with torch.device("meta"):
        unet = UNet2DConditionModel(**json.loads((Path(weights) / "arc2face" / "config.json").read_text()))
    adapted = ("to_q", "to_k", "to_v", "to_out.0", "proj_in", "proj_out", "ff.net.0.proj", "ff.net.2")
    adapted += ("conv1", "conv2", "conv_shortcut", "downsamplers.0.conv", "upsamplers.0.conv", "time_emb_proj")
    shapes = {}
    for name, module in unet.named_modules():
        if name.endswith(adapted):
            out_channels, in_channels, *kernel = module.weight.shape
            key = "lora_unet_" + name.replace(".", "_")
            shapes[f"{key}.lora_down.weight"] = (rank, in_channels, *kernel)
            shapes[f"{key}.lora_up.weight"] = (out_channels, rank, *[1 for _ in kernel])
            shapes[f"{key}.alpha"] = ()
    tensors = random_tensors(shapes, torch.float32, seed)
    tensors |= {name: torch.tensor(alpha) for name in shapes if name.endswith("alpha")}
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path)
    return Path(path)


def write_model(folder, model, config, dtype, seed, rename=lambda name: name):
    """Writes a diffusers model of random weights: its config.json and diffusion_pytorch_model.safetensors."""
    with torch.device("meta"):
        shapes = {rename(name): value.shape for name, value in model(**config).state_dict().items()}
    write_json(folder / "config.json", {"_class_name": model.__name__, "_diffusers_version": "0.6.0"} | config)
    save_file(random_tensors(shapes, dtype, seed), folder / "diffusion_pytorch_model.safetensors")
    return folder


def write_encoder(folder, config, dtype, seed):
    """Writes config.json and pytorch_model.bin of a CLIP text model, its names prefixed as published."""
    with torch.device("meta"):
        names = CLIPTextModel(CLIPTextConfig(**config)).state_dict()
    shapes = {"text_model." + name.removeprefix("text_model."): value.shape for name, value in names.items()}
    write_json(folder / "config.json", {"model_type": "clip_text_model"} | config)
    torch.save(random_tensors(shapes, dtype, seed), folder / "pytorch_model.bin")


def write_tokenizer(folder, vocab_size):
    """Writes a CLIP tokenizer of `vocab_size` tokens whose last two are start and end, as in CLIP's."""
    merges = list(dict.fromkeys(merge for word in WORDS for merge in merges_of(word)))
    tokens = [*LETTERS, *(letter + "</w>" for letter in LETTERS), *(left + right for left, right in merges)]
    tokens += [f"<|unused{number}|>" for number in range(vocab_size - 2 - len(tokens))]
    vocabulary = {token: number for number, token in enumerate([*tokens, START, END])}
    write_json(folder / "vocab.json", vocabulary)
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *(" ".join(merge) for merge in merges)]) + "\n")
    special = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END}
    write_json(folder / "special_tokens_map.json", special)
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77} | special)


def merges_of(word):
    """Returns the byte-pair merges that make one token of a word, letter by letter from its start."""
    parts = [*word[:-1], word[-1] + "</w>"]
    return [("".join(parts[:end]), parts[end]) for end in range(1, len(parts))]


def published_vae_name(name):
    """Returns the name of a tensor in the published VAE, which is older than diffusers' names of today."""
    for ours, published in VAE_NAMES:
        name = name.replace(f"attentions.0.{ours}.", f"attentions.0.{published}.")
    return name


def random_tensors(shapes, dtype, seed):
    """Returns tensors that keep the size of what passes through them.

    Numbers are cut from one pool at places of no pattern: as quick as copying, which counts at full size.
    """
    size = 1_000_003
    pool = torch.randn(size, generator=torch.Generator().manual_seed(seed)).repeat(2)
    tensors, start = {}, 0
    for name, shape in shapes.items():
        count = math.prod(shape)
        start = (start + 7919) % size
        cut = pool[start : start + min(size, count)]
        values = cut.repeat(-(-count // size))[:count].view(shape)
        if len(shape) > 1:
            values = values * (count / shape[0]) ** -0.5
        else:
            values = values * 0.05 + (1.0 if name.endswith("weight") else 0.0)
        tensors[name] = values.to(dtype).contiguous()
    return tensors


def write_json(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2))
