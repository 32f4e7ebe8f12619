"""Pictures, and the CSV files beside them."""
