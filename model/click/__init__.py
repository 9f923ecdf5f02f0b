"""Click networks: f-BRS (DeepLabV3+ or HRNet+OCR) and RITM, and the planes that tell them where the clicks are."""
