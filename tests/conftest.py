"""What all tests share."""

import os

# As on the command line: sums must not depend on the number of cores, and test processes share them.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")
