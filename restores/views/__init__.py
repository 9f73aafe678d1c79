"""The pages about restores: small files by what people do there."""
