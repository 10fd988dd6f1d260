"""A second recogniser for the toy: sees what the first one sees, in a space of its own."""

import dataclasses

from tests.fakes import PaintedRecogniser


class Mirrored(PaintedRecogniser):
    """Gives the numbers of `PaintedRecogniser` in reverse order."""

    space = "mirrored"

    def recognise(self, images):
        faces = super().recognise(images)
        return dataclasses.replace(faces, embeddings=faces.embeddings[:, ::-1].copy())
