"""An adapter to a real Shine checkout, the compiler of the RISE project.

Shine speaks the client side of HyperMapper's text protocol: a tuner that it starts prints requests,
it answers on the tuner's standard input. `protocol` holds the text, `link` the process and the
pipes, `standin` the program that Shine starts in the tuner's place, `session` the trials.
"""
