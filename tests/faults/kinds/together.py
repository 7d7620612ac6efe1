"""Two at once: what each survives by itself, the pair may not."""

import time
from concurrent.futures import ThreadPoolExecutor

from tests.faults.kinds.registry import FAULTS, Fault, Stage, fault

IN_SHORT = ("postgresql stopped", "valkey killed and empty")


@fault("two together", touches="everything", lasts=(0, 0))
class Two(Fault):
    """The seed chooses. What the first one breaks, the second one does not touch. In short: both databases."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        first, second = self._choose() if stage.is_long else (FAULTS[name] for name in IN_SHORT)
        self.pair = (first(stage), second(stage))
        for one in self.pair:
            one.is_alone = False
        stage.load.journal.note(f"two together: {first.name} and {second.name}")

    def _choose(self) -> tuple[type[Fault], type[Fault]]:
        single = [kind for kind in FAULTS.values() if kind is not Two]
        first = self.rng.choice(single)
        return first, self.rng.choice([kind for kind in single if not kind.touches & first.touches])

    @property
    def seconds(self) -> float:
        return max(one.seconds for one in self.pair)

    def strike(self) -> None:
        self.pair[0].strike()
        time.sleep(self.rng.uniform(0, 1))
        self.pair[1].strike()

    def mend(self) -> None:
        """Both at once, and in any case: a rolling restart does not end while the database is frozen."""
        with ThreadPoolExecutor(2) as both:
            for ended in [both.submit(one.mend) for one in self.pair]:
                ended.result()
