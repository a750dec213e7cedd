"""What a write does: create, update, patch, delete; defaults and managed fields."""
