"""What exporters share: links to committed files, lists of images, labels and the types of metadata."""
