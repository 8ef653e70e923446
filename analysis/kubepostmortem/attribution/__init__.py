"""Attribution: what grew, since when, and why. Frames and arrays in, values out."""
