"""Check that of the two similarities that README's first command prints the first is clearly above."""

import re
import sys

values = [float(value) for value in re.findall(r"^cosine\s+(-?\d\.\d+)", sys.stdin.read(), re.MULTILINE)]
if len(values) != 2:
    sys.exit(f"expected two lines that begin with 'cosine', got {len(values)}")
related, unrelated = values
if not related > unrelated + 0.2:
    sys.exit(f"the related sentence scores {related}, the unrelated one {unrelated}: not clearly above")
print(f"related {related} is clearly above unrelated {unrelated}")
