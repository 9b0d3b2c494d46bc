"""What a comparison of two models can end in."""

AHEAD, BEHIND, EVEN, APART, OVERLAP = "ahead", "behind", "even", "apart", "overlap"
