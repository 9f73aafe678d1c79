"""A checkup as a document for people who audit it."""

from checkups.paper.document import checkup_pdf, pdf_answer

__all__ = ["checkup_pdf", "pdf_answer"]
