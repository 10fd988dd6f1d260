"""A second recogniser for the toy: sees what the first one sees, in a space of its own."""

from tests.fakes import PaintedRecogniser


class Mirrored(PaintedRecogniser):
    """Gives the numbers of `PaintedRecogniser` in reverse order."""

    space = "mirrored"

    def embed(self, aligned):
        return super().embed(aligned)[:, ::-1].copy()
