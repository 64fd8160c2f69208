"""BaCO as its published code does it (Hellsten et al., ASPLOS 2023; baco-authors/baco, MIT)."""
