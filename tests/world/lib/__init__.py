"""What the tests of the world share. Modules of tests/system/lib that have no namesake here can be imported as well."""

from pathlib import Path

__path__.append(str(Path(__file__).resolve().parents[2] / "system" / "lib"))
