"""The precisions a network computes in, by name; torch is not needed to say one."""

from __future__ import annotations

from typing import Literal, TypeAlias

Precision: TypeAlias = Literal["float32", "bfloat16", "float16"]
