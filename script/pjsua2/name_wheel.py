"""Gives pjproject's own setup.py a wheel name of ours (the name on the package index is another project's) and our modules."""

import sys
from pathlib import Path

CHANGES = (
    ('name="pjsua2"', 'name="textback-pjsua2"'),
    ('["pjsua2_wrap.cpp"]', '["pjsua2_wrap.cpp", "ringing.c", "telling.c"]'),
    ('py_modules=["pjsua2"]', 'py_modules=["pjsua2", "pjsua2_build"]'),
)

path = Path(sys.argv[1])
text = path.read_text()
for old, new in CHANGES:
    if text.count(old) != 1:
        sys.exit(f"{path}: {old} stands {text.count(old)} times, not once")
    text = text.replace(old, new)
path.write_text(text)
