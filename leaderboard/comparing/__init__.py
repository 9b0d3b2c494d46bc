"""Up to five models or versions beside each other: what is compared, and which differences are more than chance."""
