"""Parts of the audit of a run: what is read, what each subject says, and the page."""
