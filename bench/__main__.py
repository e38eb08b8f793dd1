"""`make bench`: the figures of the hot paths as ratios of one run. ONLY=lists,takes chooses parts."""

from __future__ import annotations

import os
import subprocess
import sys

from bench.stage import ROOT, stage

PARTS = (
    *("lists", "books", "takes", "expiry", "slippers", "orders", "storm"),
    *("menu", "guests", "loyalty", "tickets", "florist", "sockets"),
)
"""In the order in which they run: the books are verified before pgbench writes takes whose hashes nobody computed."""


def main() -> int:
    asked = [name.strip() for name in os.environ.get("ONLY", "").split(",") if name.strip()] or list(PARTS)
    chosen = [name for name in PARTS if name in asked]
    if unknown := set(asked) - set(PARTS):
        raise SystemExit(
            f"mahalla: there is no benchmark called {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}"
        )
    # The stage speaks through the environment, and its servers are gone afterwards.
    environment = dict(os.environ)
    missed = _on_stage([name for name in chosen if name != "sockets"])
    if "sockets" in chosen:
        print("\nSockets: one live process\n─────────────────────────", flush=True)
        done = subprocess.run([sys.executable, "bench/sockets.py"], cwd=ROOT, env=environment, check=False)
        missed += ["sockets"] if done.returncode else []
    print(f"\nmahalla: {'missed: ' + '; '.join(missed) if missed else 'every figure is in its bounds'}")
    return 1 if missed else 0


def _on_stage(names: list[str]) -> list[str]:
    if not names:
        return []
    with stage() as at:
        # Their models need the settings that the stage has made.
        from bench import (
            books,
            expiry,
            flowers,
            guests,
            lists,
            loyalty,
            menu,
            orders,
            people,
            slippers,
            storm,
            takes,
            tickets,
        )

        parts = {
            "lists": lists.run,
            "takes": takes.run,
            "expiry": expiry.run,
            "books": books.run,
            "slippers": slippers.run,
            "orders": orders.run,
            "storm": storm.run,
            "menu": menu.run,
            "guests": guests.run,
            "loyalty": loyalty.run,
            "tickets": tickets.run,
            "florist": flowers.run,
        }
        people.bring_people()
        for name in names:
            parts[name](at)
        return at.missed


if __name__ == "__main__":
    sys.exit(main())
