"""An example plugin for Daybreak: the target `cmatmul` and the optimizer `hill-climb`."""
