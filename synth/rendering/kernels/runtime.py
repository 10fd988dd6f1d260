"""The one place that sets Warp up; every kernel module imports this one before its first kernel.

Quiet, because a banner has no place in a library; no backward code, because nothing is differentiated and it makes
the compilation of the kernels several times slower.
"""

from __future__ import annotations

import warp

if hasattr(warp, "LOG_ERROR"):  # from 1.13 on
    warp.config.log_level = warp.LOG_ERROR
else:
    warp.config.quiet = True
warp.config.enable_backward = False
warp.init()
